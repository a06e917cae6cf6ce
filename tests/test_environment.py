from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from distbench.results.environment import CI, environment, told

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


def test_what_is_installed_is_told_with_its_version():
    found = environment()
    assert found["cores"] >= 1
    assert found["numpy"] == np.__version__
    assert found["pytest"] == pytest.__version__
    assert json.loads(json.dumps(found)) == found
    assert all(found.values()), "what is not known is left out"
    line = told(found)
    assert f"python {found['python']}" in line
    assert f"numpy {np.__version__}" in line
    assert found["date"] not in line
    assert told({}) == ""


def test_blas_is_told_from_numpys_own_record():
    record = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    assert environment()["blas"].startswith(record["name"])


def test_nothing_heavy_is_imported_for_it():
    code = (
        "import sys; from distbench.results.environment import environment; found = environment(); "
        "print('blas' in found, "
        "any(name in sys.modules for name in ('numpy', 'scipy', 'keras', 'subprocess')))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["False", "False"]


def test_without_a_folder_neither_commit_nor_run_is_told(monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_RUN_ID", "7")
    assert not {"git_commit", "ci", "ci_run"} & set(environment())


class TestCommit:
    def test_of_a_branch_from_any_folder_below(self, repository):
        head = git(repository, "rev-parse", "HEAD")
        assert commit_of(repository) == head
        assert commit_of(repository / "deep" / "er") == head
        assert f"commit {head[:10]}" in told(environment(repository))

    def test_of_a_branch_whose_ref_is_packed(self, repository):
        git(repository, "pack-refs", "--all")
        assert not (repository / ".git" / "refs" / "heads" / "main").exists()
        assert commit_of(repository) == git(repository, "rev-parse", "HEAD")

    def test_a_loose_ref_is_newer_than_a_packed_one(self, repository):
        git(repository, "pack-refs", "--all")
        git(repository, "commit", "-q", "--allow-empty", "-m", "two")
        assert commit_of(repository) == git(repository, "rev-parse", "HEAD")

    def test_of_a_detached_head(self, repository):
        git(repository, "checkout", "-q", "--detach")
        assert commit_of(repository) == git(repository, "rev-parse", "HEAD")

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

    def test_damaged_files_of_git_are_no_commit(self, repository):
        (repository / ".git" / "HEAD").write_bytes(b"\xff\xfe")
        assert commit_of(repository) is None
        (repository / ".git" / "HEAD").write_text("something else\n")
        assert commit_of(repository) is None


def test_the_run_of_a_ci_service_is_told(monkeypatch, tmp_path, repository):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_RUN_ID", "123")
    monkeypatch.setenv("GITHUB_SHA", "b" * 40)
    found = environment(tmp_path)
    assert (found["ci"], found["ci_run"], found["git_commit"]) == ("GitHub Actions", "123", "b" * 40)
    assert commit_of(repository) == git(repository, "rev-parse", "HEAD"), "what is checked out comes first"
