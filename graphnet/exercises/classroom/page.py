"""The frame of the pages: one file, no script, light and dark, from a telephone to a projector."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape

STYLE = """
:root { color-scheme: light dark; --line: light-dark(#d8dde2, #3b444c);
  --soft: light-dark(#f4f6f8, #20262b); --good: light-dark(#0a6640, #7fd6ae);
  --bad: light-dark(#a3281f, #f0a08a); --quiet: light-dark(#56616a, #a3aeb7);
  --same: light-dark(#fff0c2, #4a3f16); }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; padding: 1.2em; max-width: 72em;
  background: light-dark(#fff, #15191c); color: light-dark(#1b2125, #e4e9ed); }
h1 { font-size: 1.5em; margin: 0 0 .3em; overflow-wrap: anywhere; }
h2 { font-size: 1.15em; margin: 1.8em 0 .4em; overflow-wrap: anywhere; }
p { margin: .4em 0; max-width: 46em; overflow-wrap: anywhere; }
a { color: light-dark(#1a56a8, #8ab8f5); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .35em .7em; overflow-wrap: anywhere;
  border-bottom: 1px solid var(--line); }
th { font-weight: 600; white-space: nowrap; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td:first-child { min-width: 6em; }
table.small { width: auto; }
.good { color: var(--good); } .bad { color: var(--bad); } .quiet { color: var(--quiet); }
.points { font-size: 1.3em; font-weight: 600; }
pre { background: var(--soft); padding: .7em; overflow-x: auto; margin: .4em 0;
  font: 13px/1.45 ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
code { font: .9em ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  background: var(--soft); padding: .1em .25em; border-radius: 3px; }
pre .no { color: var(--quiet); user-select: none; }
mark { background: var(--same); color: inherit; display: inline-block; min-width: 100%; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 1em; }
.pair > div { min-width: 0; }
summary { cursor: pointer; }
@media (max-width: 40em) { .pair { grid-template-columns: 1fr; } body { padding: .8em; }
  th, td { padding: .3em .4em; }
  .marks thead { display: none; }
  .marks tr { display: block; border-bottom: 1px solid var(--line); }
  .marks td { display: block; border: 0; text-align: left; }
  .marks td:first-child { font-weight: 600; }
  .class tr { display: grid; grid-template-columns: minmax(0, 1fr) 4em 7.6em 4em;
    border-bottom: 1px solid var(--line); }
  .class td { border: 0; min-width: 0; } .class td:empty { display: none; }
  .class td:nth-child(n+5) { grid-column: 1 / -1; } .class th:nth-child(n+5) { display: none; }
  .class td:nth-child(6)::before { content: "similar: "; } }
@media print { pre { white-space: pre-wrap; } }
"""

GENERATOR = '<meta name="generator" content="graphnet grade">'
"""What tells a page of this command from others."""


def page(title: str, parts: Iterable[str]) -> str:
    """A page of HTML; nothing in it is run, whatever the names and texts are.

    Args:
        title: its title, as plain text.
        parts: its content, as HTML.
    """
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f"{GENERATOR}\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(parts)
        + "\n</main>\n</body>\n</html>\n"
    )


def table(
    heads: Sequence[str], rows: Iterable[Sequence[str]], right: Iterable[int] = (), kind: str = ""
) -> str:
    """A table of cells that are HTML already.

    Args:
        heads: the heads of the columns.
        rows: the rows.
        right: the columns of numbers.
        kind: the class of the table.
    """
    numbers = set(right)
    classes = [' class="n"' if at in numbers else "" for at in range(len(heads))]
    head = "".join(f"<th{c}>{text}</th>" for c, text in zip(classes, heads, strict=True))
    lines = (
        "<tr>"
        + "".join(f"<td{c}>{text}</td>" for c, text in zip(classes, row, strict=True))
        + "</tr>"
        for row in rows
    )
    body = "\n".join(lines)
    return (
        f'<div class="wide"><table class="{kind}"><thead><tr>{head}</tr></thead>'
        f"<tbody>\n{body}\n</tbody></table></div>"
    )


def prose(text: str) -> str:
    """A text in which backquotes mark code.

    >>> prose("Write `a < b`.")
    'Write <code>a &lt; b</code>.'
    """
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def code(source: str, marked: Iterable[int] = (), most: int = 400) -> str:
    """The lines of a program with their numbers.

    Args:
        source: the program.
        marked: the numbers of lines that are marked.
        most: the number of lines that are shown.
    """
    lines, chosen = source.splitlines(), set(marked)
    width = len(str(len(lines)))
    shown = []
    for number, line in enumerate(lines[:most], 1):
        text = f'<span class="no">{number:{width}}</span>  {escape(line)}'
        shown.append(f"<mark>{text}</mark>" if number in chosen else text)
    if len(lines) > most:
        shown.append(f'<span class="no">… {len(lines) - most} more lines …</span>')
    return f'<pre tabindex="0">{chr(10).join(shown)}</pre>'
