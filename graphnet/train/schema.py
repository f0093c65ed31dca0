"""The text of a checkpoint: JSON in only one spelling, with its own SHA-256 in it.

A text is accepted if the state that it describes, written again, gives the very same bytes. So no
flipped bit, no missing or additional byte, and no second spelling of a number or a key can pass.

What JSON lacks is written like this:

        nan, inf, -inf      {"$float": "7ff8000000000000"}, the bits in the order of IEEE 754
    a key "$name"       "$$name"

All errors are a ValueError with the reason; the caller knows the file, and adds it.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterator
from hashlib import sha256
from math import isfinite
from typing import Any, NamedTuple

from graphnet.validation import must_be

FORMAT = "graphnet checkpoint"
VERSION = 1

MOST_BYTES = 2**26
"""The largest text, in bytes."""

MOST_TENSORS = 1_000_000
LONGEST_NAME = 500
DEEPEST = 50
"""How deep lists and dicts may be nested."""

LARGEST = 2**128
"""The largest int, in either direction."""

DTYPES = {
    "float64": "F64",
    "float32": "F32",
    "float16": "F16",
    "bfloat16": "BF16",
    "float8_e4m3fn": "F8_E4M3",
    "float8_e4m3fnuz": "F8_E4M3FNUZ",
    "float8_e5m2": "F8_E5M2",
    "float8_e5m2fnuz": "F8_E5M2FNUZ",
    "complex64": "C64",
    "int64": "I64",
    "int32": "I32",
    "int16": "I16",
    "int8": "I8",
    "uint64": "U64",
    "uint32": "U32",
    "uint16": "U16",
    "uint8": "U8",
    "bool": "BOOL",
}
"""The dtypes that safetensors both writes and reads: torch's names, and its own."""

