"""What objects show in a notebook: tables, texts and sources, in the colours of its theme.

Only the colours of the letters are set, so that the page shines through, light or dark.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape
from typing import ClassVar, Protocol

from graphnet.console_text import Text, shown

MOST_LINES = 300
"""Rows of a table, or lines of a text, that a notebook shows in a box; others are counted."""
MOST_AT_PROMPT = 60
"""Lines of a text that the prompt of IPython shows."""

_GAP = "… {} more lines …"

DARK_PAGES = (
    '[data-jp-theme-light="false"]',  # JupyterLab
    ".vscode-dark",
    '[theme="dark"]',  # Colab
    '[data-theme="dark"]',  # pydata-sphinx-theme, Furo, marimo
    '[data-md-color-scheme="slate"]',  # Material for MkDocs
)
LIGHT_PAGES = (
    '[data-jp-theme-light="true"]',
    ".vscode-light",
    '[theme="light"]',
    '[data-theme="light"]',
    '[data-md-color-scheme="default"]',
)
"""What pages say that have a switch of their own, whatever the system prefers."""

STYLE = (
    "<style>"
    f"{','.join(f'{page} .graphnet' for page in DARK_PAGES)}{{color-scheme:dark}}"
    ".graphnet{color:inherit;max-width:100%}"
    ".graphnet table{border-collapse:collapse;margin:.3em 0}"
    ".graphnet .wide{overflow:auto;max-height:36em;max-width:100%}"
    ".graphnet th,.graphnet td{text-align:left!important;padding:.15em .7em!important;"
    "vertical-align:top;white-space:pre-wrap;border:0;background:none}"
    ".graphnet th{border-bottom:1px solid;font-weight:600;white-space:nowrap}"
    ".graphnet td:first-child{white-space:pre}"
    ".graphnet td.n,.graphnet th.n{text-align:right!important;white-space:nowrap;"
    "font-variant-numeric:tabular-nums}"
    ".graphnet pre{font:12.5px/1.3 ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace"
    "!important;margin:.3em 0;white-space:pre!important;background:none;color:inherit}"
    ".graphnet p{margin:.4em 0;max-width:60em}"
    ".graphnet .k{color:light-dark(#7a1fa2,#d49be8)}"
    ".graphnet .s{color:light-dark(#a3281f,#f0a08a)}"
    ".graphnet .c{color:light-dark(#5b6770,#9aa7b0)}"
    ".graphnet .d{color:light-dark(#0a6640,#7fd6ae)}"
    ".graphnet .f{color:light-dark(#1a56a8,#8ab8f5)}"
    "</style>"
)
"""The style of every output. Each output brings it along, for an output may be shown alone."""


def framed(*parts: str) -> str:
    """Parts of HTML as one output, with the style."""
    return f'{STYLE}<div class="graphnet">{"".join(parts)}</div>'


def html_scrolling(content: str) -> str:
    """HTML in a box that scrolls, so that a large output does not fill the screen."""
    return f'<div class="wide">{content}</div>'


def html_table(
    rows: Sequence[Sequence[str]], right: Iterable[int] = (), most: int = MOST_LINES
) -> str:
    """Rows of texts as a table for a notebook; the first row is its header.

    Args:
        rows: the rows.
        right: the columns of numbers, which are aligned to the right.
        most: how many rows are shown below the header; of more, those in the middle are left out.

    >>> html_table([("name", "n"), ("a < b", "10")]).partition("<table>")[2]
    '<tr><th>name</th><th>n</th></tr><tr><td>a &lt; b</td><td>10</td></tr></table></div>'
    """
    header, *body = rows
    numbers = set(right)

    def line(kind: str, row: Sequence[str]) -> str:
        looks = [' class="n"' if place in numbers else "" for place in range(len(row))]
        cells = (
            f"<{kind}{look}>{escape(text)}</{kind}>" for look, text in zip(looks, row, strict=True)
        )
        return f"<tr>{''.join(cells)}</tr>"

    lines = [line("td", row) for row in body]
    gap = f'<tr><td colspan="{len(header)}">… {{}} more rows …</td></tr>'
    table = "".join([line("th", header), *_ends(lines, most, gap)])
    return html_scrolling(f"<table>{table}</table>")


def html_text(text: str, most: int = MOST_LINES) -> str:
    """Preformatted text for a notebook, which scrolls; of many lines, some are left out.

    >>> html_text("1 < 2").partition("<pre>")[2]
    '1 &lt; 2</pre></div>'
    """
    lines = [escape(line) for line in text.splitlines()]
    text = "\n".join(_ends(lines, most, _GAP))
    return html_scrolling(f"<pre>{text}</pre>")


def html_paragraphs(text: str) -> str:
    """Each line of a text as a paragraph."""
    return "".join(f"<p>{escape(line)}</p>" for line in text.splitlines() if line)


def _ends(lines: Sequence[str], most: int, gap: str) -> list[str]:
    """The lines, or of too many the first and the last ones around a gap that counts the rest."""
    head, tail = _cut(lines, most)
    left_out = len(lines) - len(head) - len(tail)
    return [*head, gap.format(f"{left_out:,}"), *tail] if left_out else list(head)


def _cut(lines: Sequence[str], most: int) -> tuple[Sequence[str], Sequence[str]]:
    """All lines and none, or of too many the first and the last ones."""
    if len(lines) <= most:
        return lines, []
    first = most - most // 3
    return lines[:first], lines[len(lines) - most + first :]


class _Printer(Protocol):
    """What IPython passes to `_repr_pretty_`."""

    def text(self, text: str) -> None: ...


class _Lines(Text):
    """A text that IPython's prompt shows as lines, and not as one long literal."""

    def _repr_pretty_(self, printer: _Printer, cycle: bool) -> None:
        lines = _ends(str.__str__(self).splitlines(), MOST_AT_PROMPT, _GAP)
        printer.text(shown("\n".join(lines)))


