"""The most that the machine can do: fused multiply-adds between registers, in each thread.

A short C program is compiled for this machine if there is a C compiler. Otherwise large matrix
products take its place, and the limit is somewhat too low.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch

from graphnet.bench.contestants import Contestant

SOURCE = """
#ifdef __AVX512F__
#define VECTOR_FLOATS 16
#else
#define VECTOR_FLOATS 8
#endif
#define CHAINS 12
typedef float vector __attribute__((vector_size(4 * VECTOR_FLOATS)));

double multiply_adds(long rounds) {
    vector sums[CHAINS], factor, addend;
    for (int lane = 0; lane < VECTOR_FLOATS; lane++) {
        factor[lane] = 0.999f;
        addend[lane] = 0.001f * (lane + 1);
    }
    for (int chain = 0; chain < CHAINS; chain++) sums[chain] = addend * (float)(chain + 1);
    for (long round = 0; round < rounds; round++) {
#pragma GCC unroll 12
        for (int chain = 0; chain < CHAINS; chain++) sums[chain] = sums[chain] * factor + addend;
    }
    double total = 0;
    for (int chain = 0; chain < CHAINS; chain++)
        for (int lane = 0; lane < VECTOR_FLOATS; lane++) total += sums[chain][lane];
    return total;
}

long operations_of_a_round(void) { return 2L * CHAINS * VECTOR_FLOATS; }
"""

KERNEL = "multiply-adds between registers"
PRODUCT = "a large matrix product"

ROUNDS = 1_000_000  # some milliseconds, against which waking a thread takes no time
SIDE = 1024  # of a large matrix


def build(folder: Path) -> None:
    """Compile the C program into a folder, if there is a C compiler."""
    compiler = shutil.which(os.environ.get("CC", "cc")) or shutil.which("gcc")
    if compiler is None:
        return
    source = folder / "limit.c"
    source.write_text(SOURCE, encoding="utf-8")
    command = [compiler, "-O3", "-march=native", "-mprefer-vector-width=512", "-ffp-contract=fast"]
    command += ["-shared", "-fPIC", "-o", str(folder / "limit.so"), str(source)]
    subprocess.run(command, capture_output=True, check=False)


def limits(folder: Path, threads: int) -> list[tuple[Contestant, float]]:
    """What may reach the limit, each with the number of operations in its step."""
    if (folder / "limit.so").exists():
        return [_registers(ctypes.CDLL(str(folder / "limit.so")), threads)]
    return _products()


def _registers(library: Any, threads: int) -> tuple[Contestant, float]:
    library.multiply_adds.restype = ctypes.c_double
    library.multiply_adds.argtypes = [ctypes.c_long]
    library.operations_of_a_round.restype = ctypes.c_long
    pool = ThreadPoolExecutor(threads)

    def step(number: int) -> None:
        list(pool.map(library.multiply_adds, [ROUNDS] * threads))

    operations = float(threads * ROUNDS * library.operations_of_a_round())
    return Contestant(step, dict, KERNEL), operations


def _products() -> list[tuple[Contestant, float]]:
    """Both matrix kernels of torch."""
    a, b = torch.rand(SIDE, SIDE), torch.rand(SIDE, SIDE)
    out = torch.empty(SIDE, SIDE)
    found = [Contestant(lambda number: torch.mm(a, b, out=out), dict, PRODUCT)]
    other = getattr(torch.ops.mkldnn, "_linear_pointwise", None)
    if other is not None:
        found += [Contestant(lambda number: other(a, b, None, "none", [], ""), dict, PRODUCT)]
    return [(each, 2.0 * SIDE**3) for each in found]
