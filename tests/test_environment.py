from __future__ import annotations

import json
import subprocess

import numpy as np
import pytest

from distbench.results.environment import CI, describe, environment

GIT = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]


@pytest.fixture(autouse=True)
def no_ci(monkeypatch):
    for _, *variables in CI:
        for variable in variables:
            monkeypatch.delenv(variable, raising=False)


def git(folder, *arguments):
    done = subprocess.run([*GIT, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "repository"
    (folder / "deep" / "er").mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main")
    git(folder, "commit", "-q", "--allow-empty", "-m", "one")
    return folder


def commit_of(folder):
    return environment(folder).get("git_commit")


def test_versions_of_what_is_installed():
    values = environment()
    assert values["cores"] >= 1
    assert (values["numpy"], values["pytest"]) == (np.__version__, pytest.__version__)
    assert json.loads(json.dumps(values)) == values
    assert all(values.values()), "what is not known is left out"
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    assert values["blas"].startswith(blas["name"])
    line = describe(values)
    assert f"python {values['python']}, " in line
    assert f"numpy {np.__version__}" in line
    assert values["date"] not in line
    assert describe({}) == ""
    assert describe({"git_commit": 5}) == "commit 5", "a file may hold anything"


class TestCommit:
    @pytest.mark.parametrize("state", ["loose", "packed", "packed and newer", "detached"])
    def test_of_the_folder_and_of_those_below(self, repository, state):
        if "packed" in state:
            git(repository, "pack-refs", "--all")
            assert not (repository / ".git" / "refs" / "heads" / "main").exists()
        if "newer" in state:
            git(repository, "commit", "-q", "--allow-empty", "-m", "two")
        if state == "detached":
            git(repository, "checkout", "-q", "--detach")
        head = git(repository, "rev-parse", "HEAD")
        assert commit_of(repository) == commit_of(repository / "deep" / "er") == head
        assert f"commit {head[:10]}" in describe(environment(repository))

    @pytest.mark.parametrize("packed", [False, True])
    def test_of_a_worktree(self, repository, tmp_path, packed):
        git(repository, "worktree", "add", "-q", "-b", "topic/x", str(tmp_path / "tree"))
        git(tmp_path / "tree", "commit", "-q", "--allow-empty", "-m", "two")
        if packed:
            git(repository, "pack-refs", "--all")
        head = git(tmp_path / "tree", "rev-parse", "HEAD")
        assert head != git(repository, "rev-parse", "HEAD")
        assert commit_of(tmp_path / "tree") == head

    def test_there_is_none_without_a_repository_or_before_the_first_commit(self, tmp_path):
        assert commit_of(tmp_path) is None
        git(tmp_path, "init", "-q")
        assert commit_of(tmp_path) is None

    @pytest.mark.parametrize("head", [b"\xff\xfe", b"something else\n", b"ref: refs/heads/none\n"])
    def test_damaged_files_of_git_are_no_commit(self, repository, head):
        (repository / ".git" / "HEAD").write_bytes(head)
        assert commit_of(repository) is None


def test_the_run_of_a_ci_service(monkeypatch, tmp_path, repository):
    variables = {"GITHUB_ACTIONS": "true", "GITHUB_RUN_ID": "123", "GITHUB_SHA": "b" * 40}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    values = environment(tmp_path)
    assert (values["ci"], values["ci_run"], values["git_commit"]) == ("GitHub Actions", "123", "b" * 40)
    assert commit_of(repository) == git(repository, "rev-parse", "HEAD"), "what is checked out comes first"
    assert not {"git_commit", "ci", "ci_run"} & set(environment()), "only for the folder of the tests"
