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


def shorten_traceback(error: BaseException | None) -> None:
    """Have IPython show an error of Python or torch, such as a TypeError, with the user's frames.

    What IPython asks each error for is added to this one. The error is raised as it is, its
    traceback is whole, and outside IPython nothing is added.

    Args:
        error: one on its way through this package; None for none.
    """
    if not isinstance(error, Exception) or hasattr(error, "_render_traceback_"):
        return
    if running_shell() is not None:
        with suppress(AttributeError, TypeError):  # an error that takes no attributes
            vars(error)["_render_traceback_"] = partial(rendered_traceback, error)


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
    """A traceback without the frames of this package; all of it if there are no others."""
    kept, step = [], traceback
    while step is not None:
        if not step.tb_frame.f_code.co_filename.startswith(_PACKAGE):
            kept.append(step)
        step = step.tb_next
    shortened = None
    for each in reversed(kept):
        shortened = TracebackType(shortened, each.tb_frame, each.tb_lasti, each.tb_lineno)
    return shortened or traceback
