"""How Sphinx builds these pages: `make docs`. Strict, offline, and no page asks another host."""

project = "prefloop"
extensions = ["myst_parser"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = "prefloop"
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False
exclude_patterns = ["_build"]
