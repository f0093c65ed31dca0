"""From SVG to pixels and pages, with the fonts of the package: the same on every machine."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from warnings import warn

from graphnet.errors import GraphError

FONTS = Path(__file__).with_name("fonts")
MOST_PIXELS = 16_000_000

_STYLE = re.compile(r"<style>[^<]*</style>")
"""How a picture follows the page that it is on; here there is none."""

PAGE = """
#set document(date: none, title: sys.inputs.title)
#set page(width: {width}pt, height: {height}pt, margin: 0pt)
#image(bytes(sys.inputs.svg), width: {width}pt)
"""


def png_of(svg: str, scale: float = 1.0) -> bytes:
    """The pixels of an SVG picture, as PNG, at most 16 megapixels.

    Args:
        svg: the picture, with its width and height.
        scale: pixels per point; 2 for screens of high resolution.

    Raises:
        GraphError: resvg-py is not installed, or the text is not an SVG picture with a size.
    """
    try:
        from resvg_py import svg_to_bytes
    except ImportError:
        raise GraphError(
            "A PNG needs resvg-py: `pip install resvg-py`. SVG needs nothing."
        ) from None
    width, height = size_of_svg(svg)
    svg = _STYLE.sub("", svg)
    scale = _limited(scale, width, height)
    return bytes(
        svg_to_bytes(
            svg,
            width=max(1, int(width * scale)),
            height=max(1, int(height * scale)),
            dpi=96,
            skip_system_fonts=True,
            font_files=[str(path) for path in sorted(FONTS.glob("*.ttf"))],
            font_family="DejaVu Sans",
            sans_serif_family="DejaVu Sans",
        )
    )


def _limited(scale: float, width: float, height: float) -> float:
    """The scale, or with a warning the largest one that gives at most 16 megapixels."""
    pixels = width * height * scale**2
    if pixels <= MOST_PIXELS:
        return scale
    scale *= (MOST_PIXELS / pixels) ** 0.5
    warn(
        f"The picture of {width:g} x {height:g} points is drawn at {scale:.2g} of its size, to "
        "keep the PNG under 16 megapixels; as SVG it stays sharp.",
        stacklevel=3,
    )
    return scale


def pdf_of(svg: str) -> bytes:
    """An SVG picture as a PDF of one page, its lines and letters still sharp.

    Args:
        svg: the picture, with its width and height.

    Raises:
        GraphError: typst is not installed, or the text is not an SVG picture with a size.
    """
    try:
        import typst
    except ImportError:
        raise GraphError(
            "A PDF needs typst: `pip install typst`. SVG needs nothing, and any browser prints "
            "it to a PDF."
        ) from None
    width, height = size_of_svg(svg)
    svg = _STYLE.sub("", svg)
    title = re.search(r"<title[^>]*>([^<]*)</title>", svg)
    return bytes(
        typst.compile(
            PAGE.format(width=width, height=height).encode(),
            format="pdf",
            font_paths=typst.Fonts(include_system_fonts=False, font_paths=[FONTS]),
            sys_inputs={"svg": svg, "title": unescape(title[1]) if title else "Network"},
        )
    )


def size_of_svg(svg: str) -> tuple[float, float]:
    """The width and height given by an SVG picture.

    >>> size_of_svg('<svg width="30" height="20.5"></svg>')
    (30.0, 20.5)

    Raises:
        GraphError: it does not begin with an svg element that has both.
    """
    start = re.match(r"\s*<svg[^>]*>", svg)
    sizes = dict(re.findall(r'\s(width|height)="([\d.]+)"', start[0])) if start else {}
    if len(sizes) < 2:
        raise GraphError(
            "A picture is a text that begins with <svg width=... height=...>, in points without "
            f"a unit; got {svg[:60]!r}. `Drawing.svg` is one."
        )
    return float(sizes["width"]), float(sizes["height"])
