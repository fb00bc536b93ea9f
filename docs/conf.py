"""How Sphinx builds these pages: `make docs`.

Nothing here needs the network. Draw diagrams as plain SVG files in ``docs/_static/`` (shown with
``![what it shows](_static/name.svg)``), or as text in a ``text`` code block. ``python -m docs.screenshots`` takes the
pictures of pages; they are shown with ``<picture>``, for both color schemes, also on GitHub.
"""

from __future__ import annotations

import re
from importlib.metadata import version as installed_version

from docutils import nodes
from sphinx.application import Sphinx

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
html_js_files = [("copy.js", {"defer": "defer"}), ("pictures.js", {"defer": "defer"})]
html_title = project
html_show_sourcelink = False
html_copy_source = False

#: The first line of a block that is a file: its path, as a comment. GitHub shows it as it is.
FILE_NAME = re.compile(r"(?:# |\{# )((?:/?[\w.-]+/)+[\w.-]+|[\w-]+(?:\.\w+)+)(?: #\})?\n")


def show_file_names(_: Sphinx, document: nodes.document) -> None:
    """Write the name of a file above its block, so that the copy button copies the content only."""
    for block in list(document.findall(nodes.literal_block)):
        found = FILE_NAME.match(block.rawsource)
        if found is None:
            continue
        code = block.rawsource[found.end() :]
        named = nodes.container("", literal_block=True, classes=["literal-block-wrapper"])
        block.replace_self(named)
        block.rawsource, block.children = code, []
        block += nodes.Text(code)
        named += [nodes.caption("", found[1]), block]
        document.note_implicit_target(named)  # the theme links to it


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("doctree-read", show_file_names)
