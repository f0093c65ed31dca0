"""IPython, if Python runs in it: the shell, an output that changes, and short tracebacks."""

from __future__ import annotations

import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any
from uuid import uuid4

_PACKAGE = str(Path(__file__).parent)


def running_shell() -> Any:
    """The shell of IPython that this code runs in; None outside IPython, which is not imported."""
    module = sys.modules.get("IPython")
    return None if module is None else module.get_ipython()


def in_notebook() -> bool:
    """True if the shell belongs to a kernel, so that pictures can be displayed and updated."""
    return getattr(running_shell(), "kernel", None) is not None


class Display:
    """One output of the cell that is running, which can be replaced."""

    def __init__(self) -> None:
        self._name = f"graphnet-{uuid4().hex}"
        self._is_shown = False

    def show(self, html: str, text: str) -> None:
        """Show this, instead of what was shown before."""
        running_shell().display_pub.publish(
            data={"text/html": html, "text/plain": text},
            transient={"display_id": self._name},
            update=self._is_shown,
        )
        self._is_shown = True


def rendered_traceback(error: BaseException) -> list[str]:
    """The traceback of an error as IPython writes it, with the frames of the user alone.

    `%xmode Verbose` shows all frames.
    """
    writer = running_shell().InteractiveTB
    if writer.mode == "Verbose":
        return list(writer.structured_traceback(type(error), error, error.__traceback__))
    chain = _chain(error)
    tracebacks = [each.__traceback__ for each in chain]
    try:
        for each in chain:
            each.__traceback__ = _of_the_user(each.__traceback__)
        return list(writer.structured_traceback(type(error), error, error.__traceback__))
    finally:
        for each, traceback in zip(chain, tracebacks, strict=True):
            each.__traceback__ = traceback


def shorten_tracebacks() -> None:
    """Have IPython show all errors that pass through this package with the user's frames.

    Those of Python and torch too: a TypeError of a function, of a layer, of a file. IPython asks
    its handler, `set_custom_exc`; one that somebody else has set stays. An error is raised as it
    is, its traceback is whole, and outside IPython nothing happens.
    """
    shell = running_shell()
    if shell is not None and not shell.custom_exceptions:
        shell.set_custom_exc((Exception,), _show)


def _show(shell: Any, kind: Any, error: Any, traceback: Any, tb_offset: Any = None) -> None:
    """Show an error as IPython does, but for the frames of this package."""
    passed = any(
        _of_the_user(each.__traceback__) is not each.__traceback__ for each in _chain(error)
    )
    if passed and not hasattr(error, "_render_traceback_"):
        with suppress(AttributeError, TypeError):  # an error that takes no attributes
            vars(error)["_render_traceback_"] = partial(rendered_traceback, error)
    shell.showtraceback((kind, error, traceback), tb_offset=tb_offset)


def _chain(error: BaseException) -> list[BaseException]:
    """An error, and those that a traceback shows above it."""
    chain: list[BaseException] = []
    before: BaseException | None = error
    while before is not None and before not in chain:
        chain.append(before)
        hidden = before.__suppress_context__
        before = before.__cause__ or (None if hidden else before.__context__)
    return chain


def _of_the_user(traceback: TracebackType | None) -> TracebackType | None:
    """A traceback without the frames of this package; itself if there are none, or no others."""
    kept, count, step = [], 0, traceback
    while step is not None:
        if not step.tb_frame.f_code.co_filename.startswith(_PACKAGE):
            kept.append(step)
        count, step = count + 1, step.tb_next
    if len(kept) == count:
        return traceback
    shortened = None
    for each in reversed(kept):
        shortened = TracebackType(shortened, each.tb_frame, each.tb_lasti, each.tb_lineno)
    return shortened or traceback
