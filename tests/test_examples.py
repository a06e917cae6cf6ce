"""examples/run.py fails an example that does not do what its README shows."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
README = """\
It prints (exit code 3):

```sh
echo "=== took 1.7 s, error 0.103 ==="
exit 3
```

```text
took ... s, error 0.100
```

This one too:

<!-- without sys -->
```sh
false
```

```sh
cat made
```
"""


@pytest.fixture(scope="module")
def runner():
    spec = importlib.util.spec_from_file_location("examples_run", EXAMPLES / "run.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.fixture
def example(tmp_path):
    (tmp_path / "README.md").write_text(README)
    (tmp_path / "made").write_text("")
    (tmp_path / "it.py").write_text("import sys\n")
    return tmp_path


def test_an_example_that_ends_as_it_says(runner, example, capsys):
    assert runner.run_example(example, Path(sys.executable))
    lines = capsys.readouterr().out.splitlines()
    assert ["as the README says" in line for line in lines] == [True, False, True]
    assert "skipped, it is for environments without sys" in lines[1]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("exit 3", "exit 4", "exit code 4, the README says 3"),
        ("(exit code 3)", "", "exit code 3, the README says 0"),
        ("0.103", "0.109", "not in the output: took ... s, error 0.100"),
        ("took 1.7", "was 1.7", "not in the output: took"),
        ("cat made", "cat lost", "exit code 1, the README says 0"),
        ("without sys", "with sys", "exit code 1, the README says 0"),
        ("without sys", "without sis", "depends on sis, which no file of it names"),
        ("```sh\ncat", "```bash\ncat", "a block that is not looked at"),
        ("cat made", "cat lost | cat", "exit code 1, the README says 0"),
        (README, "Nothing to run.", "no command in its README"),
    ],
)
def test_an_example_that_does_not(runner, example, capsys, old, new, message):
    (example / "README.md").write_text(README.replace(old, new))
    assert not runner.run_example(example, Path(sys.executable))
    assert message in capsys.readouterr().out


def test_lines_count_in_their_order_and_numbers_near_1_may_be_off_by_less(runner):
    output = "one\n  two   2.00\n===== three =====\n"
    assert runner.missing(("one", "...", "two 2.05", "... three"), output) is None
    assert runner.missing(("three", "one"), output) == "one"
    assert runner.missing(("one", "one"), output) == "one"
    assert runner.missing(("two 2.2",), output) == "two 2.2"
    assert runner.missing(("0.994",), "0.992") is None
    assert runner.missing(("0.994",), "0.950") == "0.994"
    assert runner.missing(("0.131",), "0.146") == "0.131"
    assert runner.missing(("0.131",), "0.146", off=0.2) is None
    (block,) = runner.blocks("```sh\necho\n```\n\n<!-- within 20 % -->\n```text\n0.131\n```\n")
    assert (block.lines, block.off) == (("0.131",), 0.2)


@pytest.mark.parametrize("project", sorted(EXAMPLES.glob("*/pyproject.toml")), ids=lambda path: path.parent.name)
def test_examples_declare_what_they_import_and_have_commands(runner, project):
    folder, text = project.parent, project.read_text()
    known = {"distbench", "numpy", "scipy", "sklearn", "pytest"}  # distbench depends on all others
    provided = {"torch": "torch", "keras": "distbench[keras]", "joblib": "scikit-learn"}
    modules = {path.stem for path in folder.glob("*.py")}
    imported = {
        name
        for path in folder.glob("*.py")
        for name in re.findall(r"^\s*(?:import|from) (\w+)", path.read_text(), re.M)
    }
    for name in imported - modules - known - set(sys.stdlib_module_names):
        assert name in text or (name in provided and provided[name] in text), name
    readme = (folder / "README.md").read_text()
    assert list(runner.blocks(readme))
    assert f"({folder.name}/README.md)" in (EXAMPLES / "README.md").read_text()
    assert "@" not in re.sub(r"\w@\d", "", readme), "a number that was not filled in"


def test_a_command_that_hangs_is_ended(runner, example, monkeypatch):
    monkeypatch.setattr(runner, "LIMIT", 0.2)
    block = runner.Block("sleep 5", 0, (), 0.05, "", "")
    assert "took more than" in runner.run(block, example, Path(sys.executable))
