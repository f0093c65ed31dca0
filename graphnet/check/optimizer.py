"""The check of your own optimizer."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from torch import empty

from graphnet import ops
from graphnet.check.finite_differences import wave
from graphnet.check.report import Report, examine
from graphnet.check.subject import difference
from graphnet.errors import GraphError
from graphnet.graph import Parameter

if TYPE_CHECKING:
    from torch import Tensor

Make = Callable[[list[Parameter]], Any]

_STEPS = range(5)
_SIZES = (4, 6, 2)


def check_optimizer(make: Make, *, skip: Collection[str] = ()) -> Report:
    """Check an optimizer: the direction of its steps, its state, frozen parameters, and copies.

    Args:
        make: makes the optimizer for a list of parameters: `lambda p: SGD(p, lr=0.1)`, or a class.
        skip: checks to leave out, by name: "split" for an optimizer that acts on whole layers.

    Raises:
        GraphError: `make` cannot be called, or there is no such check.

    >>> import graphnet as gn
    >>> print(gn.check_optimizer(gn.Adam))
    direction   right
    untouched   right
    repeatable  right
    split       right
    frozen      right
    new values  right
    a copy      right
    types       right
    Adam: all checks pass.
    """
    if not callable(make):
        raise GraphError(
            "check_optimizer takes a function of the parameters, such as lambda p: SGD(p, lr=0.1); "
            f"got {type(make).__name__}."
        )
    suite = _OptimizerSuite(make)
    return examine(type(make(_layers())).__name__, suite, skip)


class _OptimizerSuite:
    """The checks of an optimizer; each public method checks one thing."""

    def __init__(self, make: Make) -> None:
        self.make = make

    def direction(self) -> str:
        """The first step goes against the gradient, at every element."""
        (parameter,) = _layers((12,))
        before = parameter.top.clone()
        grad = _gradient(12, 0)
        parameter.grad = grad.clone()
        self.make([parameter]).step()
        moved = parameter.top - before
        if not moved.isfinite().all():
            return "after one step the parameters are not finite"
        if not moved.any():
            return "one step does not move the parameters: is `value` changed in place?"
        along = (moved * grad) > 0
        if along.all():
            return "the parameters move along the gradient; a minus is missing"
        if along.any():
            place = int(along.long().argmax())
            return f"element {place} moves along its gradient, not against it"
        if (moved == 0).any():
            return f"element {int((moved == 0).long().argmax())} does not move"
        return ""

    def untouched(self) -> str:
        """A step does not write to the gradients."""
        layers = _layers()
        optimizer = self.make(layers)
        for step in _STEPS:
            _give(layers, step)
            before = _flat(layers, "grad")
            optimizer.step()
            if difference(_flat(layers, "grad"), before, tolerance=0.0):
                return f"step {step + 1} changes the gradients: `grad` must only be read"
        return ""

    def repeatable(self) -> str:
        """Two optimizers with the same gradients take the same steps."""
        first, second = self._train(_layers()), self._train(_layers())
        fault = difference(second, first, tolerance=0.0)
        return f"in a second run the value {fault}: do the two share something?" if fault else ""

    def _train(self, layers: list[Parameter]) -> Tensor:
        """All parameters in one flat tensor, after some steps."""
        _take_steps(layers, self.make(layers))
        return _flat(layers)

    def split(self) -> str:
        """The same values move in the same way in one layer or in several."""
        fault = difference(self._train(_layers()), self._train(_layers((12,))), tolerance=1e-12)
        if fault:
            return (
                f"split over three layers the value {fault} as in one layer: does the update take "
                'a mean or a norm over `value`? If that is intended, give skip=["split"]'
            )
        return ""

    def frozen(self) -> str:
        """A frozen parameter stays, the others move as without it, and it can be unfrozen."""
        layers, others = _layers(), _layers()
        optimizer, alone = self.make(layers), self.make([others[0], others[2]])
        layers[1].requires_grad = False
        before = layers[1].top.clone()
        _take_steps(layers, optimizer)
        _take_steps(others, alone)
        if difference(layers[1].top, before, tolerance=0.0):
            return "a parameter with requires_grad=False is moved"
        for place in (0, 2):
            if fault := difference(layers[place].top, others[place].top, tolerance=1e-12):
                return f"next to a frozen parameter another one {fault}"
        layers[1].requires_grad = True
        _take_steps(layers, optimizer, _STEPS[:1])
        moved = difference(layers[1].top, before, tolerance=0.0)
        return "" if moved else "once unfrozen it does not move"

    def new_values(self) -> str:
        """The optimizer keeps following a parameter after `.double()`."""
        layers = _layers()
        optimizer = self.make(layers)
        _take_steps(layers, optimizer, _STEPS[:2])
        for layer in layers:
            layer.to(layer.top.double().dtype)
        _take_steps(layers, optimizer, _STEPS[2:])
        fault = difference(_flat(layers), self._train(_layers()))
        return f"if the parameters are moved in memory, the value {fault}" if fault else ""

    def a_copy(self) -> str:
        """A copy of optimizer and parameters continues as the original does."""
        layers = _layers()
        optimizer = self.make(layers)
        _take_steps(layers, optimizer, _STEPS[:2])
        other_layers, other = deepcopy((layers, optimizer))
        _take_steps(layers, optimizer, _STEPS[2:])
        _take_steps(other_layers, other, _STEPS[2:])
        fault = difference(_flat(other_layers), _flat(layers), tolerance=1e-12)
        return f"after copy.deepcopy the value {fault}: some state is not copied" if fault else ""

    def types(self) -> str:
        """Single precision stays single, and agrees with double."""
        single = self._train([Parameter(each.top.float(), name=each.label) for each in _layers()])
        if single.dtype != empty(0).float().dtype:
            return f"parameters of float32 become {single.dtype}"
        fault = difference(single, self._train(_layers()), tolerance=1e-3)
        return f"in float32 the value {fault}" if fault else ""


def _layers(sizes: tuple[int, ...] = _SIZES) -> list[Parameter]:
    """Twelve numbers of about 0.1 in one or several parameters."""
    numbers: Any = wave(empty(sum(sizes)).double())
    values = numbers.sub(1.5).mul(0.1).split(list(sizes))
    return [Parameter(each.clone(), name=f"p{place}") for place, each in enumerate(values)]


def _gradient(size: int, step: int) -> Tensor:
    """Gradients of both signs and of sizes between 0.5 and 2.5, different at each step."""
    numbers = wave(empty(size + step).double())[step:]
    signs = wave(empty(size + 3 * step).double())[3 * step :].sub(1.5).sign()
    return numbers * signs


def _give(layers: list[Parameter], step: int) -> None:
    """Give each parameter its part of the gradient of a step."""
    sizes = [layer.top.numel() for layer in layers]
    whole: Any = _gradient(sum(sizes), step)
    for layer, part in zip(layers, whole.split(sizes), strict=True):
        layer.grad = part.to(layer.top.dtype).view(layer.top.shape)


def _take_steps(layers: list[Parameter], optimizer: Any, steps: Iterable[int] = _STEPS) -> None:
    """Take some steps of an optimizer."""
    for step in steps:
        _give(layers, step)
        optimizer.step()


def _flat(layers: list[Parameter], part: str = "top") -> Tensor:
    """The values of all parameters, or their gradients, in one copy."""
    flat: Tensor = ops.cat([getattr(layer, part).reshape(-1) for layer in layers])
    return flat
