"""The rule of an operation: what it computes, and how a gradient flows back through it.

An `Op` is a *rule*; its use at one place in a graph is an `Operation` (see `graphnet.graph`).
A rule is written once, with operators and methods that tensors and nodes share. Given
tensors it computes numbers; given nodes it appends nodes to their graph.

```python
class Tanh(Op):
    symbol = "tanh"

    def forward(self, x):
        return x.tanh()

    def grad_x(self, grad, top):     # one rule per input; its arguments are what it reads
        return grad * (1 - top * top)
```
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, dataclass_transform, overload

from graphnet.errors import GraphError, counted
from graphnet.op_rules import Bounds, Rule, arguments_of, options_of, require_complete, rules_of
from graphnet.operand_errors import misfit, refuse_no_tensor

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.graph.node import Node


class Symbolic:
    """A stand-in for a tensor: what applying an op to it gives is up to `apply(op, arguments)`."""

    __slots__ = ()
    apply: Callable[..., Any]


T = TypeVar("T", "Tensor", "Node")
"""A tensor or a node: an operation returns the kind that it is given."""


class Training:
    """The argument for the training mode of the module that appends an operation.

    Outside any module it is the mode of the graph. It is read at each walk.
    """

    def __repr__(self) -> str:
        return "training"


TRAINING = Training()


@dataclass_transform(frozen_default=True, eq_default=False)
class Op:
    """The base class of all rules: `forward`, one `grad_<input>` for each input, and a symbol.

    Options are annotated class attributes, as in a frozen dataclass: `dim: int = 0` is set by
    `Sum(dim=1)`. For an input without a derivative, write `grad_<input> = None`. An input named
    `<input>_like` is read for its shape only, and needs no rule. An op class is final; what several
    share stands in a class with `abstract=True`, such as `Elementwise`, which is no op itself.

    Traits are facts that others need. An op says only where it differs from the default:

    | trait | default | who reads it |
    |---|---|---|
    | `broadcasts`, `core_dims` | False, 0 | the backward walk, `graph.gradients` |
    | `elementwise` | False | compiled programs, which may write over an input; formulas |
    | `view` | False | compiled programs, which need no line for it |
    | `composite` | False | compiled programs, which run its parts |
    | `pure` | in this package True | compiled programs: equal uses, constants, measuring |
    | `mutates` | False | `graph.doctor`: nothing has to read its value |
    | `structural` | `view` | `flops`; `graph.doctor`, which compares gradients |
    | `contraction` | False | `flops`; `graph.doctor`, which compares layers |
    | `flops`, `backward_flops` | from the shapes | `graph.summary` |
    | `bounds` | None | `graph.doctor` and `DeadLayers`: dead and saturated units |
    | `infix` | none | formulas |
    """

    name: ClassVar[str]
    """The name of the class in snake case: `LogSoftmax` is `log_softmax`."""
    symbol: ClassVar[str]
    """What a picture of the graph shows."""
    hint: ClassVar[str] = ""
    """The way out that the error message gives when the shapes do not fit."""
    broadcasts: ClassVar[bool] = False
    """True if the inputs are broadcast: gradients are then summed back to the inputs' shapes."""
    mixes_dtypes: ClassVar[bool] = False
    """True if the inputs may have different floating-point dtypes."""
    core_dims: ClassVar[int] = 0
    """How many of the last dimensions do not broadcast: two for a matrix product."""
    elementwise: ClassVar[bool] = False
    """True if each element is computed from those at its place in the inputs alone."""
    view: ClassVar[bool] = False
    """True if the output is the memory of the first input, seen in another way.

    A reshape is one too, though it copies what does not lie side by side.
    """
    composite: ClassVar[bool] = False
    """True if `forward` only applies other ops, to nodes too, and no kernel does it in one."""
    pure: ClassVar[bool] = False
    """True if equal inputs always give equal results, and nothing else is read or changed.

    The ops of this package are, unless they say otherwise or change an input; a user's are only if
    they say so: they may draw or count.
    """
    mutates: ClassVar[bool] = False
    """True if it changes an input on its way, such as a running mean."""
    structural: ClassVar[bool] = False
    """True if it only moves numbers, or fills in some that take no arithmetic; a view does."""
    contraction: ClassVar[bool] = False
    """True if it sums products of its first two inputs, data and weights."""
    infix: ClassVar[str] = ""
    """The sign between its two inputs in a formula; if empty, it is written as a function."""
    option_names: ClassVar[tuple[str, ...]] = ()
    """The names of the options, read from the class."""
    inputs: ClassVar[tuple[str, ...]] = ()
    """The names of the inputs, read from the signature of `forward`."""
    arguments: ClassVar[tuple[str, ...]] = ()
    """The names as written: `x_like` for an input that is read for its shape only."""
    rules: ClassVar[dict[str, Rule | None]] = {}
    """The derivative rule for each input, read from the class."""
    variadic: ClassVar[bool] = False
    """True if the last input takes any number of tensors, as in `forward(self, *tensors)`."""
    forward: ClassVar[Callable[..., Any]]
    trial: ClassVar[Callable[..., Any] | None] = None
    """What finds the output's shape if `forward` draws random numbers or keeps state."""

    def __init_subclass__(cls, abstract: bool = False) -> None:
        """Read the rules from the class, and refuse a class that is not complete."""
        super().__init_subclass__()
        base: Any = cls.__base__
        if not issubclass(base, Op) or hasattr(base, "forward"):
            raise TypeError(f"{cls.__name__}: an op class is final; derive from Op itself.")
        cls.option_names = base.option_names + options_of(cls, Op)
        if abstract:
            return
        require_complete(cls)
        cls.name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", cls.__name__).lower()
        if cls.broadcasts and not cls.hint:
            cls.hint = "Sizes must be equal, or one of them 1, counted from the last dimension."
        if "pure" not in vars(cls):
            cls.pure = cls.__module__.startswith("graphnet.") and not cls.mutates
        cls.structural = cls.structural or cls.view
        arguments = arguments_of(cls.forward)
        cls.variadic = any(name.startswith("*") for name in arguments)
        cls.arguments = tuple(name.lstrip("*") for name in arguments)
        cls.inputs = tuple(name.removesuffix("_like") for name in cls.arguments)
        cls.rules = rules_of(cls, arguments)

    def __init__(self, *values: Any, **options: Any) -> None:
        # What a frozen dataclass does, without the half millisecond that making each one takes.
        names = self.option_names
        if len(values) > len(names) or not options.keys() <= set(names[len(values) :]):
            takes = f"the options {', '.join(names)}" if names else "no options"
            raise TypeError(
                f"{type(self).__name__}() takes {takes}; the inputs go in a second pair of "
                f"parentheses: {type(self).__name__}(...)({', '.join(self.inputs)})."
            )
        options.update(zip(names, values, strict=False))
        for name in names:
            if name not in options and not hasattr(type(self), name):
                raise TypeError(f"{type(self).__name__} needs the option {name!r}.")
            vars(self)[name] = options[name] if name in options else getattr(type(self), name)

    # After a number, the next argument decides between tensor and node. That the second one takes
    # such arguments too is ignored: the first that fits counts.
    @overload
    def __call__(self, first: float, second: T, /, *others: Any) -> T: ...  # type: ignore[overload-overlap]
    @overload
    def __call__(self, first: T | float, /, *others: Any) -> T: ...
    def __call__(self, first: Any, /, *others: Any) -> Any:
        """Compute when given tensors; append one operation when given nodes."""
        args = (first, *others)
        try:
            for arg in args:
                if isinstance(arg, Symbolic):
                    return arg.apply(self, args)
            return self.forward(*args)
        except AttributeError as error:
            refuse_no_tensor(self, args, error.obj)
            raise
        except (RuntimeError, IndexError) as error:
            if "allocate memory" in str(error):
                raise
            raise misfit(self, args, error) from None

    @property
    def options(self) -> dict[str, Any]:
        """The options of this op by name."""
        return dict(vars(self))

    @property
    def chosen(self) -> list[str]:
        """The options that differ from their defaults, as strings: ["dim=1"]."""
        return [
            f"{name}={value!r}"
            for name, value in self.options.items()
            if typed(value) != typed(getattr(type(self), name, self))
        ]

    @property
    def key(self) -> tuple[Any, ...]:
        """What makes two ops equal: class, and options with their types (1, 1.0, True differ)."""
        return (type(self), *(typed(option) for option in self.options.values()))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Op) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(self.chosen)})"

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(
            f"{self!r}: an op is frozen. Annotate an option in the class, as in `{name}: float "
            f"= 1.0`, and set it when you make the op: {type(self).__name__}({name}=...)."
        )

    def flops(self, shape: Sequence[int], *shapes: Sequence[int]) -> int:
        """The floating-point operations of `forward`, for an output and inputs of these shapes.

        A sum of k products is 2 k, with k the last size of the first input. Any other function
        counts one for each element that it reads or returns, whichever are more.
        """
        if self.contraction:
            return 2 * prod(shape) * shapes[0][-1]
        return 0 if self.structural else max(map(prod, (shape, *shapes)))

    def backward_flops(self, place: int, shape: Sequence[int], *shapes: Sequence[int]) -> int:
        """Those of the derivative by the input at `place`: as many as forward."""
        return self.flops(shape, *shapes)

    def bounds(self) -> Bounds | None:
        """What the outputs of an activation lie between; None for other ops."""
        return None

    def argument_names(self, count: int) -> list[str]:
        """The name of each of `count` arguments; the last one is repeated as needed."""
        return [*self.arguments, *self.arguments[-1:] * (count - len(self.arguments))]

    def rules_for(self, count: int) -> list[Rule | None]:
        """The derivative rule for each of `count` arguments.

        Raises:
            GraphError: the op takes a different number of arguments.
        """
        missing = count - len(self.inputs)
        if missing < 0 or (missing and not self.variadic):
            names = ", ".join(map(repr, self.inputs))
            raise GraphError(f"{self.name} takes {names}; got {counted(count, 'argument')}.")
        rules = list(self.rules.values())
        return [*rules, *rules[-1:] * missing]

    def read(
        self, rule: Rule, place: int, arguments: Sequence[Any], grad: Any, top: Any
    ) -> list[Any]:
        """The values that the rule for the argument at `place` reads."""
        first = len(self.inputs) - 1
        known = {"place": place - first, "grad": grad, "top": top, "top_like": top}
        values: list[Any] = []
        for name in rule.reads:
            if name.startswith("*"):
                values += arguments[first:]
            elif name in known:
                values.append(known[name])
            else:
                values.append(arguments[self.inputs.index(name.removesuffix("_like"))])
        return values


def typed(value: Any) -> Any:
    """A value together with its type, so that 1, 1.0 and True differ."""
    if isinstance(value, tuple):
        return tuple(typed(item) for item in value)
    return type(value), value


class Elementwise(Op, abstract=True):
    """An op that computes each element from those at its place in the inputs alone."""

    elementwise = True


class Broadcasting(Elementwise, abstract=True):
    """An elementwise op whose inputs are broadcast."""

    broadcasts = True


class Stepwise(Broadcasting, abstract=True):
    """One of two inputs that is constant except for steps: no gradient flows."""

    grad_x = grad_y = None


class View(Op, abstract=True):
    """An op whose output is the memory of its first input, seen in another way."""

    view = True


class Structural(Op, abstract=True):
    """An op that only moves numbers, or fills in some that take no arithmetic."""

    structural = True
