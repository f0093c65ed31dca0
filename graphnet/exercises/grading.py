"""The grade of an answer: each rule against the central differences of the given forward."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from graphnet.check import Finding, Report, check_module, check_op, compare
from graphnet.errors import GraphError
from graphnet.exercises.attempt import Attempt
from graphnet.exercises.catalog import AnyExercise, find_exercise
from graphnet.exercises.exercise import Exercise, Layer, assembled, subject, written
from graphnet.exercises.faults import malformed, of_shapes, way_out
from graphnet.exercises.hints import hint
from graphnet.exercises.isolation import EndedError, contained, isolated
from graphnet.exercises.program import ProgramExercise, program_marks
from graphnet.exercises.report import FORM, Grade, Mark
from graphnet.validation import require_range

if TYPE_CHECKING:
    from graphnet.op import Op

_OPTIONAL = ("other shapes",)  # the forward is given: what it refuses is not up to the student

_LATE = ("second derivatives", "unknown batch size")
"""The checks that run the rules on nodes; a right rule fails if it works only on tensors."""

_NODES = (
    "A rule is also run on nodes, to be differentiated again: write it with operators, with "
    "methods that nodes have too, and with functions of graphnet.ops. In a product, a comparison "
    "counts as 0 or 1: grad * (x > 0)."
)

_ARGUMENTS = (
    "A rule reads what its arguments name: `grad` is the gradient of the output, `top` the output "
    "itself, and each input has its own name."
)

_ROWS = (
    "When a rule runs on nodes, the number of rows is not known yet: shape[0] is None, and there "
    "is no len(). Write x.mean(0) for a sum divided by that number, and ops.ones_like(x).sum(0) "
    "for the number itself."
)

_UNWRITTEN = "it is not written yet"

_ENDED = "A rule returns a gradient: do not call exit(), quit() or sys.exit()."

_EMPTY = "A batch may have no rows: a rule that takes one row, or loops over rows, finds none."


def grade(
    answer: type,
    exercise: AnyExercise | str | None = None,
    weights: Mapping[str, float] | None = None,
) -> Grade:
    """Grade the rules that an answer adds to an exercise: a point for each, and one for form.

    A wrong rule gets a hint in words. No solution is stored: the rules are compared with central
    differences of the forward that the exercise gives. Once they are right, all other checks of
    `check_op` (`check_module` for a layer) decide the point for form: the rules run on nodes, for
    any batch, in both dtypes. So the mathematics and the form are graded apart.

    A rule may raise anything, call `sys.exit`, recurse forever, and change global settings, such as
    torch's default dtype or a seed: there is still a grade, and the settings are restored. Ctrl-C
    ends the grading. Python cannot prevent an infinite loop, or `os._exit` from ending the program:
    `python -m graphnet grade` runs each answer in a process of its own.

    Args:
        answer: a class with the rules `grad_<input>`, derived from the exercise; or any other
            class that has them, such as your own op, if the exercise is named.
        exercise: the exercise or its name; None takes it from the answer.
        weights: how much the points are worth, by name, such as {"grad_x": 2, "form": 0.5}; those
            that are not named are worth 1.

    Raises:
        GraphError: there is no such exercise or point, its forward is not finite on the values
            used for grading, or the answer is not a class.
        RangeError: a weight is negative or not finite.

    >>> import graphnet as gn
    >>> class MyAdd(gn.exercises.Add):
    ...     def grad_x(self, grad):
    ...         return grad
    ...     def grad_y(self, grad):
    ...         return -grad
    >>> gn.grade(MyAdd).score
    Fraction(1, 3)
    >>> gn.grade(MyAdd).marks[1].hint
    'The sign is wrong: a minus is missing, or there is one too many.'
    """
    given = _exercise_of(answer, exercise)
    worth = weighted(given, weights or {})
    return _graded(answer, given, worth, {}, str)


def grade_stepwise(
    answer: type,
    exercise: AnyExercise,
    known: Mapping[str, Mark],
    report: Callable[[str], object],
) -> Grade:
    """The same grade for a program that watches: it is told what begins.

    Args:
        answer: the class of the answer.
        exercise: the exercise.
        known: marks of points that are not graded again, because they end the process.
        report: is called with the name of each point before it is graded.

    Raises:
        GraphError: the forward of the exercise is not finite on the values used for grading.
    """
    return _graded(answer, exercise, weighted(exercise, {}), known, report)


def _graded(
    answer: type,
    given: AnyExercise,
    worth: Mapping[str, Fraction],
    known: Mapping[str, Mark],
    report: Callable[[str], object],
) -> Grade:
    if issubclass(given, ProgramExercise):
        marks = program_marks(answer, given)
    else:
        marks = []
        with isolated():
            for rule in given.required_rules():
                report(rule)
                marks.append(known[rule] if rule in known else _mark(answer, given, rule))
            report(FORM)
            right = all(mark.right for mark in marks)
            marks.append(known[FORM] if FORM in known else _form(answer, given, right))
    marks = [mark._replace(weight=worth[mark.name]) for mark in marks]
    remarks = _remarks(answer, given) if issubclass(given, Exercise) else ()
    return Grade(answer.__name__, given.__name__, marks, remarks)


def weighted(exercise: AnyExercise, weights: Mapping[str, float]) -> dict[str, Fraction]:
    """The weight of each point of an exercise.

    Raises:
        GraphError: there is no such point.
        RangeError: a weight is negative or not finite.
    """
    points = exercise.points()
    for name, weight in weights.items():
        if name not in points:
            raise GraphError(
                f"{exercise.__name__} has no point {name!r}; its points are {', '.join(points)}."
            )
        require_range(f"the weight of {name}", weight)
    return {name: Fraction(str(float(weights.get(name, 1)))) for name in points}


def _exercise_of(answer: object, named: AnyExercise | str | None) -> AnyExercise:
    """The exercise that an answer belongs to."""
    if not isinstance(answer, type):
        raise GraphError(
            f"grade takes the class of an answer, such as MyAdd, without parentheses; "
            f"got {answer!r}."
        )
    if isinstance(named, str):
        return find_exercise(named)
    source: Any = answer if named is None else named
    if not (isinstance(source, type) and issubclass(source, Exercise | ProgramExercise)):
        raise GraphError(
            f"{getattr(source, '__name__', source)!r} is neither an exercise nor an answer to one. "
            "Derive the answer from its exercise, or name it: grade(MyAdd, 'Add')."
        )
    if source in (Exercise, ProgramExercise):
        raise GraphError(
            f"{source.__name__} is the base of all exercises; derive from one of them."
        )
    given: AnyExercise = source.exercise
    return given


def _mark(answer: type, exercise: type[Exercise], rule: str) -> Mark:
    """The mark of one rule, with the clue of the exercise if nothing else explains a fault."""
    name = rule.removeprefix("grad_")
    function = written(answer).get(rule)
    if function is None:
        start = f"Write `def {rule}(self, grad, ...)`, which returns the gradient by {name}."
        return Mark(rule, _UNWRITTEN, start)
    fault, why = malformed(rule, function, ("grad", "top", *exercise.inputs))
    if fault:
        return Mark(rule, fault, why)
    try:
        op = assembled(answer, exercise, [rule])  # the other rules may be wrong as well
    except Exception as error:  # a student's class may hold anything
        return Mark(rule, str(error), _ARGUMENTS if "reads" in str(error) else "")
    attempt = Attempt(op, exercise.inputs.index(name), subject(exercise, op).values())
    if not attempt.top.isfinite().all():
        raise GraphError(
            f"The forward of {exercise.__name__} returns NaN or inf for numbers from "
            f"{exercise.low:g} to {exercise.high:g}: set low and high in the exercise."
        )
    fault, why = _judged(attempt)
    return Mark(rule, fault, why or exercise.clue(name)) if fault else Mark(rule)


def _judged(attempt: Attempt) -> tuple[str, str]:
    """What is wrong with a rule, and a hint; empty if nothing is."""
    try:
        fault, why = attempt.refused()
        if fault:
            return fault, why
        with contained(), isolated():
            _, fault = compare(attempt.op, attempt.place, attempt.arguments, attempt.top)
    except EndedError as error:
        return f"it ends the program by {error}", _ENDED
    except NotImplementedError:
        return _UNWRITTEN, f"Replace `raise NotImplementedError` in grad_{attempt.name}."
    except Exception as error:  # a student's rule may raise anything
        why = way_out(error, attempt.op, f"grad_{attempt.name}") or hint(attempt)
        why = why or (attempt.shapes() if of_shapes(error) else "")
        return f"it raises {type(error).__name__}: {error}", why
    return (fault, hint(attempt)) if fault else ("", "")


def _form(answer: type, exercise: type[Exercise], right: bool) -> Mark:
    """The mark for form: all other checks, which run once the rules are right."""
    if not right:
        return Mark(FORM, left_out="the rules come first")
    try:
        with contained():
            op = assembled(answer, exercise, exercise.required_rules())
            faults = _report(op, exercise).faults
    except EndedError as error:
        return Mark(FORM, f"a rule ends the program by {error}", _ENDED)
    if not faults:
        return Mark(FORM)
    return Mark(FORM, f"{faults[0].name}: {faults[0].fault}", _why(faults[0]))


def _why(finding: Finding) -> str:
    """The hint for a check that fails although the rules give the right values."""
    if "got None" in finding.fault or "no len()" in finding.fault:
        return _ROWS
    if finding.name == "no rows":
        return _EMPTY
    if "DtypeError" in finding.fault:
        return ""  # the fault says it all
    return _NODES if finding.name in _LATE or "node" in finding.fault else ""


def _report(op: Op, exercise: type[Exercise]) -> Report:
    """The report of the public checks on the whole answer."""
    outer = [name for name in exercise.inputs if name not in exercise.parameters]
    shapes = [exercise.shapes[exercise.inputs.index(name)] for name in outer]
    places: dict[Any, int] = {outer.index(name): n for name, n in exercise.integers.items()}
    options: dict[str, Any] = {"integers": places, "skip": _OPTIONAL}
    options |= {"low": exercise.low, "high": exercise.high}
    if not exercise.parameters:
        return check_op(op, *shapes, **options)
    return check_module(Layer(op, exercise, {}), *shapes, **options)


def _remarks(answer: type, exercise: type[Exercise]) -> tuple[str, ...]:
    """Remarks on what the answer redefines, and on rules that the exercise does not need."""
    own = [cls for cls in answer.__mro__ if issubclass(cls, exercise) and cls is not exercise]
    given = {name for name in vars(exercise) if not name.startswith("__")}
    again = sorted(name for name in given if any(name in vars(cls) for cls in own))
    rules = exercise.required_rules()
    strange = [n for n in written(answer) if n.lower().startswith("grad") and n not in rules]
    return (
        *(f"{name} is given by the exercise: yours was not used." for name in again),
        *(f"{name} is not a rule here; the rules are {', '.join(rules)}." for name in strange),
    )
