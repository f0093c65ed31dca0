"""Names of nodes in C: as identifiers, and in comments."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from graphnet.graph import Node

_KEYWORDS = """
asm auto bool break case char const continue default do double else enum extern false float for
goto if inline int long register restrict return short signed sizeof static struct switch true
typedef typeof union unsigned void volatile while
"""
_CALLED = """
abs ceil copysign cos erf exp expm1 fabs floor fmod log log1p memcpy memset pow round sin sqrt tanh
trunc
"""
_OTHERS = """
i j k l m n o p s x y at best better part total cells fed numbers scratch seconds now Strides
linux unix i386 NAN INFINITY HUGE MAXFLOAT NULL DOMAIN SING OVERFLOW UNDERFLOW PLOSS TLOSS
isfinite math_errhandling
"""
RESERVED = frozenset(
    [*_KEYWORDS.split(), *_OTHERS.split()]
    + [name + end for name in _CALLED.split() for end in ("", "f")]
)
"""Keywords of compilers, functions that are called, local variables, and macros."""
FAMILIES = re.compile(
    r"[i-pt]\d+|(float|double|u?int)\d+(_\w+)?|(tile|dots)\d+x\d+\w*"
    r"|(HUGE|FP|M|MATH|X)_\w+|[A-Z\d_]*(MAX|MIN|WIDTH|_C)"
)
"""Numbered local variables, types and tiles; macros that the headers define for each type."""


def identifier(wanted: str, taken: set[str]) -> str:
    """A C identifier close to a name, and not among those that are taken, to which it is added."""
    base = re.sub(r"\W", "_", wanted, flags=re.ASCII).strip("_") or "value"
    if base[0].isdigit():
        base = f"layer{base}"
    if FAMILIES.fullmatch(base):
        base = f"node_{base}"
    name, count = base, 1
    while name in taken or name in RESERVED:
        count += 1
        name = f"{base}_{count}"
    taken.add(name)
    return name


def comment(node: Node) -> str:
    """A node as the list shows it, as a comment."""
    from graphnet.graph import Operation

    text = node.name
    if isinstance(node, Operation):
        args = [getattr(each, "name", None) or str(getattr(each, "top", each))
                for each in node.sources]  # fmt: skip
        text = f"{node.name} = {node.op.name}({', '.join([*args, *node.op.chosen])})"
    return plain(text)


def plain(text: str) -> str:
    """A text for a comment: nothing in it ends one, begins one, or joins lines."""
    text = "".join(sign if sign.isprintable() else " " for sign in text)
    text = text.encode("ascii", "replace").decode().replace("\\", "|")
    text = re.sub(r"\*(?=/)|/(?=\*)", r"\g<0> ", text)
    return re.sub(r"\?(?=\?)", "? ", text)
