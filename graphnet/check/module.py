"""The check of your own module: as an operation, and as a holder of parameters."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from warnings import catch_warnings, filterwarnings

from graphnet.check.finite_differences import wave
from graphnet.check.report import NotChecked, Report, examine
from graphnet.check.subject import Subject, difference, listed
from graphnet.check.suite import Suite
from graphnet.errors import GraphError, LoadError

if TYPE_CHECKING:
    from graphnet.layers import Module


def check_module(
    module: Module,
    *shapes: Any,
    reference: Callable[..., Any] | None = None,
    low: float = -2.0,
    high: float = 2.0,
    integers: Mapping[int, int] | None = None,
    skip: Collection[str] = (),
) -> Report:
    """Check a module: its values and derivatives, and how it holds its parameters.

    The module is not changed: the checks work on copies.

    Args:
        module: the module; call `module.eval()` first if it draws random numbers.
        shapes: the shape of each input; anything but a tuple is passed as it is.
        reference: a function of tensors that computes the same value in float64.
        low: the smallest value of the inputs.
        high: the largest value of the inputs.
        integers: for each integer input, by index, the number of values, from 0.
        skip: checks to leave out, by name.

    Raises:
        GraphError: it is not a module, or there is no such check.

    >>> import graphnet as gn
    >>> print(gn.check_module(gn.Linear(3, 2), (4, 3)).findings[-1].name)
    other shapes
    """
    if not hasattr(module, "build") or not hasattr(module, "named_state"):
        raise GraphError(f"check_module takes a module; got {type(module).__name__}.")
    if not shapes:
        raise GraphError("check_module needs the shape of each input: check_module(net, (5, 2)).")
    original = deepcopy(module)

    def fresh(double: bool) -> Module:
        copy = deepcopy(original)
        return copy.double() if double else copy.float()

    suite = _ModuleSuite(Subject(fresh, shapes, low, high, integers or {}), reference)
    with catch_warnings():  # about parameters that are not listed, which have their own check
        filterwarnings("ignore", r".*parameters\(\) does not list", UserWarning)
        return examine(type(module).__name__, suite, skip)


class _ModuleSuite(Suite):
    """The checks of a module: those of an operation, and those for modules only."""

    def _fresh(self) -> Any:
        """A copy of the module, in double precision."""
        return self.subject.make(True)

    def tensors_and_nodes(self) -> str:
        """A call with tensors gives the same values as the graph."""
        values = self.subject.values()
        tops = listed(self._fresh().forward(*values))
        expected = self.subject.build(values).forward(values)
        for number, (ours, theirs) in enumerate(zip(tops, expected, strict=True)):
            if fault := difference(ours, theirs):
                return f"output {number} of module.forward {fault}, as in the graph"
        return ""

    def parameters(self) -> str:
        """The module lists every parameter that the graph uses."""
        values = self.subject.values()
        module = self._fresh()
        listed = [parameter for _, parameter in module.named_state()]
        built = replace(self.subject, make=lambda _: module).build(values)
        for parameter in built.graph.parameters():
            if parameter not in listed:
                return (
                    f"{built.graph.name_of(parameter)!r} is used in build, but the module does not "
                    "list it: assign it to an attribute in __init__"
                )
        if not listed:
            raise NotChecked("the module has no parameters")
        used = {source for node in built.graph for source in node.inputs}
        grads = dict(zip(built.sources, built.run(values)[1], strict=True))
        for name, parameter in module.named_parameters():
            if parameter not in used:
                return f"the parameter {name!r} is listed, but build does not use it"
            if parameter.requires_grad and not grads[parameter].isfinite().all():
                return f"the gradient of the parameter {name!r} is not finite"
        return ""

    def untouched_parameters(self) -> str:
        """The walks change no parameter; buffers may change in training."""
        module, values = self._fresh(), self.subject.values()
        before = {name: each.top.clone() for name, each in module.named_parameters()}
        self._back(module, module.forward(*values))
        for name, each in module.named_parameters():
            if difference(each.top, before[name], tolerance=0.0):
                return f"the parameter {name!r} is changed by forward or backward"
        return ""

    @staticmethod
    def _back(module: Module, result: Any) -> Any:
        """Walk backward from a weight for each element of the outputs."""
        tops = listed(result)
        if not all(top.dtype.is_floating_point for top in tops):
            raise NotChecked("an output is not floating-point")
        return module.backward(*(wave(top) for top in tops))

    def state(self) -> str:
        """The state is a copy, and gives another module of this kind the same values."""
        module, values = self._fresh(), self.subject.values()
        state = module.state_dict()
        if not state:
            raise NotChecked("the module has no parameters or buffers")
        expected = [each.clone() for each in listed(module.forward(*values))]
        other = self._fresh()
        for each in dict(other.named_state()).values():
            each.top.zero_()
        other.load_state_dict(state)
        for ours, theirs in zip(listed(other.forward(*values)), expected, strict=True):
            if fault := difference(ours, theirs):
                return f"after load_state_dict the output {fault}: something is not in state_dict"
        before = {name: each.clone() for name, each in other.state_dict().items()}
        for tensor in state.values():
            tensor.zero_()
        if any(difference(each, before[name]) for name, each in other.state_dict().items()):
            return "load_state_dict keeps the given tensors instead of copying them"
        try:
            other.load_state_dict({**before, "no such name": next(iter(before.values()))})
        except LoadError:
            return ""
        return "load_state_dict takes a name that the module does not have"

    def backward(self) -> str:
        """`module.backward` adds to the gradients, and `zero_grad` clears them."""
        module, values = self._fresh().eval(), self.subject.values()
        self._back(module, module.forward(*values))
        once = [each[1].clone() for each in module.param()]
        if not once:
            raise NotChecked("the module has no parameters")
        self._back(module, module.forward(*values))
        for (_, grad), first in zip(module.param(), once, strict=True):
            if fault := difference(grad, 2 * first):
                return f"after a second backward a gradient {fault}: gradients must add up"
        module.zero_grad()
        if any(bool(grad.any()) for _, grad in module.param()):
            return "after zero_grad a gradient is not zero"
        return ""

    def shared_weights(self) -> str:
        """Called twice in one graph, a module uses the same parameters twice."""
        module, values = self._fresh(), self.subject.values()

        def called_twice(*nodes: Any) -> tuple[Any, ...]:
            return (*listed(module(*nodes)), *listed(module(*nodes)))

        built = replace(self.subject, make=lambda _: called_twice).build(values)
        once = len(self.subject.build(values).graph.parameters())
        twice = len(built.graph.parameters())
        if twice != once:
            return f"one call uses {once} parameters, two calls {twice}: build makes new ones"
        return ""
