"""Several steps in one call: a loop in C around the step, which takes the rows of each batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING

from graphnet.compile.targets.c.expressions import TYPES

if TYPE_CHECKING:
    from graphnet.compile.lower.loops import Lowered
    from graphnet.compile.plan.slots import Buffer, Slot

TAKE = """\
/* The rows of a batch: those that are named, copied side by side; without names, the next ones. */
static inline void *rows_of(
    const char *data, const int64_t *rows, int64_t step, int64_t count, int64_t bytes, char *to) {
  if (!rows) return (void *)(data + step * count * bytes);
  for (int64_t i = 0; i < count; i++)
    memcpy(to + i * bytes, data + rows[step * count + i] * bytes, (size_t)bytes);
  return to;
}"""


def several(
    low: Lowered, cells: Sequence[Buffer], starts: Mapping[Buffer, int], nbytes: int
) -> list[str]:
    """The text of `graphnet_many`; nothing if the program has no loss.

    Args:
        low: the program.
        cells: the memory that outlasts a step.
        starts: where each buffer lies in the scratch memory.
        nbytes: the bytes of the scratch memory, after which batches are put together.
    """
    loss = _loss(low, cells, starts)
    return [] if loss is None else list(_lines(low, loss, nbytes))


def gathered_bytes(low: Lowered) -> int:
    """The bytes in which the rows of a batch are put together."""
    return sum(_up(_bytes(slot)) for slot in low.inputs.values())


def _loss(
    low: Lowered, cells: Sequence[Buffer], starts: Mapping[Buffer, int]
) -> tuple[str, str] | None:
    """The type of the loss, and its text."""
    slot = low.results[0] if low.results else None
    if slot is None or slot.shape or not any(each.memory is not None for each in cells):
        return None
    kind = TYPES[slot.dtype]
    if slot.buffer in starts:
        return kind, f"*(const {kind} *)(scratch + {starts[slot.buffer]} + {slot.offset})"
    if slot.buffer in cells:
        return kind, f"((const {kind} *)cells[{cells.index(slot.buffer)}])[{slot.offset}]"
    return None


def _lines(low: Lowered, loss: tuple[str, str], nbytes: int) -> Iterator[str]:
    kind, value = loss
    yield ""
    yield TAKE
    yield ""
    yield "/* Several steps. Returns how many were made: fewer if a check ended one. */"
    yield "EXPORTED int64_t graphnet_many("
    yield "    void *const *cells, void *const *data, const int64_t *rows, int64_t steps,"
    yield f"    const double *numbers, char *scratch, {kind} *losses) {{"
    yield "  for (int64_t step = 0; step < steps; step++) {"
    yield "    void *fed[] = {"
    start = _up(nbytes)
    for place, slot in enumerate((*low.inputs.values(), *low.drawn.values())):
        fed = place < len(low.inputs)
        count = slot.shape[0] if slot.shape else 1
        each = _bytes(slot) // max(count, 1)
        to = f"scratch + {start}" if fed else "0"
        names = "rows" if fed else "0"
        yield f"      rows_of(data[{place}], {names}, step, {count}, {each}, {to}),"
        start += _up(_bytes(slot)) if fed else 0
    if not low.inputs and not low.drawn:
        yield "      0,"
    yield "    };"
    yield f"    const double *now = numbers + {len(low.numbers)} * step;"
    yield "    if (graphnet_step(cells, fed, now, scratch)) return step;"
    yield f"    losses[step] = {value};"
    yield "  }"
    yield "  return steps;"
    yield "}"


def _bytes(slot: Slot) -> int:
    return prod(slot.shape) * slot.dtype.itemsize


def _up(nbytes: int) -> int:
    return -(-nbytes // 64) * 64
