"""How the documentation is built: ``sphinx-build -W docs docs/_build``."""

import os

from distbench import __version__

project = "distbench"
copyright = "2026, the distbench developers"  # noqa: A001 - Sphinx's name
release = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.mathjax", "numpydoc", "sphinx_copybutton"]
exclude_patterns = ["_build", "pictures"]
html_theme = "furo"
html_title = f"distbench {__version__}"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
numpydoc_show_class_members = False
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings give shapes, which types cannot
copybutton_exclude = ".linenos, .gp, .go"  # prompts and output of consoles

# The service that builds the pages knows where the repository is.
repository = os.environ.get("READTHEDOCS_GIT_CLONE_URL", "").removesuffix(".git")
if "GITHUB_REPOSITORY" in os.environ:
    repository = f"{os.environ['GITHUB_SERVER_URL']}/{os.environ['GITHUB_REPOSITORY']}"
if repository:
    html_theme_options = {"source_repository": repository, "source_branch": "main", "source_directory": "docs/"}
