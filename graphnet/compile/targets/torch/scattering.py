"""Rows, labels and pixels at computed places, written into memory that is there.

Their rules make a tensor of zeros for each step. Where it is large, the system hands out its memory
page by page, which takes several times as long as to fill it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from graphnet.compile.plan.calls import Call
from graphnet.compile.targets.torch.kernel import Kernel
from graphnet.ops.classification import Place
from graphnet.ops.embedding import Embedding, ScatterRows
from graphnet.ops.padding import Pad
from graphnet.ops.pooling import PutPixels

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphnet.compile.targets.torch.select import Selection
    from graphnet.graph import Operation
    from graphnet.op import Op

ROWS = Kernel(
    "index_select({w}, 0, {labels}.reshape(-1), out={out}.view({labels}.numel(), {w}.size(1)))"
)
ROWS_ADDED = Kernel(
    "{out}.zero_().index_add_"
    "(0, {labels}.reshape(-1), {rows}.reshape({labels}.numel(), {out}.size(1)))"
)
AT_LABELS = Kernel(
    "{out}.zero_().scatter_({dim}, {target}.masked_fill({target}.eq({ignored}), 0)"
    ".unsqueeze({dim}), {x}.masked_fill({target}.eq({ignored}), 0).unsqueeze({dim}))"
)
PIXELS = Kernel(
    "{out}.zero_().flatten(2).scatter_add_(2, {places}.flatten(2), {pixels}.flatten(2))"
)
FILL = Kernel("{out}.fill_({value})")


def rows(selection: Selection, node: Operation) -> None:
    """The rows that labels select; a label beyond the table is refused by the kernel.

    On a graphics card a kernel does not refuse but breaks the device, so the rule checks them.
    """
    if selection.device is not None and selection.device.type != "cpu":
        selection.own_rule(node)
    else:
        _called(selection, node, ROWS)


def rows_added(selection: Selection, node: Operation) -> None:
    """Each row added to the row of a table of zeros that its label selects."""
    _called(selection, node, ROWS_ADDED)


def at_labels(selection: Selection, node: Operation) -> None:
    """Zeros, but a value at the class that each label names."""
    dim = 1 if node.ndim > 1 else 0
    _called(selection, node, AT_LABELS, {"dim": dim, **node.op.options})


def pixels(selection: Selection, node: Operation) -> None:
    """Pixels put at their places into images of zeros."""
    _called(selection, node, PIXELS)


def pad(selection: Selection, node: Operation) -> None:
    """Elements of one value, and the input in the middle of them."""
    op, x = cast("Pad", node.op), selection.slots[node.inputs[0]]
    if not x.is_fixed and min(op.amounts, default=0) < 0:
        selection.own_rule(node)
        return
    out = inside = selection.place(node)
    for dim, before, after in op.sides(node.ndim):
        left = x.shape[dim] + min(before, 0) + min(after, 0)
        x = x if left == x.shape[dim] else x.narrow(dim, max(-before, 0), left)
        inside = inside.narrow(dim, max(before, 0), left)
    selection.add(Call(FILL, (out,), {}, node, {"value": op.value}))
    selection.copy(node, selection.derived(out, "_inside", inside), x)


def _called(
    selection: Selection, node: Operation, kernel: Kernel, options: dict[str, Any] | None = None
) -> None:
    """Call a kernel that needs its result in torch's usual order; else the rule."""
    out = selection.place(node)
    if not out.is_contiguous:
        selection.own_rule(node)
        return
    selection.add(Call(kernel, (out,), selection.arguments(node), node, options or {}))


LOWERINGS: dict[type[Op], Callable[[Selection, Operation], None]] = {
    Embedding: rows,
    ScatterRows: rows_added,
    Place: at_labels,
    PutPixels: pixels,
    Pad: pad,
}
