"""Source lines for tracebacks of workers, which receive functions without their files."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from linecache import getline
from types import CodeType, FunctionType, MethodType
from typing import Any

_FRAME = re.compile(r'^  File ".*", line (\d+), in (.+)\n(?!    )', re.MULTILINE)
"""A frame of a traceback without a source line below it."""


def sourced(traceback: str, make: Callable[..., Any]) -> str:
    """A traceback with the source lines that the process that made it did not have.

    Args:
        traceback: as Python prints it. A function that was sent to another process by value has
            lost the name of its file, and so the line that failed.
        make: that function, in this process, along with what it holds or names in its module.
    """
    return _FRAME.sub(partial(_with_source, list(_codes(make))), traceback)


def _with_source(codes: list[CodeType], frame: re.Match[str]) -> str:
    """The lines of a frame, with those of the matching code; unchanged if none fits."""
    place, name = int(frame[1]), frame[2]
    for code in codes:
        if code.co_name == name and place in {line for *_, line in code.co_lines()}:
            text = getline(code.co_filename, place).strip()
            if text:
                return f'  File "{code.co_filename}", line {place}, in {name}\n    {text}\n'
    return frame[0]


def _codes(make: Any) -> Iterator[CodeType]:
    """The code of a function, and of everything that it holds or names in its own module.

    Objects of another module are sent by name, and have a file wherever they are imported.
    """
    todo, seen = [make], {id(make): make}
    while isinstance(make, partial):
        make = make.func
    module = getattr(make, "__module__", None)
    while todo:
        each = todo.pop()
        if isinstance(each, CodeType):
            yield each
        for part in _parts(each, module):
            if id(part) not in seen:
                seen[id(part)] = part
                todo.append(part)


def _parts(each: Any, module: str | None) -> list[Any]:
    """What may be called inside an object that is called, or that holds such an object."""
    match each:
        case CodeType():
            return [part for part in each.co_consts if isinstance(part, CodeType)]
        case MethodType():
            return [each.__func__, each.__self__]
        case staticmethod() | classmethod():
            return [each.__func__]
        case partial():
            return [each.func, *each.args, *each.keywords.values()]
        case FunctionType() if each.__module__ == module:
            return [each.__code__, *_held(each), *_named(each.__code__, each.__globals__)]
        case type() if each.__module__ == module:
            return list(vars(each).values())
        case FunctionType() | type():
            return []
    return [type(each)]


def _held(function: FunctionType) -> Iterator[Any]:
    """The values of the variables around a function."""
    for cell in function.__closure__ or ():
        with suppress(ValueError):  # a variable without a value yet
            yield cell.cell_contents


def _named(code: CodeType, known: Mapping[str, Any]) -> Iterator[Any]:
    """The values of the global names in a code, and in the functions inside it."""
    yield from (known[name] for name in code.co_names if name in known)
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _named(inner, known)
