"""Programs in C under the address and the undefined-behaviour sanitizer: nothing is found."""

from __future__ import annotations

import pytest
import torch
from compile.lower.test_winograd import OF_IMAGE, program_of_all
from compile.targets.c.alone import Alone
from compile.targets.c.rows import FILES, Table
from compile.targets.c.test_integers import INTEGERS, integers
from compile.targets.c.test_layers import layers
from compile.targets.c.test_products import LANES, SQUARE, Products, images, matrices, pixels
from compile.targets.c.test_transposing import copies, lowered_copies
from compile.targets.exported import COMPILERS, needs_compiler, sanitizers
from compile.test_layers import LAYERS
from compile.training import DOUBLE

from graphnet.compile.targets.c import assemble
from graphnet.compile.targets.c.compilers import Flags
from graphnet.compile.targets.c.printer import printed

DTYPES = pytest.mark.parametrize("dtype", [torch.float32, DOUBLE], ids=["float", "double"])
PARTS = 12
"""Programs that all layers are divided into: sanitizers take far longer for long ones."""


def by_tiles(dtype):
    graph, nodes, fed, _ = program_of_all(OF_IMAGE.values(), dtype)
    predict = graph.compile(nodes, backend="c")
    predict(fed)
    return predict._last, [fed]


PROGRAMS = {
    **{file: lambda dtype, file=file: predictions(FILES[file], dtype) for file in FILES},
    **{
        f"layers {part}": lambda dtype, part=part: training(layers([*LAYERS][part::PARTS], dtype))
        for part in range(PARTS)
    },
    **{f"{dtype}": lambda _, dtype=dtype: at_the_ends(dtype) for dtype in INTEGERS},
    "convolutions by tiles": by_tiles,
}
"""Each gives a program that has run, with all that it is fed, several times."""


def predictions(rows, dtype):
    """As in the table, and with NaN, infinities and large numbers."""
    table = Table(rows, dtype)
    predict = table.graph.compile(table.targets, backend="c")
    predict(table.feed)
    return predict._last, [table.feed, table.all_edges()]


def training(made):
    ours, feed = made
    feed = {name: values[0] for name, values in feed.items()}
    step = ours.compiled(backend="c")
    step(feed)
    return step._last, [feed]


def at_the_ends(dtype):
    graph, nodes, feed, _ = integers(dtype)
    predict = graph.compile([*nodes.values()], backend="c")
    predict(feed)
    return predict._last, [feed]


def assert_clean(folder, compiler, program, fed, numbers=(), flags=()):
    """Run a program once for each list of tensors that it is fed."""
    if not sanitizers(compiler):
        pytest.skip(f"{compiler} has no library of sanitizers here")
    known = tuple(each for each in Flags.of().optional if not each.startswith("-fvisibility"))
    checks = "-fsanitize=address,undefined,float-cast-overflow"
    command = [compiler, "-O1", "-g1", checks, "-fno-sanitize-recover=all"]
    alone = Alone(folder, program, command, (*known, *flags))
    for tensors in fed:
        alone.run(tensors, numbers)


def assert_named_is_clean(folder, compiler, name, dtype, lanes, *flags):
    runner, feeds = PROGRAMS[name](dtype)
    function = runner.function
    low, draws = function._low, [draw() for draw in function._draws]
    fed = [[*(feed[node.name] for node in low.inputs), *draws] for feed in feeds]
    numbers = [0.01] * len(low.numbers)
    assert_clean(folder, compiler, printed(low, lanes), fed, numbers, flags)


@needs_compiler
def test_a_small_program_is_clean(tmp_path):
    lanes = assemble.vector_lanes()
    assert_named_is_clean(tmp_path, COMPILERS[0], "embedding", torch.float32, lanes)


@pytest.mark.slow
@DTYPES
@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("name", PROGRAMS)
def test_every_program_is_clean(name, compiler, dtype, tmp_path):
    assert_named_is_clean(tmp_path, compiler, name, dtype, assemble.vector_lanes())


@pytest.mark.slow
@pytest.mark.parametrize("lanes", [1, 4, 8])
@pytest.mark.parametrize("name", ["products", "convolution", "layers 0"])
def test_narrower_vectors_are_clean(name, lanes, tmp_path):
    assert_named_is_clean(tmp_path, COMPILERS[0], name, torch.float32, lanes)


@pytest.mark.slow
@DTYPES
@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("lanes", LANES)
def test_tiles_read_nothing_beside_their_factors(lanes, compiler, dtype, tmp_path):
    products = Products(lanes, dtype)
    images(products, 1)
    pixels(products)
    for number, (rows, columns, depth) in enumerate(SQUARE):
        matrices(products, rows, columns, depth, number)
    assert_clean(tmp_path, compiler, printed(products.low, lanes), [[]])


@pytest.mark.slow
@DTYPES
@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("lanes", LANES)
def test_copies_stay_inside_their_memory(lanes, compiler, dtype, tmp_path):
    cases = list(copies(dtype))
    assert_clean(tmp_path, compiler, printed(lowered_copies(cases), lanes), [[]])
