"""How Sphinx builds these pages: `make docs`.

Nothing here needs the network. Draw diagrams as plain SVG files in ``docs/diagrams/`` (shown with
``![what it shows](diagrams/name.svg)``), or as text in a ``text`` code block.
"""

from __future__ import annotations

import logging
from importlib.metadata import version as installed_version

project = "flask-activepieces"
author = "flask-activepieces contributors"
project_copyright = f"2026, {author}"
release = version = installed_version("flask-activepieces")

extensions = ["myst_parser", "sphinx.ext.autodoc"]
myst_enable_extensions = ["colon_fence", "deflist", "fieldlist"]
myst_heading_anchors = 3

exclude_patterns = ["_build"]
# index.md lists pages by patterns, so that a new page needs no entry. A pattern may still match
# none, and suppress_warnings cannot name that warning, because Sphinx gives it no type.
logging.getLogger("sphinx.sphinx.directives.other").addFilter(
    lambda record: "toctree glob pattern" not in str(record.msg)
)

autodoc_member_order = "bysource"
autodoc_typehints = "description"

html_theme = "furo"
html_title = project
html_show_sourcelink = False
html_copy_source = False
