"""Lines of source for tracebacks of workers, to which functions are sent without their files."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from linecache import getline
from types import CodeType, FunctionType, MethodType
from typing import Any

_FRAME = re.compile(r'^  File ".*", line (\d+), in (.+)\n(?!    )', re.MULTILINE)
"""A frame of a traceback below which no line of source stands."""


def sourced(traceback: str, make: Callable[..., Any]) -> str:
    """A traceback with the lines of source that the process where it was made did not have.

    Args:
        traceback: as Python prints it. A function that was sent to another process by its value
            has lost the name of its file, and so the line that failed.
        make: that function, as it is here; what it holds or names in its module is known as well.
    """
    return _FRAME.sub(partial(_with_source, list(_codes(make))), traceback)


def _with_source(codes: list[CodeType], frame: re.Match[str]) -> str:
    """The lines of a frame, with those of the code that is meant; as they are if none fits."""
    place, name = int(frame[1]), frame[2]
    for code in codes:
        if code.co_name == name and place in {line for *_, line in code.co_lines()}:
            text = getline(code.co_filename, place).strip()
            if text:
                return f'  File "{code.co_filename}", line {place}, in {name}\n    {text}\n'
    return frame[0]


def _codes(make: Any) -> Iterator[CodeType]:
    """The code of a function, and of all that it holds or names in its own module.

    What is of another module is sent by its name, and has a file wherever it is imported.
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
    """What may be called inside of something that is called, or holds something of that kind."""
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
        with suppress(ValueError):  # one that has no value yet
            yield cell.cell_contents


def _named(code: CodeType, known: Mapping[str, Any]) -> Iterator[Any]:
    """The values of the global names in a code, and in the functions inside of it."""
    yield from (known[name] for name in code.co_names if name in known)
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _named(inner, known)
