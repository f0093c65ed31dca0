"""Programs that run on another target than the one they are made for by default."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def every_program(backend: str) -> Iterator[None]:
    """Compile for a backend wherever none is chosen.

    >>> import graphnet as gn
    >>> from torch import empty
    >>> graph = gn.Graph()
    >>> x = graph.input((), name="x")
    >>> with every_program("eager"):
    ...     predict = graph.compile(x * 2)
    >>> predict(x=empty(()).fill_(3)), predict._options.backend
    (tensor(6.), 'eager')
    """
    from graphnet.compile.run.compiled import Options

    made = Options.__init__

    def chosen(self: Options, *args: object, **options: object) -> None:
        made(self, *args, **options)  # type: ignore[arg-type]  # as they are
        if self.backend is None:
            object.__setattr__(self, "backend", backend)

    Options.__init__ = chosen  # type: ignore[method-assign]  # for a while
    try:
        yield
    finally:
        Options.__init__ = made  # type: ignore[method-assign]  # as it was
