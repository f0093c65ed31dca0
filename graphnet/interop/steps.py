"""What a torch module computes, as a list of steps without writes: the form between two lists.

torch's exported program writes into tensors; a step only returns a value. `functional` makes
steps, `modes` merges those of both modes, and `imported` appends the operations of each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from torch.utils import _pytree as pytree


@dataclass(frozen=True)
class Ref:
    """The value of an earlier step, or of a leaf, by its number."""

    number: int


class Follow:
    """An argument that is the training mode of the module, not a number of its own."""

    def __repr__(self) -> str:
        return "training"

    def __reduce__(self) -> str:
        return "FOLLOW"


FOLLOW = Follow()


@dataclass(frozen=True)
class Leaf:
    """A value that no step computes.

    Attributes:
        kind: "input", "state" for a parameter or buffer, or "constant".
        name: the name of the input, or of the parameter, buffer or constant in the module.
    """

    kind: str
    name: str


@dataclass(frozen=True)
class Step:
    """One operation of torch on earlier values.

    Attributes:
        number: the number of its value.
        target: the operation, such as "aten.linear.default".
        args: the arguments: numbers, `Ref`, and nested tuples of them.
        kwargs: the named arguments.
        path: the calls of modules around it, from the outside: ("encoder", "encoder.layers.0").
        line: the user's line, "file:number"; empty if unknown.
        shape: the sizes of its value, None for one that depends on the batch; None if it is no
            tensor.
        dtype: the dtype of its value.
    """

    number: int
    target: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    path: tuple[str, ...] = ()
    line: str = ""
    shape: tuple[int | None, ...] | None = None
    dtype: Any = None

    @property
    def name(self) -> str:
        """The operation without its library and overload: "linear"."""
        return self.target.removeprefix("aten.").removeprefix("graphnet.").partition(".")[0]

    @property
    def refs(self) -> list[int]:
        """The numbers of the values that it reads."""
        return [ref.number for ref in refs_in((self.args, self.kwargs))]

    def mapped(self, change: Callable[[Ref], Any]) -> Step:
        """The step with every reference replaced."""
        args, kwargs = replaced((self.args, self.kwargs), change)
        return replace(self, args=args, kwargs=kwargs)


@dataclass
class Steps:
    """The steps of a module in one mode or in both.

    Attributes:
        leaves: inputs, parameters, buffers and constants by number.
        steps: the steps in order.
        outputs: references, nested as the module returns them, in its own classes.
        writes: the buffers that the module writes, by name, with the steps that give their values.
        inputs: the name of each input, with its shape and None for open dimensions.
        constants: the values of the constants by name.
    """

    leaves: dict[int, Leaf] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    outputs: Any = None
    writes: dict[str, Ref] = field(default_factory=dict)
    inputs: dict[str, tuple[int | None, ...]] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)

    @property
    def returned(self) -> list[int]:
        """The numbers of the outputs."""
        leaves = pytree.tree_leaves(self.outputs)
        return [each.number for each in leaves if isinstance(each, Ref)]

    def outputs_as(self, change: Callable[[Ref], Any]) -> Any:
        """The outputs with every reference replaced."""
        return pytree.tree_map(
            lambda each: change(each) if isinstance(each, Ref) else each, self.outputs
        )

    @property
    def is_plain(self) -> bool:
        """True for outputs in tuples and dicts, and lists inside those."""
        return type(self.outputs) is not list and _is_plain(self.outputs)

    def needed(self) -> list[Step]:
        """The steps on which the outputs depend."""
        wanted = set(self.returned)
        kept = []
        for step in reversed(self.steps):
            if step.number in wanted:
                kept.append(step)
                wanted.update(step.refs)
        return kept[::-1]


def _is_plain(value: Any) -> bool:
    """True for a leaf, and for tuples, lists and dicts of no other class."""
    if type(value) in (tuple, list, dict):
        return all(map(_is_plain, value.values() if isinstance(value, dict) else value))
    return bool(pytree.tree_structure(value).is_leaf())


def refs_in(value: Any) -> Iterator[Ref]:
    """The references in nested tuples, lists and dicts, in order."""
    if isinstance(value, Ref):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from refs_in(item)
    elif isinstance(value, tuple | list):
        for item in value:
            yield from refs_in(item)


def replaced(value: Any, change: Callable[[Ref], Any]) -> Any:
    """Nested tuples, lists and dicts with every reference replaced; lists become tuples."""
    if isinstance(value, Ref):
        return change(value)
    if isinstance(value, Mapping):
        return {name: replaced(item, change) for name, item in value.items()}
    if isinstance(value, tuple | list):
        return tuple(replaced(item, change) for item in value)
    return value
