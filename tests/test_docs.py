"""README and documentation are true: their blocks, their commands, their tables of stored rows."""

from __future__ import annotations

import importlib.util
import re
import shlex
import sys
from collections import Counter

import pytest
from docs_blocks import blocks_of, same
from docs_pages import ROOT, PageError, commands, run_page
from test_layout import FLOORS

from distbench.results.suite_store import read_store, store_path

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
NEEDS = {
    "cli.md": ("jinja2", "matplotlib"),
    "datasets.md": ("mlxtend", "wordllama"),
    "embedding-search.md": ("faiss", "wordllama"),
    "html.md": ("matplotlib",),
    "keras.md": ("tensorflow",),
    "notebook.md": ("matplotlib", "pandas"),
    "scale.md": ("h5py", "dask"),
    "xdist.md": ("xdist",),
}
SHELL = ("sh", "console", "bash")


# What a new user reads first; the other pages are executed nightly.
FIRST = ("README", "pytest", "tutorial")


@pytest.mark.parametrize(
    "page",
    [pytest.param(page, marks=[pytest.mark.nightly] * (page.stem not in FIRST), id=page.stem) for page in PAGES],
)
def test_what_a_page_shows_happens(page, tmp_path):
    missing = [name for name in NEEDS.get(page.name, ()) if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"the page needs {', '.join(missing)}")
    before = set(sys.path)
    run_page(page, tmp_path)
    assert set(sys.path) <= before


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_options_and_extras_of_commands_exist_whether_they_are_run_or_not(page, pytestconfig):
    known = {name for option in pytestconfig._parser.getgroup("distbench").options for name in option.names()}
    extras = set(re.findall(r"^(\w+) = \[", (ROOT / "pyproject.toml").read_text(), re.MULTILINE))
    for block in blocks_of(page):
        for words in commands(block.text) if block.language in SHELL else ():
            line = shlex.join(words)
            for option in re.findall(r"--distbench[\w-]*", line):
                assert option in known, f"{block.place}: {option}"
            for names in re.findall(r"\[([\w,]+)\]", line) if "pip" in words else ():
                assert set(names.split(",")) <= extras, f"{block.place}: {names}"
            if words and words[0] == "distbench":
                check_command(words[1:], block.place)


def check_command(words, place):
    """Check that the command exists and has all options."""
    import click

    from distbench.cli import main

    command = main
    while isinstance(command, click.Group) and words and words[0] in command.commands:
        command, words = command.commands[words[0]], words[1:]
    known = {"--help", "-h", *(option for parameter in command.params for option in parameter.opts)}
    for word in words:
        if re.match(r"--?[a-z]", word):
            assert word.partition("=")[0] in known, f"{place}: {command.name} has no {word}"


def test_the_reference_lists_what_import_distbench_gives():
    pytest.importorskip("keras")
    import distbench
    import distbench.keras

    listed = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    whole = re.findall(r"automodule:: (\S+)\n   :members:\n", listed)
    names = {*distbench.__all__, *distbench.keras.__all__, *distbench.baselines.BASELINES}
    names -= {"__version__", "metrics", "strategies"}
    names -= {name for module in whole for name in importlib.import_module(module).__all__}
    assert [name for name in sorted(names) if not re.search(rf"[.]{name}\b", listed)] == []


def test_the_picture_of_the_packages_is_that_of_the_layout():
    picture = (ROOT / "docs" / "packages.svg").read_text(encoding="utf-8")
    drawn = [{"pytest plugin": "pytest_distbench"}.get(name, name) for name in re.findall(r">([\w ]+)</text>", picture)]
    heights = re.findall(r'<text x="\d+" y="(\d+)"', picture)
    rows = {height: sorted(name for name, y in zip(drawn, heights, strict=True) if y == height) for height in heights}
    assert [tuple(row) for row in rows.values()] == [tuple(sorted(set(floor) - {"_version"})) for floor in FLOORS[::-1]]


