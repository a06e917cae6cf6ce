"""With what something was measured: told from what is installed, without importing it."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

__all__ = ["environment", "told"]

PACKAGES = ("distbench", "numpy", "scipy", "scikit-learn", "keras", "tensorflow", "umap-learn")


def environment() -> dict[str, Any]:
    """Return the day (UTC), the machine, and the versions of Python and of the packages that fits rest on."""
    found: dict[str, Any] = {
        "date": datetime.now(UTC).date().isoformat(),
        "platform": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "python": platform.python_version(),
    }
    return found | {name: number for name in PACKAGES if (number := _version(name))}


def told(found: Mapping[str, Any]) -> str:
    """Return an environment as one line, without its day."""
    machine = [str(found[name]) for name in ("platform", "processor") if found.get(name)]
    cores = [f"{found['cores']} cores"] if "cores" in found else []
    versions = [f"{name} {found[name]}" for name in ("python", *PACKAGES) if name in found]
    return ", ".join([*versions, *machine, *cores])


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
