"""Plain text: tables, and texts that stay on one line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

_WIDEST = 56  # characters of a column; a longer text is cut short


def text_table(rows: Sequence[Sequence[str]], right: Iterable[int] = ()) -> str:
    """Rows of texts as a table of aligned columns; the first row is its header.

    >>> print(text_table([("name", "n"), ("a", "10"), ("long", "5")], right=[1]))
    name   n
    a     10
    long   5
    """
    cut = [
        [text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…" for text in r] for r in rows
    ]
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
