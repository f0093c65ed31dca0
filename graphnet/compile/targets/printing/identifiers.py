"""Names of nodes as names of variables."""

from __future__ import annotations

import re
from collections.abc import Container


def new_identifier(
    wanted: str, taken: set[str], reserved: Container[str], numbered: re.Pattern[str]
) -> str:
    r"""An identifier close to a name, and not among those that are taken, to which it is added.

    Args:
        wanted: the name.
        taken: identifiers that stand for something else; grows.
        reserved: words of the language, and what its functions are called.
        numbered: families of names that are not given either, such as those of local variables.

    >>> words, numbered = {"new"}, re.compile(r"t\d+")
    >>> [new_identifier(each, set(), words, numbered) for each in ("0.weight", "new", "t1")]
    ['layer0_weight', 'new_2', 'node_t1']
    """
    base = re.sub(r"\W", "_", wanted, flags=re.ASCII).strip("_") or "value"
    if base[0].isdigit():
        base = f"layer{base}"
    if numbered.fullmatch(base):
        base = f"node_{base}"
    name, count = base, 1
    while name in taken or name in reserved:
        count += 1
        name = f"{base}_{count}"
    taken.add(name)
    return name
