"""Themes: a picture for light pages, for dark ones, or for the page that it is on.

Every picture is painted in the colours for light pages, written as attributes; this is also what
programs show that know no style sheets. A dark picture has each of them replaced. One that follows
its page has a style sheet besides, with a variable for each colour.
"""

from __future__ import annotations

import re
from colorsys import hls_to_rgb, rgb_to_hls

from graphnet.notebook import DARK_PAGES, LIGHT_PAGES

THEMES = ("auto", "light", "dark")

_DARK = {
    "#ffffff": ("page", "#11171f"),
    "#1a1a1a": ("ink", "#e9eef3"),
    "#5c6670": ("edge", "#a7b4c0"),
    "#545d66": ("title", "#b4c0cb"),
    "#9aa4ae": ("frame", "#56626e"),
    "#1f3a5f": ("module-ground", "#9ec1ea"),
    "#ffd166": ("glow", "#80610f"),
    "#c2410c": ("ring", "#ff9f6b"),
    "#f1f1f1": ("input", "#2a313a"),
    "#3d3d3d": ("input-edge", "#b9c2cc"),
    "#f9c990": ("parameter", "#5e3c14"),
    "#a85000": ("parameter-edge", "#f0a860"),
    "#fff3e2": ("buffer", "#33291b"),
    "#e7f1fa": ("operation", "#18293a"),
    "#1f5f99": ("operation-edge", "#79b4ea"),
    "#cbe0f4": ("layer", "#1d466d"),
    "#123f66": ("loss", "#a9d2f7"),
    "#0a2740": ("loss-edge", "#d8ebfc"),
    "#e9e4f4": ("gradient", "#352d55"),
    "#5b4a8a": ("gradient-edge", "#b3a3e6"),
    "#f7f9fb": ("module", "#1b232c"),
    "#f7b6d9": ("finding", "#6d2150"),
    "#a3145f": ("finding-edge", "#ff8dc6"),
}
"""For each colour of a light picture its name, and its counterpart in a dark one."""

_COLOUR = re.compile(r'(?<= )(fill|stroke)="(#[0-9a-f]{6})"')

_OWN = '.graphnet-page[data-theme="{}"]'  # its button decides, whatever is around it


def dark(colour: str) -> str:
    """The counterpart of a light picture's colour: what was dark is light, in the same hue.

    >>> dark("#ffffff"), dark("#123456")
    ('#11171f', '#8bb9e7')
    """
    if colour in _DARK:
        return _DARK[colour][1]
    red, green, blue = (byte / 255 for byte in bytes.fromhex(colour[1:]))
    hue, lightness, saturation = rgb_to_hls(red, green, blue)
    lighter = min(0.92, max(0.14, 0.89 - lightness * 0.81))
    if lightness < 0.45:  # letters and lines: light enough for a dark ground
        lighter = max(lighter, 0.69)
    parts = hls_to_rgb(hue, lighter, min(saturation, 0.75 if lightness < 0.45 else saturation))
    return "#" + "".join(f"{round(255 * part):02x}" for part in parts)


def darkened(svg: str) -> str:
    """A light picture in the colours for dark pages."""
    return _COLOUR.sub(lambda match: f'{match[1]}="{dark(match[2])}"', svg)


def style_of(svg: str, uid: str) -> str:
    """The style sheet with which a light picture follows its page.

    Args:
        svg: the picture, without it.
        uid: the id of its outermost element.
    """
    used = sorted({(match[1], match[2]) for match in _COLOUR.finditer(svg)})
    colours = sorted({colour for _, colour in used})
    lights = "".join(f"{_name(colour)}:{colour};" for colour in colours)
    darks = "".join(f"{_name(colour)}:{dark(colour)};" for colour in colours)
    rules = "".join(
        f'#{uid} [{where}="{colour}"]{{{where}:var({_name(colour)})}}' for where, colour in used
    )
    return (
        f"<style>#{uid}{{{lights}}}"
        f"@media (prefers-color-scheme:dark){{#{uid}{{{darks}}}}}"
        f"{_on(DARK_PAGES, 'dark', uid)}{{{darks}}}"
        f"{_on(LIGHT_PAGES, 'light', uid)}{{{lights}}}{rules}</style>"
    )


def _name(colour: str) -> str:
    """The variable of a colour: pages may set it to one of their own."""
    return f"--graphnet-{_DARK[colour][0] if colour in _DARK else colour[1:]}"


def _on(pages: tuple[str, ...], theme: str, uid: str) -> str:
    return ",".join(f"{page} #{uid}" for page in (*pages, _OWN.format(theme)))
