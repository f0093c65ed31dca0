"""Plain text: tables, texts that stay on one line, and characters that a console can show."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import SupportsIndex

_WIDEST = 56  # characters of a column; a longer text is cut short

_SPELLED = {
    **dict(zip("─│├┤┼┴╰╯○●□◇◎■×÷−·⊙µ—–", "-|++++`'o*#%@Mx/-.*u--", strict=True)),
    **dict(zip("±≥≤≠→…‖", ["+-", ">=", "<=", "!=", "->", "...", "||"], strict=True)),
    **dict(zip("∧∨√∞σΣΠ", ["and", "or", "sqrt", "inf", "sigma", "sum", "prod"], strict=True)),
    **dict(zip("⌊⌋⌈⌉", ["floor(", ")", "ceil(", ")"], strict=True)),
    "¬": "not ",
}
"""How a character of the package is written if a console cannot show it."""


def text_table(rows: Sequence[Sequence[str]], right: Iterable[int] = ()) -> str:
    """Rows of texts as a table of aligned columns; the first row is its header.

    It uses only characters that the console can show.

    >>> print(text_table([("name", "n"), ("a", "10"), ("long", "5")], right=[1]))
    name   n
    a     10
    long   5
    """
    cut = [[shown(_cut(text)) for text in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cut, strict=True)]
    to_right = set(right)
    columns = (f"{{:{'<>'[at in to_right]}{width}}}" for at, width in enumerate(widths))
    line = "  ".join(columns)
    return "\n".join(line.format(*row).rstrip() for row in cut)


def _cut(text: str) -> str:
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"


def printable(text: str) -> str:
    r"""A text on one line: control characters are escaped.

    >>> print(printable("two\nlines"))
    two\nlines
    """
    if text.isprintable():
        return text  # as almost every name is: a long list is printed in half the time
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


class Text(str):
    """A text that is printed with characters that the console can show, and saved as it is.

    >>> Text("x² ≥ 0") == "x² ≥ 0"
    True
    """

    def __str__(self) -> str:
        return shown(str.__str__(self))

    def __getitem__(self, place: SupportsIndex | slice) -> Text:
        return Text(super().__getitem__(place))  # a part of it is also a Text


def shown(text: str) -> str:
    """A text with characters that `sys.stdout` can encode.

    If all of them can be encoded, as in UTF-8, it is the text itself. Otherwise the others are
    replaced: `x²` by `x^2`, `≥` by `>=`, rails by `|`, `+` and `-`, and any other character by its
    number, as Python writes it.
    """
    if text.isascii():
        return text
    encoding = getattr(sys.stdout, "encoding", None)
    if not isinstance(encoding, str) or _encodes(text, encoding):
        return text
    runs = groupby(text, key=lambda sign: unicodedata.decomposition(sign).partition(" ")[0])
    return "".join(_spelled(kind, "".join(signs), encoding) for kind, signs in runs)


def _encodes(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    except LookupError:  # an encoding that Python does not know
        return True
    return True


def _spelled(kind: str, run: str, encoding: str) -> str:
    """Consecutive characters that are all superscripts, all subscripts, or neither."""
    if _encodes(run, encoding):
        return run
    if kind in ("<super>", "<sub>"):
        plain = unicodedata.normalize("NFKC", run)
        return ("^" if kind == "<super>" else "_") + _spelled("", plain, encoding)
    return "".join(
        sign if _encodes(sign, encoding) else _SPELLED.get(sign, ascii(sign)[1:-1]) for sign in run
    )
