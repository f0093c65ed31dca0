"""The functions that are written out in C, over all exponents, against float64."""

from __future__ import annotations

import ctypes
from functools import cache

import pytest
import torch
from compile.targets.fakes import real_compiler

from graphnet.compile.targets.c.expressions import TYPES, WRITTEN_OUT
from graphnet.compile.targets.c.prelude import FUNCTIONS, KINDS, NEEDS, functions
from graphnet.compile.targets.c.printer import HEADERS
from graphnet.compile.targets.c.toolchain import begin

MOST = 2.5
"""Units in the last place, as `prelude` promises."""
DTYPES = {name: dtype for dtype, name in TYPES.items()}
UNARY = [*sorted(f"{name}_float" for name in WRITTEN_OUT), *(f"sign_{kind}" for kind in KINDS),
         *(f"abs_{kind}" for kind in KINDS)]  # fmt: skip
BINARY = [f"{name}_{kind}" for name in ("maximum", "minimum") for kind in KINDS]


def kind_of(name):
    return name.partition("_")[2]


@cache
def library():
    """Each function in a loop over arrays."""
    real_compiler()
    lines = [HEADERS, functions({*UNARY, *BINARY})]
    for name in (*UNARY, *BINARY):
        kind = kind_of(name)
        second = ", y[i]" if name in BINARY else ""
        lines.append(
            f'__attribute__((visibility("default"))) void all_{name}(\n'
            f"    const {kind} *x, const {kind} *y, {kind} *out, int64_t n) {{\n"
            f"  for (int64_t i = 0; i < n; i++) out[i] = {name}(x[i]{second});\n}}"
        )
    return begin("\n".join([*lines, ""])).library()


def computed(name, x, y=None):
    out = torch.empty_like(x)
    function = getattr(library(), f"all_{name}")
    function.restype = None
    given = [ctypes.c_void_p(each.data_ptr()) for each in (x, x if y is None else y, out)]
    function(*given, ctypes.c_int64(len(x)))
    return out


def every_exponent(per_exponent=2000):
    """Random bits of both signs: as many numbers in each power of two, subnormal ones too."""
    generator = torch.Generator().manual_seed(0)
    exponents = torch.arange(255, dtype=torch.int32).repeat_interleave(per_exponent)
    fractions = torch.randint(0, 1 << 23, exponents.shape, generator=generator, dtype=torch.int32)
    positive = (exponents << 23 | fractions).view(torch.float32)
    return torch.cat([positive, -positive])


def units_off(found, exact):
    """The distance from the exact number, in units in the last place of the nearest float."""
    size = exact.abs().clamp(2.0**-126, float.fromhex("0x1.fffffep127"))
    unit = 2.0 ** (size.log2().floor() - 23)
    return (found.double() - exact).abs() / unit


@pytest.mark.parametrize("name", sorted(WRITTEN_OUT))
def test_a_function_of_every_exponent(name):
    torch_function = getattr(torch, name)
    around = torch.linspace(-20, 20, 200_001)  # where exp, expm1 and tanh have all their bends
    x = torch.cat([every_exponent(), around, 1 + around / 50, around / 2000 - 1])
    exact = torch_function(x.double())
    found = computed(f"{name}_float", x)
    nearest = exact.float()
    special = nearest.isnan() | nearest.isinf()
    torch.testing.assert_close(found[special], nearest[special], rtol=0, atol=0, equal_nan=True)
    off = units_off(found[~special], exact[~special])
    worst = off.argmax()
    assert off[worst] <= MOST, (x[~special][worst].item(), found[~special][worst].item())


SPECIAL = [0.0, -0.0, float("inf"), float("-inf"), float("nan"), 1.0, -1.0, 1e-45, -1e-45, 1e-38,
           -1e-38, 3.4e38, -3.4e38, 88.72283, 88.72284, 88.9, -87.4, -103.9, -104.1]  # fmt: skip


@pytest.mark.parametrize("name", sorted(WRITTEN_OUT))
def test_a_function_of_special_numbers(name):
    """Zeros keep their sign where the function does."""
    x = torch.tensor(SPECIAL)
    exact, found = getattr(torch, name)(x.double()), computed(f"{name}_float", x)
    nearest = exact.float()
    special = nearest.isnan() | nearest.isinf() | (exact == 0)
    torch.testing.assert_close(found[special], nearest[special], rtol=0, atol=0, equal_nan=True)
    zero = nearest == 0
    assert torch.equal(found[zero].signbit(), nearest[zero].signbit())
    assert (units_off(found[~special], exact[~special]) <= MOST).all()


@pytest.mark.parametrize("name", [name for name in (*UNARY, *BINARY) if name not in NEEDS])
def test_extremes_signs_and_sizes(name):
    """As torch's, with NaN and the ends of a type."""
    function, _, kind = name.partition("_")
    dtype = DTYPES[kind]
    if dtype.is_floating_point:
        values = torch.tensor(SPECIAL, dtype=dtype)
    elif dtype is torch.bool:
        values = torch.tensor([False, True])
    else:
        ends = torch.iinfo(dtype)
        values = torch.tensor([ends.min + bool(ends.min), ends.max, 0, 1, 7], dtype=dtype)
    x, y = (each.reshape(-1).contiguous() for each in torch.meshgrid(values, values, indexing="ij"))
    if name in BINARY:
        torch.testing.assert_close(
            computed(name, x, y), getattr(torch, function)(x, y), rtol=0, atol=0, equal_nan=True
        )
    elif not (dtype is torch.bool and function == "abs"):  # torch has none
        exact = getattr(torch, function)(x)
        torch.testing.assert_close(computed(name, x), exact, rtol=0, atol=0, equal_nan=True)


def test_what_a_function_needs_stands_before_it():
    for name in FUNCTIONS:
        text = functions({name})
        for other in NEEDS.get(name, ()):
            assert text.index(FUNCTIONS[other]) < text.index(FUNCTIONS[name])
    assert functions(set()) == functions({"sinf"}) == ""
