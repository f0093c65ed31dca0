"""Rows of a table, looked up by integers; and integers as one-hot rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphnet.errors import DtypeError, GraphError, RangeError, ShapeError
from graphnet.op import Op, Structural, Symbolic, T, View
from graphnet.ops.comparison import eq, where
from graphnet.ops.dims import described, require_tensors
from graphnet.ops.shapes import unsqueeze
from graphnet.validation import require_integer

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["embedding", "one_hot"]


class Embedding(Structural):
    """y = the rows of a table w that the labels select; the gradient is summed into these rows.

    Shapes: (...), (rows, columns) -> (..., columns).
    """

    symbol = "row"

    def forward(self, labels: Tensor, w: Tensor) -> Tensor:
        _refuse_labels_beyond(labels, w.size(0))
        return w.index_select(0, labels.reshape(-1)).reshape(*labels.shape, w.size(1))

    def trial(self, labels: Tensor, w: Tensor) -> Tensor:
        return w.new_zeros((*labels.shape, w.size(1)))

    grad_labels = None

    def grad_w(self, grad: Tensor, labels: Tensor, w_like: Tensor) -> Tensor:
        return ScatterRows()(grad, labels, w_like)


class Detach(View):
    """y = x, through which no gradient flows.  Shapes: any."""

    symbol = "detach"

    def forward(self, x: Tensor) -> Tensor:
        return x.detach()

    grad_x = None


class ScatterRows(Op):
    """Each row added to the row of a table that its label selects: the reverse of a look-up.

    Shapes: (..., columns), (...), (rows, columns) -> (rows, columns).
    """

    symbol = "Σ rows"

    def forward(self, rows: Tensor, labels: Tensor, table_like: Tensor) -> Tensor:
        zeros = table_like.new_zeros(table_like.shape)
        rows = rows.reshape(labels.numel(), table_like.size(1))
        return zeros.index_add(0, labels.reshape(-1), rows)

    def grad_rows(self, grad: Tensor, labels: Tensor) -> Tensor:
        return Embedding()(labels, grad)

    grad_labels = None


def embedding(
    input: T,
    weight: T,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> T:
    """The rows of a table that integers select; the row `padding_idx` does not learn.

    The arguments after it are torch's, and not supported: see `refuse_unsupported`.
    Shapes: input (...), weight (rows, columns) -> (..., columns).

    Raises:
        ShapeError: the table does not have two dimensions.
        DtypeError: the labels are not int64 or int32.
        RangeError: a label or `padding_idx` is not the index of a row.
        GraphError: an unsupported argument, or a wrong type.

    >>> from torch import empty
    >>> embedding(empty(2).fill_(1).long(), empty(3, 2).fill_(5))
    tensor([[5., 5.],
            [5., 5.]])
    """
    require_tensors("embedding", input, weight)
    refuse_unsupported(max_norm, norm_type, scale_grad_by_freq, sparse)
    if weight.ndim != 2:
        raise ShapeError(f"weight must have two dimensions; got {described(weight)}.")
    _refuse_types("embedding", input, "int64", "int32")
    if padding_idx is None:
        return Embedding()(input, weight)
    rows = weight.shape[0]
    if rows is None:
        raise ShapeError(f"padding_idx needs a table of known size; got {described(weight)}.")
    padding = eq(input, row_number(padding_idx, rows))
    found = Embedding()(input, weight)
    return where(unsqueeze(padding, -1), Detach()(found), found)


def row_number(padding_idx: int, rows: int) -> int:
    """The index of a row, counted from the start of the table.

    Raises:
        RangeError: the table has no such row.
    """
    if not -rows <= require_integer("padding_idx", padding_idx) < rows:
        raise RangeError(f"padding_idx must be one of the {rows} rows; got {padding_idx!r}.")
    return padding_idx % rows


def refuse_unsupported(
    max_norm: float | None, norm_type: float, scale_grad_by_freq: bool, sparse: bool
) -> None:
    """Refuse options of torch beyond a look-up and its derivative.

    Raises:
        GraphError: `max_norm`, which writes to the table; `norm_type`, which belongs to it;
            `scale_grad_by_freq`, which is not the derivative; or `sparse`.
    """
    if max_norm is not None or norm_type != 2.0:
        raise GraphError(
            "max_norm and norm_type are not supported: a look-up does not write to its table. "
            "Scale the rows of the table after the optimizer's step."
        )
    if scale_grad_by_freq is not False or sparse is not False:
        raise GraphError(
            "scale_grad_by_freq and sparse are not supported: the gradient is the derivative, in "
            "the shape of the table."
        )


class OneHot(Structural):
    """y = rows of zeros with a 1 at the index that is the label.

    Shapes: (...) -> (..., classes).
    """

    symbol = "one-hot"
    classes: int

    def forward(self, labels: Tensor) -> Tensor:
        _refuse_labels_beyond(labels, self.classes)
        zeros = labels.new_zeros((*labels.shape, self.classes))
        return zeros.scatter_(-1, labels.unsqueeze(-1), 1)

    def trial(self, labels: Tensor) -> Tensor:
        return labels.new_zeros((*labels.shape, self.classes))

    grad_labels = None


def one_hot(input: T, num_classes: int = -1) -> T:
    """Integers as rows of zeros with a single 1, in int64.

    With -1, the number of classes is the largest label plus one; nodes need the number.
    Shapes: (...) -> (..., num_classes).

    Raises:
        DtypeError: the labels are not int64.
        RangeError: a label is negative, or not below `num_classes`.
        GraphError: the number of classes is -1 for a node, or for no labels.

    >>> from torch import empty
    >>> one_hot(empty(2).fill_(1).long(), 3)
    tensor([[0, 1, 0],
            [0, 1, 0]])
    """
    require_tensors("one_hot", input)
    _refuse_types("one_hot", input, "int64")
    if require_integer("num_classes", num_classes) == -1:
        if isinstance(input, Symbolic):
            raise GraphError(f"one_hot({input}) needs num_classes: labels have no values yet.")
        if not input.numel():
            raise GraphError("Without labels, the number of classes is needed: num_classes=...")
        num_classes = int(input.max()) + 1
    if num_classes < 1:
        raise RangeError(f"num_classes must be -1, or 1 or more; got {num_classes}.")
    return OneHot(num_classes)(input)


def _refuse_types(function: str, labels: Any, *allowed: str) -> None:
    """Refuse labels of another dtype."""
    name = str(labels.dtype).removeprefix("torch.")
    if name not in allowed:
        raise DtypeError(
            f"{function} takes {' or '.join(allowed)}; {described(labels)} holds {name}. "
            "Give the input that dtype, or convert the tensor with .long()."
        )


def _refuse_labels_beyond(labels: Tensor, count: int) -> None:
    """Refuse labels that are not 0, 1, ..., count - 1.

    Raises:
        RangeError: there is one; the message names it.
    """
    if labels.is_meta or not labels.numel():
        return
    low, high = map(int, labels.aminmax())
    if low < 0 or high >= count:
        worst = low if low < 0 else high
        raise RangeError(f"a label must lie between 0 and {count - 1}; got {worst}")
