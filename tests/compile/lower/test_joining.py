"""Maps that share loops: only where each place needs nothing that is done at another one."""

from __future__ import annotations

import ctypes

import pytest
import torch
from compile.targets.fakes import real_compiler

import graphnet as gn
from graphnet.compile.lower.joining import joined
from graphnet.compile.lower.loops import Check, Lowered, Map
from graphnet.compile.lower.scalars import Place, load
from graphnet.compile.plan.placement import Cells
from graphnet.compile.plan.slots import new_slot
from graphnet.compile.targets.c.printer import printed
from graphnet.compile.targets.c.toolchain import begin

FED = "xy"
"""What is fed; all other memory outlasts a step."""


class Memory:
    """Named pieces of memory, each a row of 16 small integers in float64."""

    def __init__(self) -> None:
        self.pieces = {
            name: torch.arange(16.0, dtype=torch.float64) * (3 + place) % 11
            for place, name in enumerate("abcdwxy")
        }

    def row(self, name, start=0):
        return name, self.pieces[name][start : start + 8]

    def square(self, name):
        return name, self.pieces[name].view(4, 4)

    def turned(self, name):
        return name, self.pieces[name].view(4, 4).T

    def whole(self, name):
        """The first row of a square, at each of its rows."""
        return name, self.pieces[name].view(4, 4)[0].expand(4, 4)

    def number(self, name):
        """One number, at each place of a row."""
        return name, self.pieces[name][3].expand(8)


def double(x):
    return x + x


def more(x):
    return x + 1.0


def both(x, y):
    return x * 2.0 + y


def joins(*maps):
    """A row of the table: maps, as result, function and what it reads; they share loops."""
    return 1, maps


def stays(*maps):
    """The same; they do not."""
    return len(maps), maps


R, S, T = Memory.row, Memory.square, Memory.turned
TABLE = {
    "what one stores the next reads": joins((R, "b", double, (R, "a")), (R, "c", more, (R, "b"))),
    "both read the same": joins((R, "b", double, (R, "a")), (R, "c", more, (R, "a"))),
    "nothing in common": stays((R, "b", double, (R, "a")), (R, "d", more, (R, "c"))),
    "what was read is written": joins((R, "b", double, (R, "a")), (R, "a", more, (R, "b"))),
    "both write the same": joins((R, "b", double, (R, "a")), (R, "b", both, (R, "b"), (R, "a"))),
    "one number for all": joins(
        (R, "b", both, (R, "a"), (Memory.number, "c")), (R, "d", double, (R, "b"))
    ),
    "one row for all": joins(
        (S, "b", both, (S, "a"), (Memory.whole, "c")), (S, "d", double, (S, "b"))
    ),
    "the next place is read": stays((R, "b", double, (R, "a")), (R, "c", more, (R, "b", 1))),
    "the place before is read": stays((R, "b", double, (R, "a", 1)), (R, "c", more, (R, "b", 1)),
                                      (R, "d", more, (R, "c", 2))),
    "the next place was read": stays((R, "b", double, (R, "a", 1)), (R, "a", more, (R, "b"))),
    "parts side by side": joins((R, "w", double, (R, "a")), (R, "w", 8, more, (R, "a"))),
    "parts that overlap": stays((R, "w", double, (R, "a")), (R, "w", 4, more, (R, "a"))),
    "one row of what was stored": stays(
        (S, "b", double, (S, "a")), (S, "c", both, (Memory.whole, "b"), (S, "a"))
    ),
    "turned": stays((S, "b", double, (S, "a")), (S, "c", more, (T, "b"))),
    "each in its own order": stays((S, "b", double, (S, "a")), (T, "c", more, (T, "a"))),
    "both turned": joins((T, "b", double, (T, "a")), (T, "c", more, (T, "b"))),
    "other sizes": stays((R, "b", double, (R, "a")), (S, "c", more, (S, "a"))),
    "a weight that may be fed": stays((R, "b", double, (R, "x")), (R, "a", more, (R, "x"))),
    "a weight that may be fed next": stays(
        (R, "b", double, (R, "a")), (R, "a", both, (R, "b"), (R, "x"))
    ),
}  # fmt: skip
CHAINS = {
    "a chain": (
        1,
        [(R, "b", double, (R, "a")), (R, "c", more, (R, "b")), (R, "d", both, (R, "c"), (R, "a"))],
    ),
    "the last disturbs the first": (
        2,
        [(R, "b", double, (R, "a", 1)), (R, "c", more, (R, "b")), (R, "a", more, (R, "c"))],
    ),
    "a chain after a break": (
        2,
        [
            (R, "b", double, (R, "a")),
            (R, "d", more, (R, "b", 1)),
            (R, "c", both, (R, "d"), (R, "a")),
        ],
    ),
}
ALL = TABLE | CHAINS


