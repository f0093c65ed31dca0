"""The functions that printed programs call: each is part of the text only if it is used."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path


@cache
def prelude() -> dict[str, str]:
    """The text of each function of `prelude.js`, with the comment before it."""
    text = Path(__file__).with_name("prelude.js").read_text(encoding="utf-8")
    blocks = re.split(r"\n\n(?=(?://.*\n)*function )", text)
    found = ((re.findall(r"^function (\w+)", block, re.MULTILINE), block) for block in blocks)
    return {names[0]: block.strip("\n") for names, block in found}


def functions(used: set[str]) -> str:
    """The text of some functions, and of all that they call."""
    known, needed, waiting = prelude(), set[str](), [*used]
    while waiting:
        name = waiting.pop()
        if name in known and name not in needed:
            needed.add(name)
            waiting += re.findall(r"(?<![\w.])(\w+)\(", known[name])
    return "\n\n".join(text for name, text in known.items() if name in needed)
