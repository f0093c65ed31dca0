"""Programs in C with other compilers and for other processors: the numbers are the same.

Other widths of vectors are those of this processor with flags that mask off the rest. Programs for
arm64 are cross-compiled, and run by an emulator.
"""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from closeness import assert_close
from compile.targets.c.alone import Alone
from compile.targets.c.rows import FILES, Table
from compile.targets.c.test_integers import INTEGERS, integers
from compile.targets.c.test_layers import assert_same_steps, layers
from compile.targets.c.test_ops import assert_rows, assert_table
from compile.targets.fakes import installed, real_compiler
from compile.test_layers import LAYERS
from compile.training import DOUBLE

import graphnet as gn
from graphnet.compile.targets.c import assemble
from graphnet.compile.targets.c.compilers import Flags
from graphnet.compile.targets.c.printer import printed

DTYPES = pytest.mark.parametrize("dtype", [torch.float32, DOUBLE], ids=["float", "double"])
X86 = platform.machine().lower() in ("x86_64", "amd64")
MACHINES = {
    "AVX2": (8, ("-mno-avx512f", "-mavx2", "-mfma") if X86 else ()),
    "SSE2": (4, ("-march=x86-64",) if X86 else ()),
    "plain numbers": (1, ("-march=x86-64",) if X86 else ()),
    "this one": (assemble.vector_lanes(), ()),
}


@pytest.fixture
def other(monkeypatch):
    """The numbers of a vector, flags after the others, and a compiler."""

    def choose(machine, compiler=None):
        lanes, flags = MACHINES[machine]
        given = Flags.of()
        changed = replace(given, optional=(*given.optional, *flags))
        monkeypatch.setattr(Flags, "of", lambda: changed)
        monkeypatch.setattr(assemble, "vector_lanes", lambda: lanes)
        if compiler is not None:
            monkeypatch.setenv("CC", compiler)

    return choose


@pytest.mark.parametrize("machine", [each for each in MACHINES if each != "this one"])
def test_a_few_rows_on_another_machine(machine, other):
    other(machine)
    assert_table(FILES["softmaxes"], torch.float32)


@pytest.mark.slow
@DTYPES
@pytest.mark.parametrize("compiler", installed())
@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("file", FILES)
def test_every_row_on_another_machine(file, machine, compiler, dtype, other):
    other(machine, compiler)
    assert_table(FILES[file], dtype)


@pytest.mark.slow
@pytest.mark.parametrize("compiler", installed())
@pytest.mark.parametrize("machine", MACHINES)
def test_every_layer_on_another_machine(machine, compiler, other):
    other(machine, compiler)
    for part in range(4):
        assert_same_steps(lambda part=part: layers([*LAYERS][part::4], DOUBLE), steps=3)


# arm64

CROSS, QEMU = "aarch64-linux-gnu-gcc", "qemu-aarch64"
NEON = 4
"""The numbers of float in a vector of arm64."""
needs_arm64 = pytest.mark.skipif(
    not (shutil.which(CROSS) and shutil.which(QEMU)), reason=f"needs {CROSS} and {QEMU}"
)


def on_arm64(folder, low):
    """A program for arm64."""
    flags = Flags.of("linux", "aarch64").optional
    known = tuple(each for each in flags if not each.startswith(("-mcpu", "-fvisibility")))
    emulator = [shutil.which(QEMU), "-L", "/usr/aarch64-linux-gnu"]
    return Alone(folder, printed(low, NEON), [CROSS, "-O3"], known, emulator)


def predicting(folder, predict):
    """What a compiled prediction predicts on arm64; it has run here."""
    low = predict._last.function._low
    alone = on_arm64(folder, low)
    names = {slot.buffer: node.name for node, slot in low.inputs.items()}

    def there(feed):
        alone.run([feed[node.name] for node in low.inputs])
        return [
            feed[names[slot.buffer]].as_strided(slot.shape, slot.strides, slot.offset)
            if slot.buffer in names
            else alone.value(slot)
            for slot in low.results
        ]

    return there


