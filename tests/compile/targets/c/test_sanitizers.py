"""Programs in C under sanitizers, with other compilers and for other processors.

A library that is compiled for the address sanitizer needs its runtime before Python's first byte of
memory. So a driver in C runs each program instead, with every piece of memory allocated alone: what
is read or written beside it is an error.
"""

from __future__ import annotations

import ctypes
import platform
import shutil
import struct
import subprocess
from dataclasses import replace

import pytest
import torch
from compile.targets.c.rows import FILES, Table
from compile.targets.c.test_integers import INTEGERS, integers
from compile.targets.c.test_layers import assert_same_steps, layers
from compile.targets.c.test_ops import assert_table
from compile.targets.c.test_products import LANES, SQUARE, Products, images, matrices
from compile.test_layers import LAYERS
from compile.training import DOUBLE

from graphnet.compile.targets.c import assemble
from graphnet.compile.targets.c.compilers import Flags, accepted
from graphnet.compile.targets.c.printer import printed

DRIVER = """
#include <stdio.h>
#include <stdlib.h>
#include <stdint.h>
#include <string.h>
int64_t graphnet_step(void *const *, void *const *, const double *, char *);
static void *part(FILE *file) { /* its size, its first byte, and the bytes that a program may use */
  int64_t n;
  if (fread(&n, 8, 1, file) != 1) exit(3);
  void *to = malloc((size_t)n);
  if (n && fread(to, 1, (size_t)n, file) != (size_t)n) exit(3);
  return to;
}
static void *room(int64_t n) {
  void *to = aligned_alloc(64, (size_t)(n + 63) / 64 * 64);
  memset(to, 255, (size_t)n);
  return to;
}
int main(int count, char **names) {
  FILE *file = fopen(names[1], "rb");
  (void)count;
  int64_t sizes[4];
  if (!file || fread(sizes, 8, 4, file) != 4) return 3;
  void *cells[sizes[0] + 1], *fed[sizes[1] + 1];
  for (int64_t i = 0; i < sizes[0]; i++) cells[i] = part(file);
  for (int64_t i = 0; i < sizes[1]; i++) fed[i] = part(file);
  double *numbers = part(file);
  char *scratch = room(sizes[3]);
  for (int i = 0; i < 2; i++) {
    int64_t code = graphnet_step(cells, fed, numbers, scratch);
    if (code) { printf("check %ld", (long)code); return 4; }
  }
  for (int64_t i = 0; i < sizes[0]; i++) free(cells[i]);
  for (int64_t i = 0; i < sizes[1]; i++) free(fed[i]);
  free(numbers);
  free(scratch);
  fclose(file);
  return 0;
}
"""


COMPILERS = [name for name in ("gcc", "clang") if shutil.which(name)]
DTYPES = pytest.mark.parametrize("dtype", [torch.float32, DOUBLE], ids=["float", "double"])
PROGRAMS = {
    **{file: lambda dtype, file=file: predictions(FILES[file], dtype) for file in FILES},
    **{
        f"layers {part}": lambda dtype, part=part: training(layers([*LAYERS][part::4], dtype))
        for part in range(4)
    },
    **{f"{dtype}": lambda _, dtype=dtype: at_the_ends(dtype) for dtype in INTEGERS},
}
"""Each gives a program that has run, with all that it is fed, several times."""


def predictions(rows, dtype):
    """As in the table, and with NaN, infinities and large numbers."""
    table = Table(rows, dtype)
    predict = table.graph.compile(table.targets, backend="c")
    predict(table.feed)
    return predict._last, [table.feed, table.all_edges()], []


def training(made):
    ours, feed = made
    feed = {name: values[0] for name, values in feed.items()}
    step = ours.compiled(backend="c")
    step(feed)
    return step._last, [feed], [0.01] * len(step._last.numbers)


def at_the_ends(dtype):
    graph, nodes, feed, _ = integers(dtype)
    predict = graph.compile([*nodes.values()], backend="c")
    predict(feed)
    return predict._last, [feed], []


def record(parts):
    return b"".join(len(each).to_bytes(8, "little") + each for each in parts)


def memory_of(tensor, whole=False):
    """The bytes of a tensor, or of all that it lies in."""
    if not whole:
        tensor = tensor.contiguous()
        return ctypes.string_at(tensor.data_ptr(), tensor.nbytes)
    storage = tensor.untyped_storage()
    return ctypes.string_at(storage.data_ptr(), storage.nbytes())


