"""The options of `Graph.compile` as type checkers know them; the method says what each does."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphnet.graph import Node


class PredictionOptions(TypedDict, total=False):
    """Those of a prediction."""

    tune: bool
    check_finite: bool
    backend: str | None
    calls: int | None


class StepOptions(PredictionOptions, total=False):
    """Those of a training step."""

    max_norm: float | None
    norm_type: float
    clip_value: float | None
    watch: Sequence[Node]
