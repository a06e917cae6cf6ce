"""Describes the environment of a measurement, without importing packages or starting processes."""

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

__all__ = ["describe", "environment", "package_versions"]

PACKAGES = ("distbench", "numpy", "scipy", "scikit-learn", "keras", "tensorflow", "umap-learn")
"""The packages that affect fits and scores most."""
OTHERS = ("torch", "jax", "onnxruntime", "sentence-transformers", "pandas", "numba", "click", "pytest", "pytest-xdist")

CI = (
    ("GitHub Actions", "GITHUB_ACTIONS", "GITHUB_RUN_ID", "GITHUB_SHA"),
    ("GitLab CI", "GITLAB_CI", "CI_PIPELINE_ID", "CI_COMMIT_SHA"),
    ("CircleCI", "CIRCLECI", "CIRCLE_BUILD_NUM", "CIRCLE_SHA1"),
    ("Jenkins", "JENKINS_URL", "BUILD_ID", "GIT_COMMIT"),
)
"""CI services: the name, an environment variable that the service sets, and the variables of run and commit."""

COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
COMMIT_CHARACTERS = 10  # characters of a commit's hash that are shown


def environment(folder: Path | None = None) -> dict[str, Any]:
    """Return the day (UTC), the machine, and the versions of Python, BLAS and packages, as far as they are known.

    With the folder of the code under test, ``git_commit``, ``ci`` and ``ci_run`` are added.
    """
    values: dict[str, Any] = {
        "date": datetime.now(UTC).date().isoformat(),
        "platform": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "blas": _blas(),
        "python": platform.python_version(),
    }
    values |= package_versions() | {name: _version(name) for name in OTHERS}
    if folder is not None:
        values |= _commit_and_run(folder)
    return {name: value for name, value in values.items() if value}


def package_versions() -> dict[str, str]:
    """Return the versions of the packages that affect fits and scores most; empty for a package not installed."""
    return {name: _version(name) for name in PACKAGES}


def describe(values: Mapping[str, Any]) -> str:
    """Return an environment as one line, without its day."""
    parts = [f"{name} {values[name]}" for name in ("python", *PACKAGES) if name in values]
    parts += [str(values[name]) for name in ("platform", "processor", "blas") if values.get(name)]
    parts += [f"{values['cores']} cores"] if "cores" in values else []
    parts += [f"commit {str(values['git_commit'])[:COMMIT_CHARACTERS]}"] if "git_commit" in values else []
    return ", ".join(parts)


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
    """Return the BLAS that numpy was built with; empty if numpy is not loaded yet."""
    show = getattr(sys.modules.get("numpy"), "show_config", None)
    try:
        blas = show(mode="dicts")["Build Dependencies"]["blas"] if show else {}
        return " ".join(str(blas[name]) for name in ("name", "version") if blas.get(name))
    except (AttributeError, KeyError, TypeError):
        return ""  # other versions of numpy describe it differently


def _commit_and_run(folder: Path) -> dict[str, str]:
    """Return the commit under test and the CI run, if they are known."""
    commit = _git_commit(folder.resolve())
    for name, marker, run, sha in CI:
        if os.environ.get(marker):
            values = {"ci": name, "ci_run": os.environ.get(run, "")}
            return {"git_commit": commit or os.environ.get(sha, ""), **values}
    return {"git_commit": commit}


def _git_commit(folder: Path) -> str:
    """Return the commit that is checked out in a folder or a folder above it, from git's files; empty without one."""
    for place in (folder, *folder.parents):
        entry = place / ".git"
        if entry.is_dir():
            return _head(entry)
        if entry.is_file():  # in a worktree or submodule, .git is a file with the path of git's folder
            pointer = _read(entry).removeprefix("gitdir:").strip()
            return _head(place / pointer) if pointer else ""
    return ""


def _head(git: Path) -> str:
    head = _read(git / "HEAD").strip()
    ref = head.removeprefix("ref:").strip()
    shared = git / _read(git / "commondir").strip()  # a worktree's branches are in the main repository
    texts = [head, _read(git / ref), _read(shared / ref)] if ref != head else [head]
    lines = _read(shared / "packed-refs").splitlines() if ref != head else []
    texts += [line.partition(" ")[0] for line in lines if line.partition(" ")[2].strip() == ref]
    return next((text.strip() for text in texts if COMMIT.fullmatch(text.strip())), "")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
