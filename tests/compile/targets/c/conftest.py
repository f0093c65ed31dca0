"""What holds for all tests of native code."""

from __future__ import annotations

import pytest

from graphnet.compile.targets.c import assemble


@pytest.fixture(autouse=True)
def _nothing_is_read_before_it_is_written(monkeypatch):
    """The memory of each program begins full of NaN, where a run would find any numbers."""
    real = assemble._Function.__init__

    def begin(self, *arguments):
        real(self, *arguments)
        self._memory.fill_(255)

    monkeypatch.setattr(assemble._Function, "__init__", begin)
