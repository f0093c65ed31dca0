"""Programs on another target than by default, and native code that is compiled in less time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace


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


@contextmanager
def compiled_at(level: str) -> Iterator[None]:
    """Give C compilers another level of optimization than -O3, which every user has.

    >>> from graphnet.compile.targets.c.compilers import Flags
    >>> with compiled_at("-O1"):
    ...     Flags.of("linux", "x86_64").needed
    ('-O1', '-shared', '-fPIC')
    """
    from graphnet.compile.targets.c.compilers import Flags

    real = Flags.of

    def of(*system: str) -> Flags:
        flags = real(*system)
        assert "-O3" in flags.needed
        changed = [level if flag == "-O3" else flag for flag in flags.needed]
        return replace(flags, needed=tuple(changed))

    Flags.of = of  # type: ignore[method-assign, assignment]  # for a while
    try:
        yield
    finally:
        Flags.of = real  # type: ignore[method-assign]  # as it was