def assert_clean(folder, compiler, program, fed, numbers=(), flags=()):
    """Run a program once for each list of tensors that it is fed."""
    (folder / "program.c").write_text(program.source, encoding="utf-8")
    (folder / "driver.c").write_text(DRIVER, encoding="utf-8")
    known = tuple(each for each in Flags.of().optional if not each.startswith("-fvisibility"))
    done = sanitized(folder, compiler, (*known, *flags))
    if done.returncode:  # what the other compiler has no flag for
        done = sanitized(folder, compiler, (*(accepted(known, done.stderr) or ()), *flags))
    assert done.returncode == 0, done.stderr
    cells = [memory_of(each.memory, whole=True) for each in program.cells]
    given = struct.pack(f"<{len(numbers)}d", *numbers)
    for tensors in fed:
        passed = [memory_of(each) for each in tensors]
        sizes = struct.pack("<4q", len(cells), len(passed), len(numbers), program.scratch)
        (folder / "data").write_bytes(sizes + record([*cells, *passed, given]))
        done = subprocess.run(
            ["./run", "data"], cwd=folder, capture_output=True, encoding="utf-8", check=False,
            env={"ASAN_OPTIONS": "detect_leaks=0"},
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr


def sanitized(folder, compiler, flags):
    checks = "-fsanitize=address,undefined,float-cast-overflow"
    command = [compiler, "-O1", "-g", checks, "-fno-sanitize-recover=all", *flags,
               "-o", "run", "driver.c", "program.c", "-lm"]  # fmt: skip
    return subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8", check=False)


def assert_named_is_clean(folder, compiler, name, dtype, lanes, *flags):
    runner, feeds, numbers = PROGRAMS[name](dtype)
    function = runner.function
    low, draws = function._low, [draw() for draw in function._draws]
    fed = [[*(feed[node.name] for node in low.inputs), *draws] for feed in feeds]
    assert_clean(folder, compiler, printed(low, lanes), fed, numbers, flags)


def test_a_small_program_is_clean(tmp_path):
    if not COMPILERS:
        pytest.skip("needs gcc or clang")
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
    for number, (rows, columns, depth) in enumerate(SQUARE):
        matrices(products, rows, columns, depth, number)
    assert_clean(tmp_path, compiler, printed(products.low, lanes), [[]])


# other processors, other compilers


@pytest.fixture
def other(monkeypatch):
    """The numbers of a vector, flags after the others, and a compiler."""

    def choose(lanes, flags, compiler):
        given = Flags.of()
        changed = replace(given, optional=(*given.optional, *flags))
        monkeypatch.setattr(Flags, "of", lambda: changed)
        monkeypatch.setattr(assemble, "vector_lanes", lambda: lanes)
        if compiler is not None:
            monkeypatch.setenv("CC", shutil.which(compiler))

    return choose


X86 = platform.machine().lower() in ("x86_64", "amd64")
MACHINES = {
    "AVX2": (8, ("-mno-avx512f",) if X86 else ()),
    "SSE2": (4, ("-mno-avx", "-mno-fma") if X86 else ()),
    "plain numbers": (1, ()),
}


@pytest.mark.parametrize("machine", MACHINES)
def test_a_few_rows_on_another_machine(machine, other):
    other(*MACHINES[machine], None)
    assert_table(FILES["softmaxes"], torch.float32)


@pytest.mark.slow
@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("machine", [*MACHINES, "this one"])
@pytest.mark.parametrize("file", FILES)
def test_every_row_on_another_machine(file, machine, compiler, other):
    lanes, flags = MACHINES.get(machine, (assemble.vector_lanes(), ()))
    other(lanes, flags, compiler)
    assert_table(FILES[file], torch.float32)


@pytest.mark.slow
@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("machine", [*MACHINES, "this one"])
def test_every_layer_on_another_machine(machine, compiler, other):
    lanes, flags = MACHINES.get(machine, (assemble.vector_lanes(), ()))
    other(lanes, flags, compiler)
    for part in range(4):
        assert_same_steps(lambda part=part: layers([*LAYERS][part::4], DOUBLE), steps=3)
