"""What holds for all tests of native code."""

from __future__ import annotations

from dataclasses import replace

import pytest

from graphnet.compile.targets.c import assemble
from graphnet.compile.targets.c.compilers import Flags


@pytest.fixture(autouse=True)
def _nothing_is_read_before_it_is_written(monkeypatch):
    """The memory of each program begins full of NaN, where a run would find any numbers."""
    real = assemble._Function.__init__

    def begin(self, *arguments):
        real(self, *arguments)
        self._memory.fill_(255)

    monkeypatch.setattr(assemble._Function, "__init__", begin)


@pytest.fixture(params=["-O1", pytest.param("-O3", marks=pytest.mark.slow)])
def level(request, monkeypatch):
    """How hard the compiler tries: half as hard, so half as long, where many numbers are compared.

    The tests without this fixture, such as the rows in float32, have the flags of every user.
    """
    real = Flags.of

    def of(*system):
        flags = real(*system)
        assert "-O3" in flags.needed
        changed = [request.param if flag == "-O3" else flag for flag in flags.needed]
        return replace(flags, needed=(*changed,))

    monkeypatch.setattr(Flags, "of", of)