class Maps:
    """Maps of a row of the table, as statements, and as what they compute one after the other."""

    def __init__(self, maps) -> None:
        self.low, self.node = Lowered(), gn.Graph().input((), name="node")
        self.memory, self.expected = Memory(), Memory()
        self._cells, self._fed = Cells(), {}
        for view, name, *rest in maps:
            start = [each for each in rest[:1] if isinstance(each, int)]
            out = (view, name, *start)
            function, *read = rest[len(start) :]
            element = function(*(load(self.slot(each)) for each in read))
            self.low.statements.append(Map(self.node, *self._to(out, element)))
            theirs = function(*(self._seen(self.expected, each) for each in read))
            self._seen(self.expected, out).copy_(theirs.clone())

    def _to(self, out, element):
        slot = self.slot(out)
        return slot.shape, element, Place(slot)

    @staticmethod
    def _seen(memory, given):
        view, name, *start = given
        return view(memory, name, *start)[1]

    def slot(self, given):
        """A view as a slot."""
        tensor = self._seen(self.memory, given)
        name = given[1]
        if name not in FED:
            return self._cells.slot(tensor)
        if name not in self._fed:
            self._fed[name] = new_slot((16,), tensor.dtype, made=True, owned=False)
            self.low.inputs[gn.Graph().input((16,), name=name)] = self._fed[name]
        whole = self._fed[name]
        return whole.as_strided(tuple(tensor.shape), tensor.stride(), tensor.storage_offset())

    def run(self):
        """Run them in C, joined where they may be."""
        real_compiler()
        program = printed(joined(self.low), 4)
        library = begin(program.source).library()

        def addresses(tensors):
            return (ctypes.c_void_p * (len(tensors) + 1))(*[each.data_ptr() for each in tensors])

        cells = [each.memory.untyped_storage() for each in program.cells]
        fed = [self.memory.pieces[name] for name in self._fed]
        scratch = torch.empty(program.scratch + 64, dtype=torch.uint8)
        code = library.graphnet_step(
            addresses(cells), addresses(fed), None, ctypes.c_void_p(scratch.data_ptr())
        )
        assert code == 0


@pytest.mark.parametrize("name", ALL)
def test_maps_are_joined_where_nothing_changes(name):
    count, maps = ALL[name]
    made = Maps(maps)
    assert len(joined(made.low).statements) == count
    made.run()
    for piece, expected in made.expected.pieces.items():
        assert made.memory.pieces[piece].equal(expected), piece


PLAIN = [(R, "b", double, (R, "a")), (R, "c", more, (R, "b"))]


@pytest.mark.parametrize("place", range(2))
@pytest.mark.parametrize("option", ["adds", "in_order"])
def test_what_needs_its_order_has_loops_of_its_own(option, place):
    made = Maps(PLAIN)
    setattr(made.low.statements[place], option, True)
    assert len(joined(made.low).statements) == 2


@pytest.mark.parametrize("place", range(2))
@pytest.mark.parametrize("is_read", [True, False], ids=["read", "written"])
def test_computed_places_have_loops_of_their_own(is_read, place):
    made = Maps(PLAIN)
    statement = made.low.statements[place]
    index = load(made._cells.slot(torch.arange(8)))
    if is_read:
        statement.element = load(made.slot((Memory.number, "a")), (1, index)) * 2.0
    else:
        statement.out = Place(made.slot((Memory.number, "w")), ((1, index),))
    assert len(joined(made.low).statements) == 2


def test_a_check_stands_between_maps():
    made = Maps(PLAIN)
    made.low.statements.insert(
        1, Check(made.node, made.slot((Memory.number, "b")).as_strided((), ()))
    )
    assert len(joined(made.low).statements) == 3


def test_memory_of_joined_maps_is_not_shared():
    """What the first one reads for the last time stays until the last one has stored."""
    low, node, made = Lowered(), gn.Graph().input((), name="node"), Memory()
    cells = Cells()
    first, second, third = (new_slot((8,), torch.float64) for _ in range(3))
    a, b = (cells.slot(made.row(name)[1]) for name in "ab")
    for element, out in ((load(a), first), (load(first) * 2.0, second), (load(second), third),
                         (load(third) + load(second), b)):  # fmt: skip
        low.statements.append(Map(node, (8,), element, Place(out)))
    program = printed(joined(low), 4)
    assert len(program.lowered.statements) == 1
    starts = [program.starts[slot.buffer] for slot in (first, second, third)]
    assert len(set(starts)) == 3


def test_an_update_is_one_nest_of_loops():
    graph = gn.Graph()
    torch.manual_seed(0)
    x = graph.input((None, 3), name="x")
    loss = gn.Linear(3, 5)(x).square().mean()
    step = graph.compile(loss, gn.Adam(graph.parameters(), lr=0.1), backend="c")
    step(x=torch.ones(2, 3))
    maps = [each for each in step._last.function._low.statements if isinstance(each, Map)]
    *_, update = maps
    assert [each.node.name for each in (update, *update.then)][-1].startswith("update")
    assert len(update.then) == 2
