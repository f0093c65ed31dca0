"""Plain text: tables, texts that stay on one line, and signs that a console can show."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import SupportsIndex

_WIDEST = 56  # characters of a column; a longer text is cut short

_SPELLED = {
    **dict(zip("─│├┤┼┴╰╯○●□◇◎■×÷−·⊙µ—–", "-|++++`'o*#%@Mx/-.*u--", strict=True)),
    "±": "+-",
    "≥": ">=",
    "≤": "<=",
    "≠": "!=",
    "→": "->",
    "…": "...",
    "‖": "||",
    "∧": "and",
    "∨": "or",
    "¬": "not ",
    "√": "sqrt",
    "∞": "inf",
    "σ": "sigma",
    "Σ": "sum",
    "Π": "prod",
}
"""How a sign of the package is written where a console has no such sign."""


def text_table(rows: Sequence[Sequence[str]], right: Iterable[int] = ()) -> str:
    """Rows of texts as a table of aligned columns; the first row is its header.

    Its signs are those that the console can show.

    >>> print(text_table([("name", "n"), ("a", "10"), ("long", "5")], right=[1]))
    name   n
    a     10
    long   5
    """
    cut = [[shown(_cut(text)) for text in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cut, strict=True)]
    to_right = set(right)
    lines = (
        "  ".join(
            text.rjust(width) if place in to_right else text.ljust(width)
            for place, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cut
    )
    return "\n".join(lines)


def _cut(text: str) -> str:
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"


def html_table(rows: Sequence[Sequence[str]]) -> str:
    """Rows of texts as a table for a notebook; the first row is its header.

    >>> html_table([("name", "n"), ("a < b", "10")])
    '<table><tr><th>name</th><th>n</th></tr><tr><td>a &lt; b</td><td>10</td></tr></table>'
    """
    from html import escape

    header, *body = rows
    lines = ["".join(f"<th>{escape(text)}</th>" for text in header)]
    lines += ["".join(f"<td>{escape(text)}</td>" for text in row) for row in body]
    return f"<table>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"


def printable(text: str) -> str:
    r"""A text on one line: what moves the cursor is written as a program writes it.

    >>> print(printable("two\nlines"))
    two\nlines
    """
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


class Text(str):
    """A text that is printed with signs that the console can show, and written as it is.

    >>> Text("x² ≥ 0") == "x² ≥ 0"
    True
    """

    def __str__(self) -> str:
        return shown(str.__str__(self))

    def __getitem__(self, place: SupportsIndex | slice) -> Text:
        return Text(super().__getitem__(place))  # a part of it is printed, too


def shown(text: str) -> str:
    """A text with signs that `sys.stdout` can encode.

    Where all of them can be encoded, as in UTF-8, it is the text itself. Otherwise the signs that
    cannot are spelled: `x²` as `x^2`, `≥` as `>=`, rails with `|`, `+` and `-`, and any other sign
    by its number, as Python writes it.
    """
    encoding = getattr(sys.stdout, "encoding", None)
    if text.isascii() or not isinstance(encoding, str) or _encodes(text, encoding):
        return text
    runs = groupby(text, key=lambda sign: unicodedata.decomposition(sign).partition(" ")[0])
    return "".join(_spelled(kind, "".join(signs), encoding) for kind, signs in runs)


def _encodes(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    except LookupError:  # nobody knows what it can
        return True
    return True


def _spelled(kind: str, run: str, encoding: str) -> str:
    """Signs in a row that are all raised, all lowered, or neither."""
    if _encodes(run, encoding):
        return run
    if kind in ("<super>", "<sub>"):
        plain = unicodedata.normalize("NFKC", run)
        return ("^" if kind == "<super>" else "_") + _spelled("", plain, encoding)
    return "".join(
        sign if _encodes(sign, encoding) else _SPELLED.get(sign, ascii(sign)[1:-1]) for sign in run
    )
