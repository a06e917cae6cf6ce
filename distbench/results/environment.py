"""With what something was measured: told from what is installed, without importing it or starting a process."""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

__all__ = ["environment", "told"]

PACKAGES = ("distbench", "numpy", "scipy", "scikit-learn", "keras", "tensorflow", "umap-learn")
"""What fits and scores rest on most: told in one line."""
OTHERS = ("torch", "jax", "onnxruntime", "sentence-transformers", "pandas", "numba", "click", "pytest", "pytest-xdist")

CI = (
    ("GitHub Actions", "GITHUB_ACTIONS", "GITHUB_RUN_ID", "GITHUB_SHA"),
    ("GitLab CI", "GITLAB_CI", "CI_PIPELINE_ID", "CI_COMMIT_SHA"),
    ("CircleCI", "CIRCLECI", "CIRCLE_BUILD_NUM", "CIRCLE_SHA1"),
    ("Jenkins", "JENKINS_URL", "BUILD_ID", "GIT_COMMIT"),
)
"""Services that run tests: name, the variable that says so, and those of the run and of the commit."""

COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
SHOWN = 10  # characters of a commit in one line


def environment(folder: Path | None = None) -> dict[str, Any]:
    """Return the day (UTC), the machine, and the versions of Python, BLAS and packages.

    Parameters
    ----------
    folder : Path, optional
        Where the code under test is: ``git_commit``, ``ci`` and ``ci_run`` are told too, where there are such.

    Returns
    -------
    dict
        Plain values by name; what is not known is left out.
    """
    found: dict[str, Any] = {
        "date": datetime.now(UTC).date().isoformat(),
        "platform": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "blas": _blas(),
        "python": platform.python_version(),
    }
    found |= {name: _version(name) for name in (*PACKAGES, *OTHERS)}
    if folder is not None:
        found |= _run(folder)
    return {name: value for name, value in found.items() if value}


def told(found: Mapping[str, Any]) -> str:
    """Return an environment as one line, without its day."""
    versions = [f"{name} {found[name]}" for name in ("python", *PACKAGES) if name in found]
    machine = [str(found[name]) for name in ("platform", "processor", "blas") if found.get(name)]
    cores = [f"{found['cores']} cores"] if "cores" in found else []
    commit = [f"commit {found['git_commit'][:SHOWN]}"] if "git_commit" in found else []
    return ", ".join([*versions, *machine, *cores, *commit])


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _blas() -> str:
    """Return the BLAS that numpy was built with, from its own record; nothing where numpy is not loaded yet."""
    show = getattr(sys.modules.get("numpy"), "show_config", None)
    try:
        blas = show(mode="dicts")["Build Dependencies"]["blas"] if show else {}
        return " ".join(str(blas[name]) for name in ("name", "version") if blas.get(name))
    except (AttributeError, KeyError, TypeError):
        return ""  # another numpy keeps its record in another form


def _run(folder: Path) -> dict[str, str]:
    """Return the commit under test and the CI run, as far as they are known."""
    commit = _git_commit(folder)
    for name, says_so, run, sha in CI:
        if os.environ.get(says_so):
            return {
                "git_commit": commit or os.environ.get(sha, ""),
                "ci": name,
                "ci_run": os.environ.get(run, ""),
            }
    return {"git_commit": commit}


def _git_commit(folder: Path) -> str:
    """Return the commit that is checked out around a folder, read from git's own files; empty where there is none."""
    folder = folder.resolve()
    for place in (folder, *folder.parents):
        entry = place / ".git"
        if entry.is_dir():
            return _head(entry)
        if entry.is_file():  # of a worktree or submodule: it says where the folder is
            pointer = _read(entry).removeprefix("gitdir:").strip()
            return _head(place / pointer) if pointer else ""
    return ""


def _head(git: Path) -> str:
    head = _read(git / "HEAD").strip()
    if not head.startswith("ref:"):
        return _commit(head)
    ref = head.removeprefix("ref:").strip()
    common = _read(git / "commondir").strip()  # branches of a worktree are where the repository itself is
    shared = git / common if common else git
    for place in (git, shared):
        if found := _commit(_read(place / ref)):
            return found
    for line in _read(shared / "packed-refs").splitlines():
        sha, _, name = line.partition(" ")
        if name.strip() == ref:
            return _commit(sha)
    return ""


def _commit(text: str) -> str:
    return text.strip() if COMMIT.fullmatch(text.strip()) else ""


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
