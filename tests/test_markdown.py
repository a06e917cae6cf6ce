from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from small_reports import claim, two_and_four_columns

from distbench.render.formats import SIGNS
from distbench.render.markdown import escaped, list_item, render_markdown, render_summary
from distbench.results.file import read_results
from distbench.results.gates import broken_gates, compare_rows, parse_gate
from distbench.results.rows import failed_row, rows_of
from distbench.results.run import RunResults

STORED = Path(__file__).parents[1] / "suites" / "distbench_suites" / "baselines" / "digits.json"
NASTY = "<script>alert(1)</script> | a|b `c` *d* _e_ [f](g) @someone #12 &amp; \\ ~~h~~ $i$\n# x"


@pytest.fixture
def rows():
    def rows(encoder="a", columns=4, dataset="gauss", test="t.py::test", seeds=(0, 1), **about):
        about |= {"encoder": encoder, "dataset": dataset, "code_size": 4, "test": test}
        about |= {"seconds": 1.5, "leave_one_out": {"continuity"}}
        return [row for seed in seeds for row in rows_of(two_and_four_columns()[columns], seed=seed, **about)]

    return rows


def failed(encoder="c", **about):
    plain = {"dataset": "gauss", "code_size": 4, "k": 7, "m": 60, "M": 199, "seed": 1, "test": "t.py::test", **about}
    return failed_row("ValueError: NaN", encoder=encoder, **plain)


def parsed(text):
    """Return the block and inline tokens of a CommonMark parser with tables."""
    markdown_it = pytest.importorskip("markdown_it", reason="needs markdown-it-py, which myst-parser brings")
    tokens = markdown_it.MarkdownIt("commonmark").enable("table").parse(text)
    inner = [child for token in tokens for child in token.children or []]
    return tokens, inner


def tables(text):
    """Return the cells of each table, by row."""
    cells_by_table, cells = [], None
    tokens, _ = parsed(text)
    for token in tokens:
        if token.type == "table_open":
            cells_by_table.append([])
        elif token.type == "tr_open":
            cells_by_table[-1].append([])
        elif token.type in ("td_open", "th_open"):
            cells = cells_by_table[-1][-1]
        elif token.type == "inline" and cells is not None:
            cells.append("".join(child.content for child in token.children if child.type == "text"))
        elif token.type in ("td_close", "th_close"):
            cells = None
    return cells_by_table


class TestNames:
    def test_they_stay_text_wherever_they_stand(self, rows):
        all_rows = rows(NASTY, 2, dataset=NASTY, note=NASTY, limits={"continuity": 1.0})
        all_rows += [*rows(NASTY, 4, dataset="", test=NASTY), failed(NASTY, test=NASTY)]
        about = {"statement": NASTY, "source": NASTY, "evidence": NASTY}
        comparison = compare_rows(rows(NASTY, 4, dataset=NASTY), all_rows, NASTY)
        outcome = RunResults(
            all_rows,
            {"processor": NASTY},
            [claim(verdict="refuted", **about)],
            comparison=comparison,
            broken=list(map(str, broken_gates(comparison, [parse_gate("continuity:25%")]))),
        )
        for text in (render_markdown(outcome), render_summary(outcome)):
            tokens, inner = parsed(text)
            kinds = {child.type for child in inner}
            assert kinds <= {"text", "html_inline", "strong_open", "strong_close", "em_open", "em_close", "code_inline"}
            html = {token.content.strip() for token in tokens if token.type == "html_block"}
            assert html <= {SIGNS["md"], "<details>\n<summary>Environment</summary>", "</details>"}
            assert {child.content for child in inner if child.type == "html_inline"} == {"<!-- -->"}
            assert {child.content for child in inner if child.type == "code_inline"} <= {"--distbench-report md:PATH"}
            assert not re.search(r"^\W*# x", text, re.MULTILINE), "it never opens a heading"
            assert not re.search(r"[@#](?!<)(?=[A-Za-z]|1)", re.sub(r"&#\d+;", "", text)), "nobody is called"

    def test_the_text_that_is_read_is_the_name(self):
        _, inner = parsed(f"a {escaped(NASTY)} b")
        read = "".join(child.content for child in inner if child.type == "text")
        assert read == f"a {NASTY} b".replace("\n", " ")

    @pytest.mark.parametrize("name", ["pca", "pairwise_autoencoder", "tests/test_a.py::test_b", "k = 7, 0.5 to -0.3"])
    def test_plain_names_stay_readable_in_the_file_too(self, name):
        assert escaped(name) == name

    @pytest.mark.parametrize("name", ["# a", "- a", "1. a", "12) a", "+ a", "=", "---", "    a"])
    def test_an_item_of_a_list_opens_nothing(self, name):
        tokens, inner = parsed(list_item(name))
        assert [token.type for token in tokens].count("bullet_list_open") == 1
        assert not {"heading_open", "ordered_list_open", "code_block", "hr"} & {token.type for token in tokens}
        assert "".join(child.content for child in inner) == name.strip()

    def test_control_characters_and_lone_surrogates_do_no_harm(self):
        assert escaped("a\x1b[31m\r\nb\u2028c\u202e") == "a&#92;x1b&#91;31m b c&#92;u202e"
        escaped("\ud800").encode()


