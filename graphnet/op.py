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
from inspect import CO_VARARGS
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeVar, dataclass_transform, overload

from graphnet.errors import GraphError, counted, shape_text
from graphnet.misfits import kind_of_misfit

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.graph.node import Node


class Symbolic:
    """A stand-in for a tensor: an op applied to it is recorded, not computed."""

    __slots__ = ()
    apply: Callable[..., Any]
    shape: tuple[int | None, ...]
    line: str

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self.shape)


T = TypeVar("T", "Tensor", "Node")
"""A tensor or a node: an operation returns the kind that it is given."""


class Training:
    """The argument for the training mode of the module that appends an operation.

    Outside any module it is the mode of the graph. It is read at each walk.
    """

    def __repr__(self) -> str:
        return "training"


TRAINING = Training()

NEEDED = {"symbol": 'symbol = "x³", which pictures show', "forward": "def forward(self, x)"}
"""What an op class must define, with an example of each."""


class Rule(NamedTuple):
    """The derivative of an operation by one of its inputs."""

    function: Callable[..., Any]
    reads: tuple[str, ...]
    """What it reads: `grad`, `top`, or inputs; `x_like` reads only the shape of x.

    The rule of an input `*tensors` may read `*tensors`, and `place`, the index of its tensor.
    """


@dataclass_transform(frozen_default=True, eq_default=False)
class Op:
    """The base class of all rules: `forward`, one `grad_<input>` for each input, and a symbol.

    Options are annotated class attributes, as in a frozen dataclass: `dim: int = 0` is set by
    `Sum(dim=1)`. For an input without a derivative, write `grad_<input> = None`. An input named
    `<input>_like` is read for its shape only, and needs no rule. An op class is final.
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
    pure: ClassVar[bool | None] = None
    """True if equal inputs always give equal results, and nothing else is read or changed.

    A program computes equal uses of a pure op once, and uses with constants at compile time. If
    None, the ops of this package are pure and a user's are not: they may draw or count.
    """
    trial: ClassVar[Callable[..., Any] | None] = None
    """What finds the output's shape if `forward` draws random numbers or keeps state."""

    def __init_subclass__(cls) -> None:
        """Read the rules from the class, and refuse a class that is not complete."""
        if cls.__base__ is not Op:
            raise TypeError(f"{cls.__name__}: an op class is final; derive from Op itself.")
        for required, example in NEEDED.items():
            if required not in vars(cls):
                raise TypeError(f"{cls.__name__}: an op needs a {required}, such as {example}.")
        cls.option_names = tuple(
            name for name, kind in cls.__annotations__.items() if "ClassVar" not in str(kind)
        )
        for option in cls.option_names:
            if hasattr(Op, option) or option in Op.__annotations__:
                raise TypeError(f"{cls.__name__}: an option cannot be called {option!r}.")
        cls.name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", cls.__name__).lower()
        if cls.broadcasts and not cls.hint:
            cls.hint = "Sizes must be equal, or one of them 1, counted from the last dimension."
        arguments = _arguments(cls.forward)
        cls.variadic = any(name.startswith("*") for name in arguments)
        arguments = tuple(name.lstrip("*") for name in arguments)
        cls.arguments = arguments
        cls.inputs = tuple(name.removesuffix("_like") for name in arguments)
        for name in vars(cls):
            if name.startswith("grad_") and name.removeprefix("grad_") not in arguments:
                raise TypeError(
                    f"{cls.__name__}.{name} belongs to no input; the inputs of forward are "
                    f"{', '.join(arguments)}."
                )
        cls.rules = {
            name.removesuffix("_like"): None if name.endswith("_like") else _rule(cls, name)
            for name in arguments
        }

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
            if name not in options and name not in vars(type(self)):
                raise TypeError(f"{type(self).__name__} needs the option {name!r}.")
            vars(self)[name] = options.get(name, vars(type(self)).get(name))

    @overload  # after a number, the next argument decides between tensor and node
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
            _refuse_no_tensor(self, args, error.obj)
            raise
        except (RuntimeError, IndexError) as error:
            if "allocate memory" in str(error):
                raise
            raise _misfit(self, args, error) from None

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
            if typed(value) != typed(vars(type(self)).get(name, self))
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
        values: list[Any] = []
        for name in rule.reads:
            if name.startswith("*"):
                values.extend(arguments[first:])
            elif name == "place":
                values.append(place - first)
            elif name == "grad":
                values.append(grad)
            elif name in ("top", "top_like"):
                values.append(top)
            else:
                values.append(arguments[self.inputs.index(name.removesuffix("_like"))])
        return values


def _refuse_no_tensor(op: Op, args: tuple[Any, ...], asked: object) -> None:
    """Refuse an argument that lacks what only tensors and nodes have, and is neither."""
    if any(asked is arg for arg in args) and not hasattr(asked, "dtype"):
        kind = "None" if asked is None else type(asked).__name__
        raise GraphError(f"{op.name} takes a tensor or a node here; got {kind}.") from None


def _misfit(op: Op, args: tuple[Any, ...], error: Exception) -> GraphError:
    """The error for tensors that do not fit an op, from torch's message."""
    reason = str(error).partition("\n")[0]
    shapes = "; ".join(shape_text(tuple(arg.shape)) for arg in args if hasattr(arg, "shape"))
    way_out = f"\n  way out: {op.hint}" if op.hint else ""
    kind = kind_of_misfit(op, args)
    return kind(f"{op.name} cannot be applied here: {reason}\n  got: {shapes}{way_out}")


def typed(value: Any) -> Any:
    """A value together with its type, so that 1, 1.0 and True differ."""
    if isinstance(value, tuple):
        return tuple(typed(item) for item in value)
    return type(value), value


def _arguments(function: Callable[..., Any]) -> tuple[str, ...]:
    """The names of a method's positional arguments, without `self`; `*tensors` keeps its star."""
    code = function.__code__
    names = code.co_varnames[1 : code.co_argcount]
    if code.co_flags & CO_VARARGS:
        names += (f"*{code.co_varnames[code.co_argcount + code.co_kwonlyargcount]}",)
    return names


def _rule(cls: type[Op], name: str) -> Rule | None:
    """The rule `grad_<name>` of an op class, checked."""
    rule_name = f"grad_{name}"
    if rule_name not in vars(cls):
        raise TypeError(
            f"{cls.__name__}: input {name!r} has no derivative rule. "
            f"Write {rule_name}(self, grad, ...), or {rule_name} = None if there is none."
        )
    function = vars(cls)[rule_name]
    if function is None:
        return None
    reads = _arguments(function)
    known = {"grad", "top", "top_like"}
    for argument in _arguments(cls.forward):
        known |= {argument, argument.removesuffix("_like") + "_like"}
        known |= {"place"} if argument.startswith("*") else set()
    for read in reads:
        if read not in known:
            raise TypeError(
                f"{cls.__name__}.{rule_name} reads {read!r}; "
                f"it can read {', '.join(sorted(known))}."
            )
    return Rule(function, reads)
