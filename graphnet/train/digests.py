"""Digests: short texts that are equal if tensors, functions and plain values are."""

from __future__ import annotations

import dis
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from hashlib import sha256
from inspect import signature
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType
from typing import Any

import torch
from torch import Tensor

_LARGEST = 2**28
"""Bytes of a tensor; from a larger one, rows at even distances are taken."""

_PIECE = 2**22
"""Bytes that are copied at a time: there may be more than fit into memory."""

_LIBRARIES = {"graphnet", "torch", "numpy", *sys.stdlib_module_names} - {"__main__"}

_PLAIN = bool, int, float, complex, str, bytes, type(None), torch.dtype, torch.device


def is_plain(value: Any) -> bool:
    """True if a value is a number, a text, or a tuple of these: it does not change."""
    if isinstance(value, tuple):
        return all(map(is_plain, value))
    return type(value) in _PLAIN


def plain(value: Any) -> Any:
    """A value that JSON can hold: itself if it is plain, else its type in words."""
    if isinstance(value, Tensor):
        return value.item() if value.numel() == 1 else digest_of_tensors([value])
    if isinstance(value, list | tuple):
        return tuple(plain(each) for each in value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return repr(value) if is_plain(value) else f"a {type(value).__name__}"


def digest_of_tensors(tensors: Sequence[Tensor]) -> str:
    """A digest of dtypes, shapes and bytes.

    >>> digest_of_tensors([torch.ones(2)]) == digest_of_tensors([torch.ones(2)])
    True
    >>> digest_of_tensors([torch.ones(2)]) == digest_of_tensors([torch.ones(1, 2)])
    False
    """
    sum_ = sha256()
    for tensor in tensors:
        sum_.update(f"{tensor.dtype} {tuple(tensor.shape)} ".encode())
        parts = -(-tensor.numel() * tensor.element_size() // _LARGEST)
        part = tensor[:: min(len(tensor), parts)] if parts > 1 else tensor
        for piece in _pieces(part):
            flat = piece.detach().cpu().resolve_conj().resolve_neg().contiguous().reshape(-1)
            sum_.update(flat.view(torch.uint8).numpy().data)
    return sum_.hexdigest()


def _pieces(tensor: Tensor) -> Sequence[Tensor]:
    """The tensor by its rows, so that little of it has to be copied at a time."""
    size = tensor.numel() * tensor.element_size()
    if size <= _PIECE:
        return [tensor]
    rows = max(1, len(tensor) * _PIECE // size)
    return [tensor[start : start + rows] for start in range(0, len(tensor), rows)]


def digest_of(value: Any) -> str:
    """A digest of a function, with its code and the values that it uses, or of plain values.

    Values that may change from call to call, such as lists, count only by their type; variables
    that the function itself assigns do not count.

    >>> digest_of(partial(max, 1)) == digest_of(partial(max, 1))
    True
    >>> digest_of(partial(max, 1)) == digest_of(partial(max, 2))
    False
    """
    return sha256("\n".join(_texts(value, {})).encode()).hexdigest()


def settings_of(value: Any) -> dict[str, Any]:
    """The settings an object was made with: plain values named like arguments of its class."""
    known = getattr(value, "__dict__", {})
    try:
        names = signature(type(value)).parameters
    except (TypeError, ValueError):  # a class in C has no signature
        return {}
    return {name: known[name] for name in names if name in known and is_plain(known[name])}


def _texts(value: Any, seen: dict[int, Any]) -> Iterator[str]:
    """The parts of a value as texts; `seen` keeps those already visited, so that cycles end."""
    if is_plain(value):
        yield repr(value)
    elif isinstance(value, Tensor):
        yield "a tensor" if value.is_meta else digest_of_tensors([value])
    elif isinstance(value, type | BuiltinFunctionType) or (
        isinstance(value, FunctionType) and _package(value) in _LIBRARIES
    ):
        yield f"{value.__module__}.{value.__qualname__}"
    elif id(value) not in seen:
        seen[id(value)] = value
        yield type(value).__qualname__
        for part in _parts(value):
            yield from _texts(part, seen)


def _package(value: Any) -> str:
    """The package that a function or a class says it is of."""
    return str(value.__module__).partition(".")[0]


def _parts(value: Any) -> Iterator[Any]:
    """The values that distinguish one function from another."""
    if isinstance(value, tuple):
        yield from value
    elif isinstance(value, frozenset):
        yield from sorted(value, key=repr)
    elif isinstance(value, partial):
        yield from (value.func, value.args, tuple(sorted(value.keywords.items())))
    elif isinstance(value, MethodType):
        yield from (value.__func__, value.__self__)
    elif isinstance(value, FunctionType):
        yield from (value.__code__, value.__defaults__)
        yield tuple(sorted((value.__kwdefaults__ or {}).items()))
        yield from _used(value)
    elif isinstance(value, CodeType):
        yield from (value.co_code, value.co_names, value.co_consts, value.co_argcount)
    elif _package(type(value)) not in _LIBRARIES:
        if callable(value):
            yield type(value).__call__
        yield tuple(settings_of(value).items())


def _used(function: FunctionType) -> Iterator[tuple[str, Any]]:
    """The variables that a function uses from outside, except those that it assigns."""
    code = function.__code__
    assigned = {*_names(code, "STORE_DEREF"), *_names(code, "STORE_GLOBAL")}
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
        with suppress(ValueError):  # a variable without a value yet
            if name not in assigned:
                yield name, cell.cell_contents
    for name in sorted({*_names(code, "LOAD_GLOBAL")} - assigned):
        value = function.__globals__.get(name)
        if is_plain(value) or isinstance(value, FunctionType):
            yield name, value


def _names(code: CodeType, operation: str) -> Iterator[str]:
    """The variables that an instruction works on, in nested functions too."""
    for instruction in dis.get_instructions(code):
        if instruction.opname == operation:
            yield instruction.argval
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant, operation)