class Markdown(_Lines):
    """A text in Markdown, which a notebook shows as such."""

    def _repr_markdown_(self) -> str:
        return str.__str__(self)


class Source(_Lines):
    """The source of a program in Python; a notebook shows it with colours.

    >>> print(Source("y = x.tanh()"))
    y = x.tanh()
    """

    _tokens: ClassVar[str] = (
        r"(?P<c>#[^\n]*)|(?P<s>(?:'''|\"\"\")[\s\S]*?(?:'''|\"\"\")|'[^'\n]*'|\"[^\"\n]*\")"
        r"|(?P<k>\b(?:and|as|class|def|del|elif|else|False|finally|for|from|global|if|import|in"
        r"|is|lambda|None|nonlocal|not|or|pass|raise|return|True|try|while|with|yield)\b)"
        r"|(?P<d>(?<![\w.])\d[\w.]*(?:(?<=[eE])[+-]\d+)?)|(?P<f>\b[A-Za-z_]\w*(?=\())"
    )

    def _repr_html_(self) -> str:
        lines = str.__str__(self).splitlines()
        parts = [_coloured("\n".join(part), self._tokens) for part in _cut(lines, MOST_LINES)]
        gap = f"\n{_GAP.format(f'{len(lines) - MOST_LINES:,}')}\n"
        return framed(html_scrolling(f"<pre>{gap.join(filter(None, parts))}</pre>"))


class CSource(Source):
    """The source of a program in C; a notebook shows it with colours."""

    _tokens = (
        r"(?P<c>//[^\n]*|/\*[\s\S]*?\*/|^[ \t]*#[^\n]*)|(?P<s>\"[^\"\n]*\"|'[^'\n]*')"
        r"|(?P<k>\b(?:break|case|char|const|continue|default|do|double|else|enum|extern|float|for"
        r"|goto|if|inline|int|long|restrict|return|short|signed|sizeof|static|struct|switch"
        r"|typedef|union|unsigned|void|volatile|while|\w+_t)\b)"
        r"|(?P<d>(?<![\w.])\d[\w.]*(?:(?<=[eEpP])[+-]\d+\w?)?)|(?P<f>\b[A-Za-z_]\w*(?=\())"
    )


def _coloured(source: str, tokens: str) -> str:
    """A source as HTML, with each token in a span of its kind."""
    parts, end = [], 0
    for found in re.finditer(tokens, source, re.MULTILINE):
        parts += [escape(source[end : found.start()], quote=False)]
        parts += [f'<span class="{found.lastgroup}">{escape(found[0], quote=False)}</span>']
        end = found.end()
    return "".join([*parts, escape(source[end:], quote=False)])
