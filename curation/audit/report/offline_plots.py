"""The page that `dvc plots` fills: DVC's own takes Vega from a server, this one holds it.

Vega, Vega-Lite and Vega-Embed (BSD-3-Clause) come out of vl-convert, as those of the report do.
"""

from __future__ import annotations

VEGA_LITE = "v5.21"  # DVC's templates are of version 5
_SNIPPET = "window.vegaEmbed = vegaEmbed;"  # what they call

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Plots of this build</title>
{refresh_tag}
<script>%s</script>
<style>body { font-family: system-ui, sans-serif; margin: 2rem } table { border-spacing: 15px }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(30rem, 1fr)); gap: 1.5rem }
img { max-width: 100%% }</style>
</head>
<body>
<main>
{plot_divs}
</main>
</body>
</html>
"""


def template() -> str:
    """HTML with the places that DVC fills, but none for its links to scripts (0.9 MB)."""
    import vl_convert

    scripts: str = vl_convert.javascript_bundle(_SNIPPET, VEGA_LITE)
    return _PAGE % scripts.replace("</script", "<\\/script")