@pytest.mark.parametrize(
    ("page", "pattern"),
    [
        ("docs/design.md", r"`((?:distbench|plugin|tests|benchmarks|examples|docs)/[\w./]+\w)`"),
        ("CONTRIBUTING.md", r"`((?:distbench|plugin|tests|benchmarks|examples|docs)/[\w./]+\w)`"),
        ("README.md", r"\]\((?!https?:)([^)#]+)"),
    ],
)
def test_files_that_a_page_names_or_links_to_are_there(page, pattern):
    paths = re.findall(pattern, (ROOT / page).read_text(encoding="utf-8"))
    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_tables_from_stored_rows_are_what_is_stored(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import answer
    from _page import put

    for (name, part), make in answer.PARTS.items():
        page = (ROOT / "docs" / name).read_text(encoding="utf-8")
        assert put(page, part, make()) == page, f"docs/{name}, {part}: run python benchmarks/answer.py"


def test_the_page_of_conclusions_has_the_numbers_of_the_appendix():
    appendix = {name: text.replace(" %", "%") for name, text in _pages("appendix-*.md").items()}
    for section in (ROOT / "docs" / "measured.md").read_text(encoding="utf-8").split("\n## ")[1:]:
        numbers = re.findall(r"\d[\d.,]*%|\d\.\de-\d+", section)
        name = re.search(r"appendix-\w+\.md", section)
        known = appendix[name[0]] if name else ""
        assert [number for number in numbers if number not in known] == [], section[:40]


def test_no_page_has_the_name_of_one_that_sphinx_writes_itself():
    assert {"search", "genindex"}.isdisjoint(page.stem for page in PAGES), "its text would be nowhere"


def test_each_picture_is_made_by_a_script_and_shown():
    folder = ROOT / "docs" / "pictures"
    pictures = {path.stem for path in folder.glob("*.png")}
    assert pictures == {path.stem for path in folder.glob("[!_]*.py")}
    shown = " ".join([*_pages("*.md").values(), (ROOT / "README.md").read_text(encoding="utf-8")])
    assert [name for name in pictures if f"pictures/{name}.png)" not in shown] == []


def _pages(pattern):
    return {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "docs").glob(pattern)}


def test_readme_counts_the_claims_as_they_are_stored():
    claims = read_store(store_path(ROOT / "suites" / "distbench_suites" / "claims.toml")).results.claims
    verdicts = Counter(claim.verdict for claim in claims)
    by_interval = sum(claim.p_value is not None and claim.verdict == "borne out" for claim in claims)
    borne_out = verdicts["borne out"]
    sentence = (
        f"The suite `claims` tests {len(claims)} statements about such results. {borne_out} were borne out, "
        f"{by_interval} of them by the whole interval. {len(claims) - borne_out} are undecided."
    )
    assert verdicts["undecided"] == len(claims) - borne_out
    assert sentence in " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())


@pytest.mark.parametrize(
    ("shown", "printed", "part", "alike"),
    [
        ("a 0.996, [1,796]", "a   0.9961, [1,796]", False, True),
        ("a 0.996", "a 0.998", False, False),
        ("k = 10", "k = 11", False, False),
        ("a ... b", "a 1\n2 b", False, True),
        ("a", "a b", False, False),
        ("b", "a\nb\nc", True, True),
        ("3e-16", "2.8e-16", False, True),
        ("0.0237403977", "0.0237403978", False, True),
        ("0.25", "0.2549", False, True),
        ("0.25", "0.2649", False, False),
        ("12", "12.5", False, False),
    ],
)
def test_output_is_compared_with_what_is_shown(shown, printed, part, alike):
    assert (same(shown, printed, part=part) is None) is alike


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("```python\n1 / 0\n```\n", "page.md:1 failed, and does not say <!-- fails -->:\n.*ZeroDivisionError"),
        ("```python\nprint(1)\n```\n\n```text\n2\n```\n", "2 is 1"),
        ("<!-- not run: -->\n```sh\nrm x\n```\n", "no reason"),
        ("```sh\nrm x\n```\n", "'rm x' is not run"),
        ("<!-- fails -->\n```python\nx = 1\n```\n", "was to fail"),
        ("```text\nout of nowhere\n```\n", "the words differ"),
        ("<!-- not run: no -->\n```python\nx\n```\n\n```text\n1\n```\n", "what printed this is not run"),
        ("```perl\nx\n```\n", "'perl' is not run"),
    ],
)
def test_a_page_that_shows_what_does_not_happen_is_an_error(text, message, tmp_path):
    page = tmp_path / "page.md"
    page.write_text(text)
    with pytest.raises(PageError, match=f"(?s){message}"):
        run_page(page, tmp_path)


def test_names_and_files_go_from_block_to_block(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "<!-- file: mine.py\nNAME = 'pca'\n-->\n\n"
        "<!-- setup: import sys; sys.path.insert(0, '.') -->\n```python\nimport mine\n```\n\ntext\n\n"
        "- in a list\n\n  ```python\n  print(mine.NAME, X_test.shape[1])\n  ```\n\n  ```text\n  pca 64\n  ```\n"
    )
    try:
        assert [printed for _, printed in run_page(page, tmp_path).outputs] == ["pca 64\n"]
    finally:
        sys.path.remove(".")
        sys.modules.pop("mine", None)