_FIELDS = ["format", "version", "step", "values", "tensors", "file", "sha256"]
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|["\[\]{}]', re.DOTALL)


class Text(NamedTuple):
    """The content of a checkpoint's text."""

    step: int
    values: dict[str, Any]
    tensors: dict[str, Any]
    """The dtype, the shape, and the SHA-256 of the bytes of each tensor."""
    file: str
    """The SHA-256 of the whole file that holds the tensors."""


def written(text: Text) -> bytes:
    """The bytes of a text.

    Raises:
        ValueError: it holds something that cannot be written.
    """
    fields = [FORMAT, VERSION, text.step, encoded(text.values), text.tensors, text.file]
    tree = dict(zip(_FIELDS, fields, strict=False))
    return _dumped({**tree, "sha256": sha256(_dumped(tree)).hexdigest()})


def read(data: bytes) -> Text:
    """Parse the text of a checkpoint.

    Raises:
        ValueError: the bytes are not an intact text of a checkpoint.
    """
    tree = parsed(data)
    if type(tree) is not dict or tree.get("format") != FORMAT:
        raise ValueError("it is not a checkpoint of graphnet")
    version = tree.get("version")
    if type(version) is int and version > VERSION:
        raise ValueError(
            f"it has format {version}, of a newer graphnet; this one reads format {VERSION}: "
            "run `pip install --upgrade graphnet`"
        )
    if list(tree) != _FIELDS:
        raise ValueError(f"its fields are {', '.join(tree)[:100]!r}, not {', '.join(_FIELDS)!r}")
    text = Text(tree["step"], decoded(tree["values"]), tree["tensors"], tree["file"])
    _check(text)
    if written(text) != data:
        raise ValueError("its bytes are not those that were saved (SHA-256)")
    return text


def _check(text: Text) -> None:
    if type(text.step) is not int or not 0 <= text.step < 2**63:
        raise ValueError(must_be("a step", "an integer of 0 or more", text.step))
    if type(text.values) is not dict:
        raise ValueError(f"its values are a {type(text.values).__name__}, not a dict")
    if type(text.tensors) is not dict or len(text.tensors) > MOST_TENSORS:
        raise ValueError(f"its tensors are not a dict of at most {MOST_TENSORS:,}")
    for name, about in text.tensors.items():
        check_name(name)
        if type(about) is not dict or list(about) != ["dtype", "shape", "sha256"]:
            raise ValueError(f"tensor {name} lacks a dtype, a shape or a SHA-256")


def check_name(name: str) -> None:
    """Check that the name of a tensor is short and printable, and never looks like a path.

    Raises:
        ValueError: this one is not.
    """
    words = "" if name == "__metadata__" else name
    if not 0 < len(words) <= LONGEST_NAME or not words.isprintable() or ".." in words:
        raise ValueError(f"a tensor cannot have the name {name[:60]!r}")
    if "/" in words or "\\" in words:
        raise ValueError(f"the name of a tensor has no slash: {name[:60]!r}")


# values


def encoded(value: Any, depth: int = 0) -> Any:
    """A value in a form that JSON can hold.

    Raises:
        ValueError: a checkpoint does not allow its type or size.
    """
    kind = type(value)
    if depth > DEEPEST:
        raise ValueError(f"lists and dicts are nested more than {DEEPEST} deep")
    if value is None or kind in (bool, str) or (kind is int and abs(value) <= LARGEST):
        return value
    if kind is float:
        return value if isfinite(value) else {"$float": struct.pack(">d", value).hex()}
    if kind is list:
        return [encoded(each, depth + 1) for each in value]
    if kind is dict and all(type(key) is str for key in value):
        return {
            f"${key}" if key.startswith("$") else key: encoded(each, depth + 1)
            for key, each in value.items()
        }
    raise ValueError(
        "the values of a checkpoint are None, bool, int (of at most 128 bits), float, str, "
        f"list, and dict with keys of str; got a {kind.__name__}"
    )


def decoded(tree: Any) -> Any:
    """The value that was encoded.

    Raises:
        ValueError: it does not look like an encoded value.
    """
    if type(tree) is list:
        return [decoded(each) for each in tree]
    if type(tree) is not dict:
        return tree
    if tree.keys() == {"$float"}:
        return _float(tree["$float"])
    return {_key(key): decoded(each) for key, each in tree.items()}


def _float(digits: Any) -> float:
    if type(digits) is not str or not re.fullmatch("[0-9a-f]{16}", digits):
        raise ValueError(f"a $float has 16 hexadecimal digits, not {digits!r:.50}")
    value: float = struct.unpack(">d", bytes.fromhex(digits))[0]
    return value


def _key(key: str) -> str:
    if key.startswith("$") and not key.startswith("$$"):
        raise ValueError(f"there is no {key[:50]!r}")
    return key.removeprefix("$")


# JSON


def _dumped(tree: Any) -> bytes:
    text = json.dumps(tree, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode()


def parsed(data: bytes) -> Any:
    """Parse JSON without its dark corners: no duplicate keys, no NaN, no great depth.

    Raises:
        ValueError: it is not such JSON.
    """
    if len(data) > MOST_BYTES:
        raise ValueError(f"it has more than {MOST_BYTES:,} bytes")
    if max(_depths(data), default=0) > DEEPEST + 5:
        raise ValueError("lists and dicts are nested too deep")
    return json.loads(
        data.decode(), parse_int=_int, parse_constant=_refused, object_pairs_hook=_unique
    )


def _depths(data: bytes) -> Iterator[int]:
    """How deep each bracket lies; found before a parser goes down there."""
    depth = 0
    for match in _TOKEN.finditer(data):
        token = match[0]
        if token == b'"':
            raise ValueError("a string in it has no end")
        depth += (token in b"[{") - (token in b"]}")
        yield depth


def _int(digits: str) -> int:
    if len(digits) > len(str(-LARGEST)):
        raise ValueError(f"an int has {len(digits):,} digits")
    return int(digits)


def _refused(word: str) -> None:
    raise ValueError(f"{word} is not a number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    tree = dict(pairs)
    if len(tree) != len(pairs):
        raise ValueError("a key occurs twice")
    return tree


# the tensors in a safetensors file


def contents(data: bytes) -> dict[str, Any]:
    """The dtype, the shape, and the SHA-256 of the bytes of each tensor in a safetensors file.

    Raises:
        ValueError: it is not such a file.
    """
    start = 8 + int.from_bytes(data[:8], "little")
    header = parsed(data[8:start]) if 8 < start <= len(data) else None
    if type(header) is not dict:
        raise ValueError("it has no header")
    body = memoryview(data)[start:]
    for name, entry in header.items():
        _check_entry(name, entry, len(body))
    _check_order([entry["data_offsets"] for entry in header.values()])
    return {name: _about(entry, body) for name, entry in header.items()}


def _check_entry(name: str, entry: Any, size: int) -> None:
    check_name(name)
    if type(entry) is not dict or sorted(entry) != ["data_offsets", "dtype", "shape"]:
        raise ValueError(f"tensor {name} lacks a dtype, a shape or offsets")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if type(dtype) is not str or dtype not in DTYPES.values():
        raise ValueError(f"tensor {name} has an unknown dtype: {dtype!r:.50}")
    for sizes in (shape, offsets):
        if type(sizes) is not list or any(type(n) is not int or not 0 <= n < 2**63 for n in sizes):
            raise ValueError(f"tensor {name} has the sizes {sizes!r:.50}")
    if len(offsets) != 2 or not offsets[0] <= offsets[1] <= size:
        raise ValueError(f"tensor {name} lies outside the file")


def _check_order(offsets: list[list[int]]) -> None:
    """Check that tensors lie one behind the other; else a small file could request many sums."""
    end = 0
    for here, there in sorted(offsets):
        if here != end:
            raise ValueError("its tensors overlap, or there is a hole between them")
        end = there


def _about(entry: dict[str, Any], body: memoryview) -> dict[str, Any]:
    start, end = entry["data_offsets"]
    digest = sha256(body[start:end]).hexdigest()
    return {"dtype": entry["dtype"], "shape": entry["shape"], "sha256": digest}
