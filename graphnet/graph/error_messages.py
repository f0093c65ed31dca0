"""The text of an error in one operation: the rule, what it got, the way out, the user's line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphnet.errors import GraphError, ShapeError, shape_text
from graphnet.graph.entry import Entry, dtype_text
from graphnet.graph.shape_inference import UNKNOWN_SIZES
from graphnet.operand_errors import kind_of_misfit

if TYPE_CHECKING:
    from graphnet.graph.edges import Use
    from graphnet.graph.nodes import Operation
    from graphnet.op import Op

_MISFITS = (RuntimeError, IndexError, ValueError, TypeError, NotImplementedError)


def is_misfit(error: BaseException) -> bool:
    """True for the errors that torch raises when tensors do not fit, unlike those of memory."""
    out_of_memory = "allocate memory" in str(error)
    return (type(error) in _MISFITS and not out_of_memory) or isinstance(error, GraphError)


def complaint(
    op: Op, arguments: tuple[Any, ...], error: BaseException, line: str, fed: bool = False
) -> GraphError:
    """The error for an op that cannot be applied to its arguments.

    If `fed`, the arguments have values, so their real shapes are known.
    """
    reason = str(error).partition("\n")[0] or repr(error)
    kind = type(error) if isinstance(error, GraphError) else kind_of_misfit(op, arguments)
    of_shapes = kind is ShapeError
    rule = _shapes_rule(op) if of_shapes else ""
    known = (None not in each.shape for each in arguments if isinstance(each, Entry))
    unknown = of_shapes and not fed and not all(known)
    tried = f"  unknown sizes, shown as ?, were tried as {UNKNOWN_SIZES[0]} and {UNKNOWN_SIZES[1]}"
    lines = [
        f"{op.name} cannot be applied here: {reason}",
        f"  rule: {rule}" if rule else "",
        f"  got: {'; '.join(_describe(argument, fed) for argument in arguments)}",
        tried if unknown else "",
        f"  options: {op!r}" if op.options else "",
        f"  way out: {op.hint}" if op.hint and of_shapes else "",
        f"  line: {line}",
    ]
    text = "\n".join(filter(None, lines))
    made = error.reworded(text) if isinstance(error, GraphError) else kind(text)
    made.line = line
    return made


def explain_forward(operation: Operation | None, error: BaseException) -> BaseException:
    """Re-raise an error of a forward walk in the graph's terms, or keep it and add a note."""
    if operation is None:
        return error
    if is_misfit(error):
        made = complaint(operation.op, operation.args, error, operation.line, fed=True)
        return made.reworded(f"{operation}: {made}")
    error.add_note(f"in the forward pass at {operation}, added at {operation.line}")
    return error


def explain_backward(use: Use | None, error: BaseException) -> None:
    """Add a note to the error of a backward walk: which derivative raised it."""
    if use is not None and not isinstance(error, GraphError):
        error.add_note(f"in the derivative of {use.operation} by its input {use.source}")


def _shapes_rule(op: Op) -> str:
    """What follows "Shapes:" in the docstring of the op (nothing under python -OO)."""
    text = " ".join((type(op).__doc__ or "").split())
    return text.partition("Shapes: ")[2].rstrip(".")


def _describe(argument: Any, fed: bool) -> str:
    if not isinstance(argument, Entry):
        return f"the number {argument!r}"
    shape = tuple(argument.top.shape) if fed and argument.computed else argument.shape
    return f"{argument} {shape_text(shape)} {dtype_text(argument.dtype)}"
