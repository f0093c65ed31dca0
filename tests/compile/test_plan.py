"""The plan of memory: slots follow tensors, and no two values that are needed share a place."""

from __future__ import annotations

import gc
from itertools import accumulate, pairwise, permutations, product

import pytest
import torch
from compile.test_layers import LAYERS, feeds
from compile.test_layers import training as layer_training
from compile.training import DOUBLE, dense_feeds, dense_training, randn
from hypothesis import given
from hypothesis import strategies as st

import graphnet as gn
from graphnet.compile.plan.calls import Call, Expression
from graphnet.compile.plan.memory import Life, by_size, in_turn, plan
from graphnet.compile.plan.overwrite import overwrite
from graphnet.compile.plan.slots import NotAView, Slot, new_slot
from graphnet.compile.targets.torch import allocate, kernel_table, select
from graphnet.compile.targets.torch.convolution import usual_format
from graphnet.compile.targets.torch.kernel import RULE
from graphnet.compile.targets.torch.printer import FUNCTIONS
from graphnet.compile.targets.torch.tuning import Tuner

# slots follow tensors


def steps(draw, shape):
    """A change of view that a tensor of this shape allows, or refuses as one that needs a copy."""
    ndim = len(shape)
    names = ["permute", "unsqueeze", "reshape", "flatten", "expand", "index"]
    names += ["transpose", "narrow", "mT", "squeeze", "unfold", "diagonal"] if ndim > 1 else []
    name = draw(st.sampled_from(names))
    dim = draw(st.integers(-ndim, ndim - 1)) if ndim else 0
    size = shape[dim] if ndim else 0
    if name == "mT":
        return lambda x: x.mT
    if name == "permute":
        order = draw(st.permutations(range(ndim)))
        return lambda x: x.permute(order)
    if name == "transpose":
        other = draw(st.integers(-ndim, ndim - 1))
        return lambda x: x.transpose(dim, other)
    if name == "diagonal":
        offset, (first, second) = draw(st.integers(-3, 3)), draw(st.permutations(range(ndim)))[:2]
        return lambda x: x.diagonal(offset, first, second)
    if name == "unsqueeze":
        place = draw(st.integers(-ndim - 1, ndim))
        return lambda x: x.unsqueeze(place)
    if name == "squeeze":
        return (lambda x: x.squeeze(dim)) if size == 1 else (lambda x: x.unflatten(dim, (1, -1)))
    if name == "flatten":
        start = draw(st.integers(0, max(ndim - 1, 0)))
        return lambda x: x.flatten(start)
    if name == "reshape":
        count = torch.Size(shape).numel()
        first = draw(st.sampled_from([n for n in range(1, count + 1) if count % n == 0] or [0]))
        return lambda x: x.reshape(first, count // first if first else 1)
    if name == "narrow":
        start = draw(st.integers(0, size))
        length = draw(st.integers(0, size - start))
        return lambda x: x.narrow(dim, start, length)
    if name == "unfold":
        window = draw(st.integers(1, max(size, 1)))
        step = draw(st.integers(1, 3))
        return (lambda x: x.unfold(dim % ndim, window, step)) if size else (lambda x: x)
    if name == "expand":
        return lambda x: x.expand(2, *[-1] * ndim)
    key = draw(index_keys(shape))
    return lambda x: x[key]


def index_keys(shape):
    one = [
        st.one_of(
            st.slices(n).map(lambda s: slice(s.start, s.stop, abs(s.step or 1))),
            *([st.integers(-n, n - 1)] if n else []),
        )
        for n in shape[:2]
    ]
    return st.tuples(*one, st.sampled_from([None, Ellipsis])).map(
        lambda key: key if len(shape) >= 1 else (None,)
    )


@given(st.data(), st.lists(st.integers(0, 4), max_size=4))
def test_a_slot_is_viewed_as_a_tensor_is(data, shape):
    """The same shape, first element and strides; and a copy is needed for both or for neither."""
    tensor, slot = torch.empty(shape), new_slot(tuple(shape), torch.float32)
    for _ in range(data.draw(st.integers(1, 5))):
        change = steps(data.draw, tuple(tensor.shape))
        changed = change(tensor)
        is_view = changed.untyped_storage().data_ptr() == tensor.untyped_storage().data_ptr()
        if tensor.numel() and not is_view:
            with pytest.raises(NotAView):
                change(slot)
            return
        tensor, slot = changed, change(slot)
        assert slot.shape == tuple(tensor.shape)
        assert slot.is_contiguous == tensor.is_contiguous()
        if tensor.numel():
            assert slot.offset == tensor.storage_offset()
            assert slot.has_layout_of(slot.as_strided(slot.shape, tensor.stride()))
            assert slot.span[1] <= max(tensor.untyped_storage().nbytes() // 4, 1)


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
def test_every_reshape_of_every_layout(order):
    """Dimensions in any order, whole or in part: a view where torch has one, with its strides."""
    whole, slots = torch.empty(2, 4, 3), new_slot((2, 4, 3), torch.float32)
    for key in product((slice(0, 1), slice(None)), (slice(0, 4, 2), slice(None)), (slice(0, 2),)):
        tensor, slot = whole[key].permute(order), slots[key].permute(order)
        count = tensor.numel()
        sizes = [n for n in range(1, count + 1) if count % n == 0]
        for shape in product(sizes, repeat=3):
            if shape[0] * shape[1] * shape[2] != count:
                continue
            try:
                strides = tensor.view(shape).stride()
            except RuntimeError:
                with pytest.raises(NotAView):
                    slot.view(shape)
            else:
                view = slot.view(shape)
                assert view.has_layout_of(view.as_strided(shape, strides))


# buffers in an arena

lives = st.lists(
    st.builds(
        lambda nbytes, first, time, multiple: Life(nbytes, first, first + time, multiple),
        st.integers(1, 300),
        st.integers(0, 40),
        st.integers(0, 15),
        st.sampled_from([1, 4, 8, 64]),
    ),
    max_size=40,
).map(lambda found: sorted(found, key=lambda life: life.first))


@pytest.mark.parametrize("pack", [by_size, in_turn])
@given(found=lives)
def test_no_two_live_buffers_overlap(pack, found):
    starts = pack(found)
    for at, (start, life) in enumerate(zip(starts, found, strict=True)):
        assert start >= 0
        assert start % life.multiple == 0
        for other, one in zip(starts[:at], found[:at], strict=True):
            together = life.first <= one.last and one.first <= life.last
            assert not together or start + life.nbytes <= other or other + one.nbytes <= start


@given(found=lives)
def test_buffers_take_no_more_than_one_behind_the_other(found):
    tops = [
        max((s + life.nbytes for s, life in zip(pack(found), found, strict=True)), default=0)
        for pack in (by_size, in_turn)
    ]
    in_a_row = list(accumulate((life.nbytes + life.multiple - 1 for life in found), initial=0))[-1]
    most = max(
        (sum(o.nbytes for o in found if o.first <= life.first <= o.last) for life in found),
        default=0,
    )
    assert all(most <= top <= in_a_row for top in tops)


# whole programs


def chosen(program):
    selection = select.Selection(program, Tuner(False), usual_format(program))
    selection.run()
    return selection


def bytes_of(slot, starts):
    """The bytes that a slot covers, as (first, end) in the arena; None outside it."""
    start = starts.get(slot.buffer)
    if start is None:
        return None
    size = slot.dtype.itemsize
    return tuple(start + each * size for each in slot.span)


def assert_no_value_is_lost(placed, results):
    """Whatever is written stays until it has been read for the last time: byte by byte.

    An oracle beside the plan: each byte notes who wrote it; a slot that is read must still be made
    of bytes written for its own buffer.
    """
    owner = [None] * placed.nbytes
    for call in [*placed.calls, None]:
        for slot in results if call is None else call.reads():
            span = bytes_of(slot, placed.starts)
            if span is not None and span[0] < span[1]:
                first = slot.offset * slot.dtype.itemsize + placed.starts[slot.buffer]
                assert owner[first] is slot.buffer
                assert owner[span[1] - 1] is slot.buffer
                assert {*owner[span[0] : span[1]]} <= {slot.buffer, None}
        for slot in () if call is None else call.out:
            if slot is not None and (span := bytes_of(slot, placed.starts)) is not None:
                owner[span[0] : span[1]] = [slot.buffer] * (span[1] - span[0])


@pytest.mark.parametrize("name", LAYERS)
def test_what_a_program_reads_is_what_it_wrote(name):
    make, shape = LAYERS[name]
    step = layer_training(make, shape).compiled()
    step(feeds(shape)[0])
    placed = allocate.place(chosen(step.program))
    assert placed.nbytes == step.memory
    assert_no_value_is_lost(placed, [placed.slots[node] for node in step.program.results])


def convolutions():
    return gn.Sequential(
        gn.Conv2d(1, 8, 3), gn.ReLU(), gn.MaxPool2d(2), gn.Conv2d(8, 16, 3), gn.Tanh(), gn.Flatten()
    )


NETWORKS = {
    "disk": ([2, 25, 25, 25, 2], gn.Tanh, "SGD", 50, 20_404),
    "disk, Adam": ([2, 25, 25, 25, 2], gn.Tanh, "Adam", 50, 26_112),
    "digits": ([784, 256, 128, 10], gn.ReLU, "SGD", 64, 199_172),
    "digits, RMSprop": ([784, 256, 128, 10], gn.ReLU, "RMSprop", 64, 1_139_756),
    "GELU": ([2, 25, 25, 25, 2], gn.GELU, "SGD", 50, 50_404),  # its parts, for the way back
}
"""Sizes, activation, optimizer, rows; and the bytes of buffers where each is reused as a whole."""


@pytest.mark.parametrize("name", NETWORKS)
def test_bytes_of_usual_networks(name):
    sizes, activation, kind, rows, most = NETWORKS[name]
    layers = []
    for a, b in pairwise(sizes):
        layers += [gn.Linear(a, b), activation()]
    model = gn.Sequential(*layers[:-1])
    with gn.Graph() as graph:
        x, t = gn.Input((None, sizes[0]), name="x"), gn.Input((None, sizes[-1]), name="t")
        loss = gn.LossMSE()(model(x), t)
    step = graph.compile(loss, getattr(gn, kind)(model.parameters(), lr=0.01), tune=False)
    step(x=torch.zeros(rows, sizes[0]), t=torch.ones(rows, sizes[-1]))
    assert 0 < step.memory <= most


def test_a_long_list_is_planned_in_turn():
    """So many buffers that packing them tightly would take long."""
    graph = gn.Graph()
    x = graph.input((None, 3), name="x", dtype=DOUBLE)
    w = graph.parameter(randn(3, 3), name="w")
    h = x
    for _ in range(600):
        h = (h @ w).tanh() + x
    step = graph.compile(h.mean(), gn.SGD([w], lr=0.01), tune=False)
    step(x=randn(4, 3))
    placed = allocate.place(chosen(step.program))
    assert len(placed.starts) > 1000
    assert_no_value_is_lost(placed, [placed.slots[node] for node in step.program.results])


# what may be written over


ADD, VIEW = kernel_table.KERNELS[gn.ops.arithmetic.Add], RULE


def call(kernel, out, over=(), **args):
    return Call(kernel, (out,), args, None, {}, over)


def fresh(*shape, **options):
    return new_slot(shape, torch.float32, **options)


def test_a_result_goes_where_an_operand_is_read_last():
    x, y, first, second = (fresh(2, 3) for _ in range(4))
    program = [
        call(VIEW, x),
        call(VIEW, y),
        call(ADD, first, ("x", "y"), x=x, y=y),
        call(ADD, second, ("x", "y"), x=first, y=x),
    ]
    calls, moves = overwrite(program, [second])
    assert moves(first) == y  # x is read once more
    assert moves(second) == y
    assert calls[3].args == {"x": y, "y": x}
    assert moves(second.mT) == y.mT


@pytest.mark.parametrize(
    ("given", "out"),
    [
        (fresh(2, 3), fresh(3, 2)),
        (fresh(3, 2).mT, fresh(2, 3)),
        (fresh(2, 3), new_slot((2, 3), torch.float64)),
        (fresh(2, 3, made=True), fresh(2, 3)),
        (fresh(2, 3, owned=False), fresh(2, 3)),
    ],
    ids=["shape", "strides", "dtype", "made", "fed"],
)
def test_a_result_of_another_kind_is_not_put_there(given, out):
    _, moves = overwrite([call(ADD, out, ("x",), x=given, y=1.0)], [out])
    assert moves(out) is out


def test_an_operand_is_kept_that_is_read_in_another_way_too():
    x, out = fresh(3, 3), fresh(3, 3)
    _, moves = overwrite([call(ADD, out, ("x",), x=x, y=x.mT)], [out])
    assert moves(out) is out
    hidden = Expression("{x}.mT", {"x": x.mT})
    _, moves = overwrite([call(ADD, out, ("x",), x=x, y=hidden)], [out])
    assert moves(out) is out


def test_what_a_made_tensor_may_be_a_view_of_is_kept():
    x, first, second = fresh(2), fresh(2), fresh(2)
    made = fresh(2, made=True)
    made.buffer.behind = (first.buffer,)
    program = [
        call(ADD, first, ("x",), x=x, y=1.0),  # moves to x, and what is behind with it
        call(VIEW, made, x=first),
        call(ADD, second, ("x",), x=first, y=1.0),
    ]
    calls, moves = overwrite(program, [made, second])
    assert moves(first) == x
    assert moves(second) is second
    calls.append(call(VIEW, late := fresh(2)))
    starts, _ = plan(calls, [made, second, late])
    assert len({starts[slot.buffer] for slot in (x, second, late)}) == 3


def test_two_slots_of_one_cell_share_its_buffer():
    ours = dense_training("Adam")
    step = ours.compiled()
    step(dense_feeds()[0])
    selection = chosen(step.program)
    cells = [node for node in step.program if node.kind == "parameter"]
    for cell in cells:
        slot = selection.slots[cell]
        assert isinstance(slot, Slot)
        assert slot.offset == cell.top.storage_offset()
        for other in cells:
            shared = cell.top.untyped_storage().data_ptr() == other.top.untyped_storage().data_ptr()
            assert (slot.buffer is selection.slots[other].buffer) == shared


@pytest.mark.parametrize("kernel", [*kernel_table.KERNELS.values()], ids=lambda each: each.out)
def test_a_kernel_calls_what_there_is(kernel):
    if kernel.function:
        assert kernel.function in FUNCTIONS or hasattr(torch, kernel.function)
        assert kernel.out.startswith(f"{kernel.function}(")


@pytest.mark.parametrize("on", [True, False])
def test_the_collector_goes_on_as_before(on):
    (gc.enable if on else gc.disable)()
    try:
        ours = dense_training()
        ours.compiled()(dense_feeds()[0])
        assert gc.isenabled() is on
        with pytest.raises(gn.GraphError):
            ours.compiled()(x=randn(4, 3), t=randn(5, 2))
        assert gc.isenabled() is on
    finally:
        gc.enable()
