"""The one place where lines become a function: only lines that this package wrote."""

from __future__ import annotations

import linecache
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from itertools import count
from typing import Any
from weakref import finalize

import torch

without_autograd: Callable[[bool], AbstractContextManager[None]] = getattr(
    torch._C, "_InferenceMode", torch.inference_mode
)
"""`torch.inference_mode` without its Python wrapper: in a small step each microsecond counts."""

_numbers = count()
_ended: list[str] = []
"""The files of programs that are gone. The next program removes them: they end whenever memory is
collected, also while a traceback goes through the cache of lines."""


class NotFinite(Exception):  # noqa: N818 - a signal between a program and its caller
    """A number that must be finite is not; nothing has been written yet."""


def function_of(
    lines: Sequence[str], arguments: Sequence[str], words: dict[str, Any]
) -> tuple[Callable[..., Any], str]:
    """A function of these lines, and its source, which error messages can show.

    Args:
        lines: the body.
        arguments: the names of its arguments.
        words: what the other names in the lines stand for.
    """
    body = "".join(f"    {line}\n" for line in lines)
    name = "step" if "step" not in words else "training_step"  # no word may be overwritten
    source = f"def {name}({', '.join(arguments)}):\n{body}"
    file = f"<graphnet program {next(_numbers)}>"
    while _ended:
        linecache.cache.pop(_ended.pop(), None)
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    space = dict(words)
    exec(compile(source, file, "exec"), space)
    function: Callable[..., Any] = space[name]
    finalize(function, _ended.append, file)
    return function, source
