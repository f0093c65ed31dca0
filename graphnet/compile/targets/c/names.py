"""Names of nodes in C: as identifiers, and in comments."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from graphnet.compile.targets.c.prelude import FUNCTIONS
from graphnet.compile.targets.printing.identifiers import new_identifier

if TYPE_CHECKING:
    from graphnet.graph import Node

IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)
"""A name that a user of C may declare anywhere; those that begin with _ belong to the compiler."""
_KEYWORDS = """
auto break case char const continue default do double else enum extern float for goto if inline
int long register restrict return short signed sizeof static struct switch typedef union
unsigned void volatile while
alignas alignof asm bool constexpr false nullptr static_assert thread_local true typeof
typeof_unqual
and and_eq bitand bitor catch char8_t char16_t char32_t class co_await co_return co_yield compl
concept const_cast consteval constinit decltype delete dynamic_cast explicit export friend
mutable namespace new noexcept not not_eq operator or or_eq private protected public
reinterpret_cast requires static_cast template this throw try typeid typename using virtual
wchar_t xor xor_eq
"""
KEYWORDS = frozenset(_KEYWORDS.split())
"""The keywords of C99, then those of later versions, then those of C++, which reads headers too."""
_HEADERS = """
assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal
stdalign stdarg stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string tgmath threads
time uchar wchar wctype
"""
STANDARD_HEADERS = frozenset(_HEADERS.split())
"""The headers of C: a file of such a name would be read in the place of the right one."""
_CALLED = """
abs acos acosh asin asinh atan atan2 atanh ceil copysign cos cosh erf exp expm1 fabs floor fmod log
log1p memcpy memset pow rint round sin sinh sqrt tan tanh trunc
"""
_OTHERS = """
i j k l m n o p s x y at best better other part place rest total start out step now lanes last
known before
cells fed numbers scratch seconds losses data rows steps state Strides main strides
CHOOSE gamma index j0 j1 jn y0 y1 yn remainder sign significand
linux unix i386 NAN INFINITY HUGE MAXFLOAT NULL DOMAIN SING OVERFLOW UNDERFLOW PLOSS TLOSS
isfinite math_errhandling
"""
RESERVED = frozenset(
    [*KEYWORDS, *FUNCTIONS, *_OTHERS.split()]
    + [name + end for name in _CALLED.split() for end in ("", "f")]
)
"""Keywords, functions that are called, local variables, and macros."""
FAMILIES = re.compile(
    r"[i-pt]\d+|(float|double|u?int)\d+(_\w+)?|(tile|dots)\d+x\d+\w*"
    r"|(load|store|all|start|part|pair\d+)_(float|double)\d*"
    r"|(HUGE|FP|M|MATH|X)_\w+|[A-Z\d_]*(MAX|MIN|WIDTH|_C)"
)
"""Numbered local variables, types and tiles; macros that the headers define for each type."""


def identifier(wanted: str, taken: set[str]) -> str:
    """A C identifier close to a name, and not among those that are taken, to which it is added."""
    return new_identifier(wanted, taken, RESERVED, FAMILIES)


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
