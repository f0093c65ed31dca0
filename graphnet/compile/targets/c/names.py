"""Names in C: identifiers close to those of nodes, and the words that none of them may be."""

from __future__ import annotations

import re

from graphnet.compile.targets.c.prelude import FUNCTIONS

__all__ = ["IDENTIFIER", "KEYWORDS", "STANDARD_HEADERS", "in_comment", "reserved", "unique"]

IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)
"""A name that a user of C may declare anywhere; those that begin with _ belong to the compiler."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


KEYWORDS = _words("""
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
""")
"""The keywords of C99, then those of later versions, then those of C++, which reads headers too."""

STANDARD_HEADERS = _words("""
    assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal
    stdalign stdarg stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string tgmath threads
    time uchar wchar wctype
""")
"""The headers of C: a file of such a name would be read in the place of the right one."""

_LOCAL = _words("""
    i j k l m n o p s at best better other place total rest cells fed numbers scratch start out
    now seconds Strides
""")
"""The variables of printed loops, and the arguments of printed functions."""

_PRINTED = re.compile(
    r"[kot]\d+|(float|double)\d+(_anywhere)?"
    r"|(tile\d+x\d+|dots\d+x\d+|load|store|all|start|sum|part)_(float|double)\d*"
)
"""Further variables, of outer loops and for what is read twice; vectors; functions for products."""

_LIBRARY = _words("""
    abs ceil copysign cos erf exp expm1 fabs floor gamma index isfinite j0 j1 jn log log1p main
    memcpy memset pow remainder round sign significand sin sqrt strides tanh trunc y0 y1 yn
    INFINITY NAN NULL linux unix
""")
"""Names that the headers declare, or compilers know."""


def reserved() -> set[str]:
    """All names that a node's memory cannot have in C; a new set."""
    return {*KEYWORDS, *_LOCAL, *FUNCTIONS, *_LIBRARY, *(f"{each}f" for each in _LIBRARY)}


def unique(wanted: str, taken: set[str]) -> str:
    """A C identifier close to a name; it is taken from then on.

    >>> taken = {"bias"}
    >>> unique("0.weight", taken), unique("bias", taken)
    ('layer0_weight', 'bias_2')
    """
    base = re.sub(r"\W", "_", wanted, flags=re.ASCII).strip("_") or "value"
    if base[0].isdigit():
        base = f"layer{base}"
    name, count = base, 1
    while name in taken or _PRINTED.fullmatch(name):
        count += 1
        name = f"{base}_{count}"
    taken.add(name)
    return name


def in_comment(text: str) -> str:
    """Text for a comment: nothing in it may end the comment, or continue a line."""
    text = text.encode("ascii", "replace").decode().replace("\\", "/").replace("??", "? ?")
    return text.replace("*/", "* /").replace("/*", "/ *")
