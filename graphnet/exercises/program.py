"""The base class of exercises that ask for a method of a program instead of derivative rules."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from graphnet.errors import GraphError
from graphnet.exercises.isolation import EndedError, contained, isolated
from graphnet.exercises.report import FORM, Mark
from graphnet.notebook import Source

if TYPE_CHECKING:
    from torch import Tensor

_CLOSE = 1e-6

Candidate = tuple[Any, str]
"""What a usual mistake would compute, and the hint that names the mistake."""


class ProgramExercise:
    """An exercise whose answer is one method: an optimizer's update, a training loop.

    >>> import graphnet as gn
    >>> gn.exercises.Adam.points()
    ['mean', 'square', 'value', 'form']
    """

    method: ClassVar[str] = ""
    """The name of the method that a student writes."""
    arguments: ClassVar[tuple[str, ...]] = ()
    """What it is called with, besides self."""
    results: ClassVar[tuple[str, ...]] = ()
    """The points for what it computes."""
    exercise: ClassVar[type[ProgramExercise]]
    """The exercise itself, also as an attribute of an answer."""

    def __init_subclass__(cls) -> None:
        """Remember the exercise of an answer."""
        if ProgramExercise in cls.__bases__:
            cls.exercise = cls

    @classmethod
    def required_rules(cls) -> list[str]:
        """The names of the methods that a student writes."""
        return [cls.exercise.method]

    @classmethod
    def points(cls) -> list[str]:
        """The names of the points of a grade, in order."""
        return [*cls.exercise.results, FORM]

    @classmethod
    def task(cls) -> Source:
        """The source that a student starts from: what is asked, and a gap for the method."""
        given = cls.exercise
        lines = [f"class My{given.__name__}(gn.exercises.{given.__name__}):"]
        lines += [f'    """{given.__doc__}"""', ""]
        lines += [
            f"    def {given.method}({', '.join(('self', *given.arguments))}):",
            "        ...",
        ]
        return Source("\n".join([*lines, ""]))

    @classmethod
    def judge(cls, answer: type) -> dict[str, tuple[str, str]]:
        """For each point that is not earned, what is wrong, and a hint.

        Args:
            answer: the class of the answer, which has the method.
        """
        raise GraphError(f"{cls.__name__} cannot be graded: an exercise defines `judge`.")


def program_marks(answer: type, exercise: type[ProgramExercise]) -> list[Mark]:
    """The marks of an answer; those for form come only once the results are right."""
    results, method = exercise.results, exercise.method
    signature = f"`def {method}({', '.join(('self', *exercise.arguments))})`"
    if not callable(getattr(answer, method, None)):
        faults = dict.fromkeys(results, ("it is not written yet", f"Write {signature}."))
    else:
        faults = _judged(answer, exercise, signature)
    marks = [Mark(name, *faults.get(name, ())) for name in results]
    if any(mark.fault for mark in marks):
        return [*marks, Mark(FORM, left_out="the results come first")]
    return [*marks, Mark(FORM, *faults.get(FORM, ()))]


def _judged(
    answer: type, exercise: type[ProgramExercise], signature: str
) -> dict[str, tuple[str, str]]:
    """The faults of an answer; whatever it raises is one of them."""
    try:
        with contained(), isolated():
            return exercise.judge(answer)
    except EndedError as error:
        fault = f"it ends the program by {error}", "Do not call exit(), quit() or sys.exit()."
    except NotImplementedError:
        fault = "it is not written yet", f"Write {signature}."
    except Exception as error:  # an answer may raise anything
        fault = f"it raises {type(error).__name__}: {error}", f"It is called as {signature}."
    return dict.fromkeys(exercise.results, fault)


def is_close(got: Any, right: Tensor) -> bool:
    """True if a tensor has the shape and, up to rounding, the values of another."""
    try:
        return bool(
            got.shape == right.shape
            and ((got - right).abs() <= _CLOSE * (1e-3 + float(right.abs().max()))).all()
        )
    except Exception:  # it is no tensor, or cannot be subtracted
        return False


def explained(got: Any, candidates: Iterable[Candidate]) -> str:
    """The hint of the first usual mistake that computes the same; "" if there is none."""
    return next((sentence for value, sentence in candidates if is_close(got, value)), "")
