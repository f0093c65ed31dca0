"""The base class of exercises: operations with a given forward and without rules."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from inspect import getsource, isfunction, signature
from math import prod
from textwrap import dedent, indent
from typing import TYPE_CHECKING, Any, ClassVar, cast

from graphnet.check.finite_differences import PLACES
from graphnet.check.subject import Subject
from graphnet.errors import GraphError
from graphnet.exercises.report import FORM
from graphnet.graph import Parameter
from graphnet.layers import Module
from graphnet.notebook import Source
from graphnet.op import Op

if TYPE_CHECKING:
    from torch import Tensor

Shape = tuple[int, ...]

_OF_OPS = {*dir(Op), *Op.__annotations__}
"""Attributes of every op, which are not taken from an answer."""
_RESERVED = {"exercise", *(name for name in _OF_OPS if not name.startswith("__"))}
_RESERVED -= {"symbol", "forward", "inputs", "broadcasts"}
"""Names that would change an op or an exercise if a subclass of `Exercise` defined them."""


class Exercise:
    """An operation with a forward and without derivative rules: the base of all exercises.

    A teacher derives an exercise from this class and defines `forward`, a symbol and the shapes
    for grading. A student derives an answer from the exercise and writes `grad_<input>` for each
    input. For an input without a derivative, the exercise sets `grad_<input> = None`; the sentence
    `clue_<input>` is given if no usual mistake explains a wrong rule.

    >>> import graphnet as gn
    >>> class Cube(gn.exercises.Exercise):
    ...     symbol = "x³"
    ...     shapes = ((5, 3),)
    ...     def forward(self, x):
    ...         return x * x * x
    >>> class MyCube(Cube):
    ...     def grad_x(self, grad, x):
    ...         return grad * x * x
    >>> gn.grade(MyCube).marks[0].hint
    'A factor 3 is missing.'
    """

    symbol: ClassVar[str] = "?"
    """What a picture of the graph shows."""
    shapes: ClassVar[tuple[Shape, ...]] = ()
    """The shape of each input for grading; sizes that all differ reveal the most."""
    parameters: ClassVar[tuple[str, ...]] = ()
    """The inputs that become parameters of a layer; the answer is then graded as a layer."""
    integers: ClassVar[Mapping[str, int]] = {}
    """The integer inputs, and the number of values of each, from 0."""
    broadcasts: ClassVar[bool] = False
    """True if the inputs broadcast, and the walk, not the rules, sums the gradients."""
    low: ClassVar[float] = -2.0
    """The smallest value of the other inputs."""
    high: ClassVar[float] = 2.0
    """The largest value of the other inputs."""

    forward: ClassVar[Callable[..., Any]]
    exercise: ClassVar[type[Exercise]]
    """The exercise itself, also as an attribute of an answer."""
    inputs: ClassVar[tuple[str, ...]] = ()
    """The names of the inputs, read from the signature of `forward`."""

    def __init_subclass__(cls) -> None:
        """Read the inputs of an exercise, and refuse an incomplete one."""
        _refuse_reserved(cls)
        if Exercise not in cls.__bases__:
            return  # an answer
        if "forward" not in vars(cls):
            raise GraphError(f"{cls.__name__}: an exercise needs a forward to differentiate.")
        cls.exercise = cls
        cls.inputs = tuple(signature(cls.forward).parameters)[1:]
        _refuse_incomplete(cls)

    @classmethod
    def required_rules(cls) -> list[str]:
        """The names of the rules that a student writes: one for each floating-point input.

        An input needs no rule if the exercise sets `grad_<input> = None`.

        >>> import graphnet as gn
        >>> gn.exercises.CrossEntropy.required_rules()
        ['grad_x']
        """
        given = cls.exercise
        rules = [f"grad_{name}" for name in cls.inputs if name not in cls.integers]
        return [rule for rule in rules if rule not in vars(given)]

    @classmethod
    def points(cls) -> list[str]:
        """The names of the points of a grade, in order: one for each rule, and "form".

        >>> import graphnet as gn
        >>> gn.exercises.Mul.points()
        ['grad_x', 'grad_y', 'form']
        """
        return [*cls.required_rules(), FORM]

    @classmethod
    def clue(cls, name: str) -> str:
        """The hint for a wrong rule of this input that no usual mistake explains.

        Args:
            name: the name of the input, such as "x".
        """
        clue: str = getattr(cls.exercise, f"clue_{name}", "")
        return clue or (
            f"No usual mistake explains it. Take one element of {name}: which elements of the "
            "output change when it changes, and how fast?"
        )

    @classmethod
    def op(cls) -> Op:
        """The operation with the rules of this answer, for use in any graph.

        Raises:
            GraphError: a rule is not written yet.

        >>> import graphnet as gn
        >>> from torch import empty
        >>> class MyAdd(gn.exercises.Add):
        ...     def grad_x(self, grad):
        ...         return grad
        ...     grad_y = grad_x
        >>> MyAdd.op()(empty(2).fill_(1), empty(2).fill_(2))
        tensor([3., 3.])
        """
        missing = [rule for rule in cls.required_rules() if written(cls).get(rule) is None]
        if missing:
            raise GraphError(
                f"{cls.__name__} is not an operation yet: it lacks {', '.join(missing)}."
            )
        return assembled(cls, cls.exercise, cls.required_rules())

    @classmethod
    def module(cls, **values: Tensor) -> Module:
        """A layer that applies the operation and holds `parameters`.

        Args:
            values: the initial values of the parameters by name; by default in the shapes of the
                exercise, and the same at each call.

        Raises:
            GraphError: a rule is not written yet, or there is no such parameter.

        >>> import graphnet as gn
        >>> class Scale(gn.exercises.Exercise):
        ...     shapes, parameters = ((5, 3), (3,)), ("size",)
        ...     def forward(self, x, size):
        ...         return x * size
        >>> class MyScale(Scale):
        ...     def grad_x(self, grad, size):
        ...         return grad * size
        ...     def grad_size(self, grad, x):
        ...         return (grad * x).sum(0)
        >>> [name for name, _ in MyScale.module().named_parameters()]
        ['size']
        """
        for name in values:
            if name not in cls.parameters:
                raise GraphError(
                    f"{cls.__name__}.module takes initial values for "
                    f"{', '.join(cls.parameters) or 'no parameters'}; got {name!r}."
                )
        return Layer(cls.op(), cls.exercise, values)

    @classmethod
    def task(cls) -> Source:
        """The source that a student starts from: the given parts, and a gap for each rule.

        >>> import graphnet as gn
        >>> gn.exercises.ReLU.task().splitlines()[-2].strip()
        'def grad_x(self, grad):  # it may also read top, x'
        """
        given = cls.exercise
        own = given.__module__.startswith("graphnet.")
        lines = [f"class My{given.__name__}({'gn.exercises.' if own else ''}{given.__name__}):"]
        text = given.__doc__ or "Write the missing rules."
        lines += [f'    """{text}"""', ""]
        lines += _given_source(given)
        others = ", ".join(("top", *given.inputs))
        for rule in given.required_rules():
            lines += [f"    def {rule}(self, grad):  # it may also read {others}", "        ..."]
            lines += [""]
        return Source("\n".join(lines))


def _refuse_reserved(cls: type[Exercise]) -> None:
    """Refuse names of methods of `Exercise`, and methods with the name of a setting."""
    own = vars(cls).keys()
    methods = {name for name in vars(Exercise) if callable(getattr(Exercise, name))}
    mistaken = {name for name in own & vars(Exercise) if callable(getattr(cls, name))}
    taken = sorted(own & (_RESERVED | methods | mistaken))
    if taken:
        raise GraphError(f"{cls.__name__}: {taken[0]!r} is a reserved name; choose another.")


def _refuse_incomplete(cls: type[Exercise]) -> None:
    """Refuse an exercise whose shapes or input names do not fit its forward."""
    inputs = ", ".join(cls.inputs)
    are_shapes = all(isinstance(shape, tuple) for shape in cls.shapes)
    if len(cls.shapes) != len(cls.inputs) or not are_shapes:
        raise GraphError(
            f"{cls.__name__}: an exercise needs a shape for each input of its forward, {inputs}; "
            f"got {cls.shapes}. Write shapes = ((5, 3), ...)."
        )
    if any(prod(shape) > PLACES for shape in cls.shapes):
        raise GraphError(
            f"{cls.__name__}: grading moves each element of an input by itself; use shapes of at "
            f"most {PLACES} elements, such as (5, 3)."
        )
    clues = [name.removeprefix("clue_") for name in vars(cls) if name.startswith("clue_")]
    for name in (*cls.parameters, *cls.integers, *clues):
        if name not in cls.inputs:
            raise GraphError(
                f"{cls.__name__}: forward has no input {name!r}; its inputs are {inputs}."
            )
        if name in cls.parameters and name in cls.integers:
            raise GraphError(
                f"{cls.__name__}: {name!r} is in both parameters and integers; a parameter is "
                "learned, but integers have no gradient. Leave it out of one of them."
            )


def _given_source(exercise: type[Exercise]) -> list[str]:
    """The methods that an exercise gives, as comments; none if their source is unavailable."""
    lines = ["    # This is given:"]
    for name, method in vars(exercise).items():
        if isfunction(method) and not name.startswith("mistake_"):
            try:
                source = dedent(getsource(method)).rstrip()
            except OSError:  # typed at a prompt
                return []
            lines += [indent(source, "    # "), ""]
    return lines


def written(answer: type) -> dict[str, Any]:
    """What the classes of an answer define: its rules, and what they use."""
    members: dict[str, Any] = {}
    for cls in reversed(answer.__mro__):
        given = cls is Exercise or Exercise in cls.__bases__
        if cls is not object and cls is not Op and not given:
            members |= vars(cls)
    return {name: value for name, value in members.items() if name not in _OF_OPS}


def assembled(answer: type, exercise: type[Exercise], rules: Collection[str]) -> Op:
    """The op with the forward of an exercise and only these rules of an answer.

    Raises:
        TypeError: a rule reads what it cannot read.
    """
    settings = {*_OF_OPS, *vars(Exercise), *Exercise.__annotations__}
    given = {name: value for name, value in vars(exercise).items() if name not in settings}
    members = {
        **written(answer),
        **given,
        **dict.fromkeys(set(exercise.required_rules()) - set(rules)),
        **{f"grad_{name}": None for name in exercise.integers},
        "forward": vars(exercise)["forward"],
        "symbol": exercise.symbol,
        "broadcasts": exercise.broadcasts,
        "__doc__": exercise.__doc__,
        "__module__": answer.__module__,
        "__annotations__": {},  # else Op's own would count as options
    }
    return cast("type[Op]", type(answer.__name__, (Op,), members))()


def subject(exercise: type[Exercise], op: Op) -> Subject:
    """The op on the inputs of the exercise, in the form of the checks."""
    integers = {exercise.inputs.index(n): count for n, count in exercise.integers.items()}
    return Subject(
        lambda _: op, exercise.shapes, exercise.low, exercise.high, integers, exercise.inputs
    )


class Layer(Module):
    """An answer as a layer of one operation: some inputs are parameters, the others arguments.

    Args:
        op: the operation.
        exercise: names its parameters.
        values: their initial values; by default in the shapes of the exercise.
    """

    def __init__(self, op: Op, exercise: type[Exercise], values: Mapping[str, Tensor]) -> None:
        self.op, self.own = op, exercise.parameters
        start = dict(zip(exercise.inputs, subject(exercise, op).values(double=False), strict=True))
        for name in self.own:
            setattr(self, name, Parameter(values.get(name, start[name])))

    def build(self, *nodes: Any) -> Any:
        """Append the operation."""
        outer = iter(nodes)
        return self.op(
            *[getattr(self, n) if n in self.own else next(outer) for n in self.op.inputs]
        )
