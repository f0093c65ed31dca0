"""The call in which native code takes the place of calls of torch, if it is faster."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from math import inf
from time import perf_counter
from typing import TYPE_CHECKING, Any, cast

import torch

from graphnet.snapshot import Snapshot, generators_of

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.compile.run.cached_step import CachedStep
    from graphnet.compile.run.native import Native
    from graphnet.compile.run.settings import Known
    from graphnet.compile.run.step import Step

TURNS = 3
"""How often each form is run to measure it."""


def take_over(
    step: Step, cached: CachedStep, fed: Mapping[str, Tensor], numbers: list[Known]
) -> list[Any] | None:
    """Let native code take over if it is time, and if it is faster; returns its arguments."""
    native, edits = cast("Native", cached.native), step.optimizer.edits
    present, before = cached.runner, cached.values(fed, numbers, edits)
    runner = native.advance()
    if runner is None:
        return None
    cached.use(runner)
    values = cast("list[Any]", cached.values(fed, numbers, edits))
    if native.is_unclear:
        with Snapshot(step._memory(), generators_of(step.graph)), torch.inference_mode():
            turns = partial(runner.function, *values), partial(present.function, *before or ())
            if not is_faster(*turns):
                cached.use(present)
                return None
    step._last = runner
    return values


def is_faster(native: Callable[[], object], present: Callable[[], object]) -> bool:
    """True if native code takes less time, by the best of a few turns of both."""
    best = [inf, inf]
    for _ in range(TURNS):
        for place, run in enumerate((native, present)):
            begin = perf_counter()
            run()
            best[place] = min(best[place], perf_counter() - begin)
    return best[0] < best[1]
