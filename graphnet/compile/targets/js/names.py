"""Names of nodes in JavaScript: as identifiers, as strings, and in comments."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from graphnet.compile.targets.printing.identifiers import new_identifier

_WORDS = """
abstract arguments async await boolean break byte case catch char class const continue debugger
default delete do double else enum eval export extends false final finally float for function goto
if implements import in instanceof int interface let long native new null of package private
protected public return short static super switch synchronized this throw throws transient true try
typeof undefined var void volatile while with yield get set
Array Boolean Error Float32Array Float64Array Infinity Int8Array Int32Array JSON Map Math NaN Number
Object RangeError Set String Uint8Array Uint32Array document globalThis isFinite isNaN name self
window
i j k l m n o p at best other total first batch state createProgram inputs values gradients masks
train predict backward update numbers clear step index
lr momentum dampening weight_decay alpha eps rho lr_decay beta1 beta2 momentum_decay intake rate
root grad_rate mean_rate mu mu_next mu_product product most length rectified square
"""
RESERVED = frozenset(_WORDS.split())
"""Keywords, globals, and the local variables of a printed program."""
_LOCAL = re.compile(r"t\d+|(forward|predict|backward|update|grad|part|table|new)_\w*")
"""Numbered local variables, and the first words of other names than those of values."""

_PLAIN = re.compile(r"[a-zA-Z]\w*", re.ASCII)


class Names:
    """Identifiers, each given once.

    Args:
        taken: names that are not given: those of functions.

    >>> names = Names(())
    >>> names.unique("0.weight"), names.unique("0_weight"), names.unique("new")
    ('layer0_weight', 'layer0_weight_2', 'new_2')
    """

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = {*taken}

    def unique(self, wanted: str) -> str:
        """An identifier close to a name."""
        return new_identifier(wanted, self._taken, RESERVED, _LOCAL)


def string(text: str) -> str:
    r"""A text as a string, which may stand in a page: nothing in it ends a script.

    >>> print(string("</script>"))
    "\u003c/script>"
    """
    return json.dumps(text).replace("<", "\\u003c")


def member(text: str) -> str:
    """What reads the member of an object that has a text as its name.

    >>> member("lr"), member("lr/1")
    ('.lr', '["lr/1"]')
    """
    return f".{text}" if _PLAIN.fullmatch(text) else f"[{string(text)}]"


def key(text: str) -> str:
    """A text as the name of a member, where an object is written down.

    >>> print(key("lr"), key("lr/1"))
    lr "lr/1"
    """
    if text == "__proto__":  # elsewhere this would be no member, but what the object inherits from
        return f"[{string(text)}]"
    return text if _PLAIN.fullmatch(text) else string(text)


def comment(text: str) -> str:
    """A text for the rest of a line: nothing in it ends the line, or a script in a page.

    >>> comment("a</script>")
    'a< /script>'
    """
    text = "".join(sign if sign.isprintable() else " " for sign in text)
    text = text.encode("ascii", "replace").decode()
    return re.sub(r"<(?=[/!])", "< ", text)
