"""The types of reports that are ours. Loaded by every run of the plugin, so it imports nothing."""

from __future__ import annotations

__all__ = ["OURS"]

OURS = {"term": "", "md": "distbench.md", "json": "distbench.json", "html": "distbench.html", "github": ""}
"""By type, the file that a report goes to where none is named."""
