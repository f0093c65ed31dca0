"""The colours of pages: as the system prefers, as a page around says, or as their button says."""

from __future__ import annotations

from graphnet.draw.page.assets import asset
from graphnet.notebook import DARK_PAGES, LIGHT_PAGES

_LIGHT = """
  --ground: #ffffff; --ink: #1c1c1c; --faint: #59636e; --line: #c5ccd3; --panel: #f5f7f9;
  --accent: #1f5fa8; --ring: #c2410c; --more: 232, 119, 34; --less: 31, 95, 168;
  color-scheme: light;
"""
_DARK = """
  --ground: #11171f; --ink: #e8eaed; --faint: #a3adb8; --line: #414a53; --panel: #1a222c;
  --accent: #7db4f0; --ring: #ff9f6b; --more: 232, 119, 34; --less: 70, 140, 220;
  color-scheme: dark;
"""
_PAGE = ".graphnet-page"


def styles(*own: str) -> str:
    """The style sheet of a page: colours, what all pages share, and what is its own.

    >>> styles(".card { margin: 0; }").endswith(".card { margin: 0; }")
    True
    """
    return "".join([_colours(), asset("page.css"), *own])


def _colours() -> str:
    """The variables of both themes, the strongest rule last."""
    return (
        f"{_PAGE} {{{_LIGHT}}}\n@media (prefers-color-scheme: dark) {{ {_PAGE} {{{_DARK}}} }}\n"
        f"{_on(DARK_PAGES, 'dark')} {{{_DARK}}}\n{_on(LIGHT_PAGES, 'light')} {{{_LIGHT}}}\n"
    )


def _on(pages: tuple[str, ...], theme: str) -> str:
    """Selectors of this page on others of a theme, or with this theme itself."""
    own = f'{_PAGE}{_PAGE}[data-theme="{theme}"]'  # twice: it is stronger than a page around
    return ", ".join([*(f"{page} {_PAGE}" for page in pages), own])