@pytest.mark.slow
@needs_arm64
@DTYPES
@pytest.mark.parametrize("file", FILES)
def test_every_row_on_arm64(file, dtype, tmp_path):
    table = Table(FILES[file], dtype)
    predict = table.graph.compile(table.targets, backend="c")
    predict(table.feed)
    assert_rows(table, predicting(tmp_path, predict), table.feed)


@pytest.mark.slow
@needs_arm64
@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
def test_integers_on_arm64(dtype, tmp_path):
    graph, nodes, feed, expected = integers(dtype)
    predict = graph.compile([*nodes.values()], backend="c")
    predict(feed)
    assert all(map(torch.equal, predicting(tmp_path, predict)(feed), expected))


@pytest.mark.slow
@needs_arm64
@pytest.mark.parametrize("part", range(4))
def test_every_layer_on_arm64(part, tmp_path):
    """Two steps there and two here, from the same parameters, with the same masks."""
    ours, values = layers([*LAYERS][part::4], DOUBLE)
    feed = {name: each[0] for name, each in values.items()}
    step = ours.compiled(backend="c")
    step(feed)
    function = step._last.function
    low, masks = function._low, [draw() for draw in function._draws]
    function._draws = [lambda mask=mask: mask for mask in masks]
    numbers, fed = [0.01] * len(low.numbers), [feed[node.name] for node in low.inputs]
    alone = on_arm64(tmp_path, low)
    alone.run([*fed, *masks], numbers)
    for _ in range(2):
        function(*fed, *numbers)
    used = [(cell, slot) for cell, slot in low.cells.items() if slot.buffer in alone.program.cells]
    assert used
    for cell, slot in used:
        here = slot.buffer.memory.as_strided(slot.shape, slot.strides, slot.offset)
        assert_close({cell.name: alone.value(slot)}, {cell.name: here}, rtol=1e-9, atol=1e-9)


# Windows


def test_functions_are_exported_on_windows(tmp_path):
    graph = gn.Graph()
    loss = graph.parameter(torch.ones(3)).sum()
    step = graph.compile(loss, gn.SGD(graph.parameters(), 0.1), backend="c")
    step()
    source = step.source
    (tmp_path / "program.c").write_text(source, encoding="utf-8")
    command = [real_compiler(), "-E", "-P", "-D_WIN32", str(tmp_path / "program.c")]
    text = subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout
    for name in ("graphnet_step", "graphnet_many"):
        assert re.search(rf"__declspec\(dllexport\)\s+int64_t {name}\(", text)


@pytest.mark.slow
@pytest.mark.parametrize("compiler", installed())
def test_a_library_of_windows_exports_its_functions(compiler, tmp_path):
    """The names are still there when all others are taken out."""
    if "ziglang" not in compiler:
        pytest.skip("cross-compiled by ziglang")
    table = Table(FILES["softmaxes"], torch.float32)
    loss = table.graph.parameter(torch.ones(3)).sum()
    predict = table.graph.compile([loss, *table.targets], backend="c")
    predict(table.feed)
    assert "graphnet_many" in predict.source
    (tmp_path / "program.c").write_text(predict.source, encoding="utf-8")
    flags = Flags.of("win32", "amd64")
    of_gcc = ("-march", "-fno-predictive", "-fno-tree")
    optional = (each for each in flags.optional if not each.startswith(of_gcc))
    command = [sys.executable, "-m", "ziglang", "cc", "-target", "x86_64-windows-gnu", "-s",
               *flags.needed, *optional, "-o", "program.dll", "program.c"]  # fmt: skip
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, encoding="utf-8", check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    library = (tmp_path / "program.dll").read_bytes()
    assert b"graphnet_step" in library and b"graphnet_many" in library
