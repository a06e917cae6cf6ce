"""How the documentation is built: ``sphinx-build -W docs docs/_build``."""

from distbench import __version__

project = "distbench"
copyright = "2026, the distbench developers"  # noqa: A001 - Sphinx's name
release = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.mathjax", "numpydoc"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "distbench"
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 2
numpydoc_show_class_members = False
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings give shapes, which types cannot
