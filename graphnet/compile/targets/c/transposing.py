"""Copies in another order of axes, by squares that lie in registers.

Read row by row and written column by column, each number would be a load or a store of its own; a
square of vectors is transposed by exchanging halves, then quarters, and so on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphnet.compile.lower.axes import Loop, loops_over
from graphnet.compile.lower.scalars import Load
from graphnet.compile.targets.c.expressions import TYPES
from graphnet.compile.targets.c.tiles import Kind
from graphnet.compile.targets.printing.lines import Text, variable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from graphnet.compile.lower.loops import Map
    from graphnet.compile.plan.slots import Slot

    Pointer = Callable[[Slot, str], str]


@dataclass(frozen=True)
class Transposition:
    """A copy whose rows are the columns of what it reads.

    Attributes:
        kind: the vectors that hold a square.
        source: what is read; numbers along `columns` lie side by side.
        out: what is stored; numbers along `rows` lie side by side.
        around: the loops over all other axes.
        rows: the loop over rows of the source.
        columns: the loop over columns of the source.
    """

    kind: Kind
    source: Slot
    out: Slot
    around: Sequence[Loop]
    rows: Loop
    columns: Loop

    @classmethod
    def of(cls, statement: Map, lanes: int) -> Transposition | None:
        """The transposition that a map is; None if it is none, or too small for a square."""
        element, out = statement.element, statement.out.slot
        kind = TYPES.get(out.dtype, "")
        lanes = lanes if kind == "float" else lanes // 2
        is_plain = not (statement.out.terms or statement.adds or statement.then)
        if kind not in ("float", "double") or lanes < 2 or not is_plain:
            return None
        if not isinstance(element, Load) or element.place.terms or element.dtype is not out.dtype:
            return None
        source = element.place.slot
        loops = loops_over(
            statement.sizes, range(len(statement.sizes)), [out.strides, source.strides], set()
        )
        rows = _along(loops, out, lanes)
        columns = _along(loops, source, lanes)
        if rows is None or columns is None or rows is columns or source.buffer is out.buffer:
            return None
        around = [each for each in loops if each is not rows and each is not columns]
        return cls(Kind(kind, lanes), source, out, around, rows, columns)

    def lines(self, pointer: Pointer) -> list[str]:
        """The text: a call for each place of the other axes."""
        text = Text()

        def address(slot: Slot) -> str:
            steps = [
                (slot.strides[each.axes[-1][0]], variable(p)) for p, each in enumerate(self.around)
            ]
            return pointer(slot, "".join(f" + {n} * {name}" for n, name in steps if n))

        across = (
            self.source.strides[self.rows.axes[-1][0]],
            self.out.strides[self.columns.axes[-1][0]],
        )
        with text.loops(self.around):
            text.add(
                f"{transpose_name(self.kind)}({self.rows.size}, {self.columns.size}, "
                f"{address(self.source)}, {across[0]}, {address(self.out)}, {across[1]});"
            )
        return text.lines


def _along(loops: Sequence[Loop], slot: Slot, least: int) -> Loop | None:
    """The loop along which numbers lie side by side, if it is long enough."""
    return next(
        (each for each in loops if slot.strides[each.axes[-1][0]] == 1 and each.size >= least), None
    )


def transpose_name(kind: Kind) -> str:
    """The name of the function."""
    return f"transpose_{kind.vector}"


def transpose_function(kind: Kind) -> str:
    """out[c][r] = x[r][c], square by square.

    The last squares of rows and of columns may overlap those before: they store the same numbers.
    """
    vector, of, lanes = kind.vector, kind.of, kind.lanes
    lines = [
        f"static void {transpose_name(kind)}(",
        f"    int rows, int columns, const {of} *x, int x_row, {of} *out, int out_row) {{",
        f"  for (int j = 0; j < columns; j += {lanes})",
        f"    for (int i = 0; i < rows; i += {lanes}) {{",
        f"      const int r = i + {lanes} < rows ? i : rows - {lanes};",
        f"      const int c = j + {lanes} < columns ? j : columns - {lanes};",
        f"      const {of} *from = x + (int64_t)r * x_row + c;",
        f"      {of} *to = out + (int64_t)c * out_row + r;",
    ]
    lines += [
        f"      const {vector} a{n} = load_{vector}(from + {n} * x_row);" for n in range(lanes)
    ]
    names, step = [f"a{n}" for n in range(lanes)], lanes // 2
    while step:
        made = [f"{'abcdefg'['abcdefg'.index(names[0][0]) + 1]}{n}" for n in range(lanes)]
        for n in range(lanes):
            low = n & ~step
            first = 0 if low == n else step
            order = ", ".join(map(str, _exchanged(lanes, step, first)))
            lines.append(
                f"      const {vector} {made[n]} = "
                f"CHOOSE({vector}_places, {names[low]}, {names[low | step]}, {order});"
            )
        names, step = made, step // 2
    lines += [f"      store_{vector}(to + {n} * out_row, {names[n]});" for n in range(lanes)]
    return "\n".join([*lines, "    }", "}"])


def _exchanged(lanes: int, step: int, first: int) -> list[int]:
    """Which lanes of two rows, `step` apart, one of them has after their blocks are exchanged.

    >>> _exchanged(4, 2, 0), _exchanged(4, 2, 2)
    ([0, 1, 4, 5], [2, 3, 6, 7])
    """
    return [(lane & ~step) + first + (lanes if lane & step else 0) for lane in range(lanes)]
