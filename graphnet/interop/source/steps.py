"""The forward of an imported model as lines: its steps, with whole layers as calls of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphnet.interop.modes import MODE_ARGUMENTS
from graphnet.interop.source.expressions import expression
from graphnet.interop.source.layers import constructor
from graphnet.interop.source.modules import attribute
from graphnet.interop.source.returns import Returns
from graphnet.interop.source.variables import Variables
from graphnet.interop.steps import Ref, Step

if TYPE_CHECKING:
    from graphnet.interop.imported import ImportedModel


class StepLines:
    """The lines of `forward` for the steps of an imported model.

    Attributes:
        lines: the lines.
        arguments: the parameters of `forward`.
        returns: what it returns, and the classes of that.
    """

    def __init__(self, model: ImportedModel) -> None:
        self.model = model
        self.variables = Variables()
        self.lines: list[str] = []
        self.names: dict[int, str] = {}
        self.readers: dict[int, list[Step]] = {}
        self.arguments = self._arguments()
        for number, leaf in model.steps.leaves.items():
            if leaf.kind == "state":
                self.names[number] = attribute(leaf.name)
        for step in model.steps.steps:
            for number in step.refs:
                self.readers.setdefault(number, []).append(step)
        self._write(list(model.steps.steps))
        self.returns = Returns(self.names, self.variables)
        self.lines.append(f"return {self.returns.text(model.steps.outputs)}")

    def _arguments(self) -> list[str]:
        """The names of the inputs; nested ones are taken apart first."""
        numbers = {leaf.name: n for n, leaf in self.model.steps.leaves.items()}
        inputs = [numbers.get(name) for *_, name in self.model.examples]
        arguments = []
        for place, given in enumerate(self.model.structure):
            if isinstance(given, Ref):
                name = self.variables.new(self.model.examples[given.number][2])
                self._name(inputs[given.number], name)
            else:
                name = self.variables.new(f"input_{place}")
                self._take_apart(given, name, inputs)
            arguments.append(name)
        return arguments

    def _name(self, number: int | None, name: str) -> None:
        if number is not None:
            self.names[number] = name

    def _take_apart(self, given: Any, text: str, inputs: list[int | None]) -> None:
        """Names for the tensors in nested tuples and dicts."""
        if not isinstance(given, dict | tuple | list):
            return
        for key, item in given.items() if isinstance(given, dict) else enumerate(given):
            if isinstance(item, Ref):
                self._name(inputs[item.number], f"{text}[{key!r}]")
            else:
                self._take_apart(item, f"{text}[{key!r}]", inputs)

    def _write(self, steps: list[Step]) -> None:
        """Lines for the steps, or one for all steps of a layer."""
        place = 0
        while place < len(steps):
            length = self._layer(steps, place)
            if not length:
                self._step(steps[place])
            place += length or 1

    def _layer(self, steps: list[Step], place: int) -> int:
        """Write the call of a layer of torch.nn, if the steps from a place on are one.

        Returns:
            How many steps it has; 0 if it is not written as a call.
        """
        path = self._layer_around(steps[place])
        if not path or (place and steps[place - 1].path[: len(path)] == path):
            return 0
        name = path[-1].partition("@")[0]
        module = self._module(name)
        end = place
        while end < len(steps) and steps[end].path[: len(path)] == path:
            end += 1
        inside = steps[place:end]
        made = {step.number for step in inside}
        own = {id(each) for _, each in module.named_state()}
        given = dict.fromkeys(n for s in inside for n in s.refs if n not in made)
        outer = [n for n in given if id(self._state(n)) not in own]
        used = [s.number for s in inside if self._is_read_after(s.number, inside)]
        if len(outer) != 1 or len(used) != 1 or module.options.get("return_indices"):
            return 0
        if any(map(_has_fixed_mode, inside)) or any(_is_sized(s, module) for s in inside):
            return 0
        kind = type(module).__name__.lower()
        variable = self.variables.new(kind if name.isdigit() else name.replace(".", "_"))
        self.lines.append(f"{variable} = {attribute(name)}({self.names[outer[0]]})")
        self.names[used[0]] = variable
        return len(inside)

    def _layer_around(self, step: Step) -> tuple[str, ...]:
        """The path of the outermost layer of torch.nn that a step is in; empty for none."""
        for depth, call in enumerate(step.path, 1):
            if constructor(self._module(call.partition("@")[0])):
                return step.path[:depth]
        return ()

    def _module(self, path: str) -> Any:
        module: Any = self.model
        for name in path.split("."):
            module = module.held[name]
        return module

    def _state(self, number: int) -> Any:
        leaf = self.model.steps.leaves.get(number)
        if leaf is None or leaf.kind != "state":
            return None
        return dict(self.model.named_state()).get(leaf.name)

    def _is_read_after(self, number: int, inside: list[Step]) -> bool:
        here = {step.number for step in inside}
        read = any(step.number not in here for step in self.readers.get(number, []))
        return read or number in self.model.steps.returned

    def _step(self, step: Step) -> None:
        """A line for one step, with the counter of a batch normalization before it."""
        path = step.path[-1].partition("@")[0] if step.path else ""
        mode = f"{attribute(path) if path else 'self'}.training"
        batches = step.kwargs.get("batches")
        if isinstance(batches, Ref):
            self.lines += [f"if {mode}:", f"    {self.names[batches.number]}.add_(1)"]
        text = expression(step, lambda ref: self.names[ref.number], mode)
        variable = self.variables.new(_wanted(step))
        self.lines.append(f"{variable} = {text}")
        self.names[step.number] = variable


def _has_fixed_mode(step: Step) -> bool:
    """True for a normalization or dropout that does not follow the mode of its module."""
    place = MODE_ARGUMENTS.get(step.target)
    return place is not None and step.args[place] is False


def _is_sized(step: Step, module: Any) -> bool:
    """True for a transposed convolution that was called with a size for its output."""
    if not step.name.startswith("conv_transpose"):
        return False
    own = module.options.get("output_padding", ())
    return bool(tuple(step.args[5] if len(step.args) > 5 else (0,) * len(own)) != own)


def _wanted(step: Step) -> str:
    """The name that a value should have: that of its operation."""
    names = {"sym_size": "size", "getitem": "part", "scaled_dot_product_attention": "attention"}
    short = step.target.rpartition(".")[2] if step.target.startswith("operator.") else step.name
    return names.get(short, short)