class TestMarkdown:
    def test_leaderboards_have_all_columns_and_the_best_first(self, rows):
        limits = {"continuity": 1.0}
        text = render_markdown(RunResults([*rows("b", 2, limits=limits), *rows("a", 4), failed()], {"python": "3.11"}))
        board = next(table for table in tables(text) if "encoder" in table[0])
        metrics = list(dict.fromkeys(row.metric for row in rows()))
        expected = ["", "encoder", "continuity", "95 % interval", *(m for m in metrics if m != "continuity")]
        assert board[0] == [*expected, "seed sd", "fit s", "seeds"]
        assert [row[:2] for row in board[1:]] == [["1", "a"], ["2", "b *"]], "b has other columns than it should"
        (value,) = {row.value for row in rows("b", 2) if row.metric == "continuity"}
        assert board[2][2] == f"{value:.4f}!"
        assert "### gauss, code size 4\n\nk = 7, m = 60 test points, M = 199 candidates\n" in text
        assert "- no place: c: seed 1 failed: ValueError: NaN" in text
        assert "a fitted encoder breaks the limit" in text

    def test_sort_decides_on_the_columns_and_places(self, rows):
        text = render_markdown(RunResults(rows("a", 4) + rows("b", 2), sort="stress"))
        assert "| stress | 95 % interval |" in text

    def test_checks_without_a_data_set_share_a_table(self, rows):
        all_rows = [row for n in range(5) for row in rows("a", dataset="", test=f"t.py::test_{n}")]
        text = render_markdown(RunResults([*all_rows, failed("b", dataset="", test="t.py::broken")]))
        (board,) = (table for table in tables(text) if "limits" in table[0])
        assert [row[1] for row in board[1:]] == [f"t.py::test_{n} a" for n in range(5)]
        assert "no score: t.py::broken b: seed 1 failed" in text

    def test_claims_show_the_expected_verdict(self):
        claims = [claim(), claim(verdict="refuted", statement="it fails", stored="2026-01-02")]
        (table,) = tables(render_markdown(RunResults([], claims=claims)))
        assert table[1:] == [
            ["borne out", "it holds", "0.5", "a paper"],
            ["refuted (expected: borne out) (stored 2026-01-02)", "it fails", "0.5", "a paper"],
        ]

    def test_every_change_is_listed(self, rows):
        comparison = compare_rows(rows("a", 4), rows("a", 2), "old.json")
        text = render_markdown(RunResults(rows("a", 2), comparison=comparison))
        changes = [row for table in tables(text) if "before" in table[0] for row in table[1:]]
        assert len(changes) == sum(change.is_change for change in comparison.changes) > 5
        assert "### Changes since old.json" in text

    def test_the_environment_is_folded_away(self):
        text = render_markdown(RunResults([], {"python": "3.11", "cores": 2}))
        assert "<details>\n<summary>Environment</summary>\n\n|" in text
        (table,) = tables(text)
        assert table[1:] == [["python", "3.11"], ["cores", "2"]]

    def test_an_empty_run(self):
        assert render_markdown(RunResults([])) == f"# distbench\n\n{SIGNS['md']}\n\nno limits, gates or claims\n"


@pytest.fixture(scope="module")
def outcome():
    rows = read_results(STORED).rows
    worse = [replace(r, value=r.value * 0.9) if r.metric == "continuity" else r for r in rows]
    comparison = compare_rows(rows, worse, "old.json")
    broken = list(map(str, broken_gates(comparison, [parse_gate("continuity:5%")])))
    return RunResults(worse, {"python": "3.11"}, [claim(verdict="refuted")], comparison=comparison, broken=broken)


class TestSummary:
    def test_what_is_broken_comes_first(self, rows):
        all_rows = [*rows(limits={"continuity": 1.0, "stress": 9.0}), failed()]
        text = render_summary(RunResults(all_rows, claims=[claim(verdict="refuted")], broken=["a gate is broken"]))
        order = [
            "## distbench",
            "limits: 2 broken, 2 met; gates: **1 broken**; without scores: 1 fit; claims: 1 refuted",
            "### Broken gates\n\n- a gate is broken",
            "### Broken limits\n\n- a, gauss, code size 4, seed 0",
            *("### Without scores", "### Claims with an unexpected verdict"),
            *("### gauss, code size 4", "### Claims\n"),
        ]
        places = [text.find(part) for part in order]
        assert -1 not in places
        assert places == sorted(places)
        value = next(row.value for row in all_rows if row.metric == "continuity")
        assert f"continuity {value:.4f} (" in text
        assert ", limit at least 1.0000" in text

    def test_without_a_limit_all_of_it_is_there(self, outcome):
        text = render_summary(outcome)
        assert "left out" not in text
        assert len(tables(text)) == len(tables(render_markdown(outcome)))

    @pytest.mark.parametrize("limit", [2**20, 60_000, 30_000, 9_000, 2_000, 300, 100, 1, 0])
    def test_it_stays_below_the_limit_and_counts_parts_left_out(self, outcome, limit):
        text = render_summary(outcome, limit)
        assert len(text.encode()) < max(limit, 1)
        whole = render_summary(outcome)
        if text and len(text) < len(whole):
            note = re.search(r"\*(\d+) parts? left out: this page holds no more", text)
            parts = text[: note.start()].count("\n### ") + text.count("**Worse**") + text.count("<details>")
            assert int(note[1]) + parts >= whole.count("\n### ")
        lines = set(whole.splitlines())
        assert all(line in lines or "left out" in line for line in text.splitlines()), "no line is cut"

    def test_wide_characters_count_as_bytes(self, rows):
        all_rows = [row for n in range(200) for row in rows(f"{'é' * 100}{n}", seeds=(0,))]
        for limit in (70_000, 100_000):
            assert len(render_summary(RunResults(all_rows), limit).encode()) < limit

    def test_thousands_of_broken_limits_are_cut_short(self, rows):
        all_rows = [row for n in range(80) for row in rows(f"a{n}", seeds=(0,), limits={"continuity": 1.0})]
        text = render_summary(RunResults(all_rows))
        assert "- and 30 more" in text
