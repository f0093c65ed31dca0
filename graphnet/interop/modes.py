"""One list for both modes: the steps of training and of evaluation, compared and merged.

Both are the same list where only the mode differs: an argument such as `training`, or a dropout
that evaluation leaves out. Anything else is refused.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from torch.utils import _pytree as pytree

from graphnet.errors import GraphError
from graphnet.interop.steps import FOLLOW, Ref, Step, Steps, refs_in, replaced

MODE_ARGUMENTS = {
    "aten.dropout.default": 2,
    "aten.feature_dropout.default": 2,
    "aten.alpha_dropout.default": 2,
    "aten.feature_alpha_dropout.default": 2,
    "aten.batch_norm.default": 5,
    "aten.instance_norm.default": 5,
    "aten.lstm.input": 6,
    "aten.gru.input": 6,
    "aten.rnn_tanh.input": 6,
    "aten.rnn_relu.input": 6,
    "graphnet.spectral_norm.default": 6,
}
"""The place of the argument that is the training mode."""

_DROPOUTS = ("aten.dropout.default", "aten.feature_dropout.default", "aten.alpha_dropout.default")
_ATTENTION = "aten.scaled_dot_product_attention.default"


def merged(training: Steps, evaluation: Steps, name: str) -> Steps:
    """The steps of both modes as one list.

    Raises:
        GraphError: the modes differ in more than their mode.
    """
    return _Merge(training, evaluation, name).run()


class _Merge:
    def __init__(self, training: Steps, evaluation: Steps, name: str) -> None:
        self.training, self.evaluation, self.name = training, evaluation, name
        leaves = {leaf: number for number, leaf in training.leaves.items()}
        # the values of evaluation by those of training, and the other way round for leaves
        self.other = {
            leaves[leaf]: number for number, leaf in evaluation.leaves.items() if leaf in leaves
        }

    def run(self) -> Steps:
        """Walk both lists side by side."""
        waiting = self.evaluation.needed()[::-1]
        steps = []
        for step in self.training.needed():
            if waiting and self._alike(step, waiting[-1]):
                there = waiting.pop()
                self.other[step.number] = there.number
                steps.append(self._both(step, there))
            elif step.target in _DROPOUTS and isinstance(step.args[0], Ref):
                self.other[step.number] = self.other[step.args[0].number]
                steps.append(_following(step, MODE_ARGUMENTS[step.target]))
            else:
                raise self._refusal(step, waiting[-1] if waiting else None)
        if waiting:
            raise self._refusal(None, waiting[-1])
        here = self.training.outputs_as(self._other)
        if pytree.tree_flatten(here) != pytree.tree_flatten(self.evaluation.outputs):
            raise self._refusal(None, None)
        return replace(self.training, steps=steps)

    def _there(self, value: Any) -> Any:
        """A value of training as one of evaluation."""
        return replaced(value, self._other)

    def _other(self, ref: Ref) -> Ref:
        return Ref(self.other.get(ref.number, -ref.number))

    def _alike(self, step: Step, there: Step) -> bool:
        """True if two steps differ in their mode at most."""
        if step.target != there.target:
            return False
        here = self._there((step.args, dict(step.kwargs)))
        other = _without_mode(step.target, there.args, dict(there.kwargs))
        return repr(_without_mode(step.target, *here)) == repr(other)  # nan is not equal to nan

    def _both(self, step: Step, there: Step) -> Step:
        place = MODE_ARGUMENTS.get(step.target)
        if place is not None and step.args[place] != there.args[place]:
            return _following(step, place)
        if step.target == _ATTENTION:
            p, other = (_dropout_of(each.args, each.kwargs) for each in (step, there))
            if p != other and not other:
                return replace(step, kwargs={**step.kwargs, "training": FOLLOW})
        return step

    def _refusal(self, step: Step | None, there: Step | None) -> GraphError:
        at = step or there
        what = [
            f"{mode} {_described(each)}"
            for mode, each in (("training", step), ("evaluation", there))
            if each is not None
        ]
        found = f": {', '.join(what)}" if what else ": other values are returned"
        return GraphError(
            f"{self.name} computes another list in training than in evaluation{found}"
            f"{_placed(at)}. One list serves both modes only if they differ by dropout and "
            "normalization alone. Import the parts that both modes share, or take the branch on "
            "`self.training` out of forward."
        )


def _described(step: Step) -> str:
    return f"has {step.name}" + (f" in {step.path[-1]}" if step.path else "")


def _placed(step: Step | None) -> str:
    return f" at {step.line}" if step is not None and step.line else ""


def _following(step: Step, place: int) -> Step:
    """The step with its mode left to the module."""
    return replace(step, args=(*step.args[:place], FOLLOW, *step.args[place + 1 :]))


def _without_mode(target: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    place = MODE_ARGUMENTS.get(target)
    if place is not None:
        return (*args[:place], *args[place + 1 :]), kwargs
    if target == _ATTENTION:
        rest = {name: value for name, value in kwargs.items() if name != "dropout_p"}
        mask = args[3] if len(args) > 3 else None
        causal = args[5] if len(args) > 5 else kwargs.get("is_causal", False)
        rest.pop("is_causal", None)
        return (*args[:3], mask, causal), rest
    return args, kwargs


def _dropout_of(args: tuple[Any, ...], kwargs: Any) -> float:
    return float(args[4] if len(args) > 4 else kwargs.get("dropout_p", 0.0))


def foreign_writes(steps: Steps, known: set[str]) -> list[str]:
    """The buffers that a module writes itself, outside the normalizations that may."""
    return sorted(set(steps.writes) - known)


__all__ = ["MODE_ARGUMENTS", "foreign_writes", "merged", "refs_in"]
