"""How Sphinx builds these pages: `make docs`.

Nothing here needs the network. Draw diagrams as plain SVG files in ``docs/_static/`` (shown with
``![what it shows](_static/name.svg)``), or as text in a ``text`` code block. ``python -m docs.screenshots`` takes the
pictures of pages; they are shown with ``<picture>``, for both color schemes, also on GitHub.
"""

from __future__ import annotations

from importlib.metadata import version as installed_version

project = "flask-activepieces"
author = "flask-activepieces contributors"
project_copyright = f"2026, {author}"
release = version = installed_version("flask-activepieces")

extensions = ["myst_parser", "sphinx.ext.autodoc"]
myst_enable_extensions = ["colon_fence", "deflist", "fieldlist"]
myst_heading_anchors = 3

exclude_patterns = ["_build"]

autodoc_member_order = "bysource"
autodoc_typehints = "description"

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["docs.css"]
html_js_files = [("copy.js", {"defer": "defer"})]
html_title = project
html_show_sourcelink = False
html_copy_source = False
