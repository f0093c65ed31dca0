"""Functions of the prelude, integers of all widths, and decisions that hang on float32."""

from __future__ import annotations

import math

import js
import pytest
import torch
from compile.targets.js.programs import Walks

import graphnet as gn
from graphnet.compile.targets.js.prelude import functions, prelude


def called(name, *columns):
    """A function of the prelude at each row of its arguments."""
    script = (
        f"{functions({name})}\nreturn given.rows.map((row) => Float64Array.of({name}(...row)));"
    )
    rows = [torch.tensor(row, dtype=torch.float64) for row in zip(*columns, strict=True)]
    return [float(each) for each in js.run(script, rows=rows)]


def test_the_error_function():
    x = [sign * n / 97 for n in range(1, 700) for sign in (1, -1)]
    for made, each in zip(called("erf", x), x, strict=True):
        assert made == pytest.approx(math.erf(each), rel=4e-15)
    inf = math.inf
    assert called("erf", [0.0, inf, -inf, 1e-300]) == [0, 1, -1, pytest.approx(1.1283791671e-300)]
    assert math.isnan(called("erf", [math.nan])[0])


def test_rounding_to_even():
    x = [-2.5, -1.5, -0.6, -0.5, -0.4, 0.0, 0.4, 0.5, 0.6, 1.5, 2.5, 4503599627370497.5, 1e300]
    assert called("roundHalfToEven", x) == [float(round(each)) for each in x]
    assert called("roundHalfToEven", [math.inf, -math.inf]) == [math.inf, -math.inf]


def test_signs():
    x = [3.0, -3.0, 0.0, -0.0, math.nan]
    assert called("sign", x) == [1, -1, 0, 0, 0]
    assert called("copySign", [2.0, -2.0, 2.0, 2.0], [1.0, 1.0, -0.0, -3.0]) == [2, 2, -2, -2]


def test_powers():
    nan, inf = math.nan, math.inf
    x, y = [1.0, -1.0, 2.0, 0.0, nan, -8.0, 1.0], [nan, inf, 10.0, 0.0, 0.0, 3.0, -inf]
    assert called("power", x, y) == [1, 1, 1024, 1, 1, -512, 1]


def test_only_what_is_called_is_printed():
    assert functions(set()) == ""
    assert list(prelude()) == sorted(set(prelude()), key=list(prelude()).index)
    assert "function places" in functions({"productTable"})
    assert "function erf" not in functions({"addProducts"})


INTEGERS = {
    torch.int32: [2**31 - 1, -(2**31), 7, -7, 123456789],
    torch.int8: [127, -128, 7, -7, 100],
    torch.uint8: [255, 0, 7, 200, 128],
    torch.int64: [2**31 - 1, -(2**31), 7, -7, 12345],
}


@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
def test_integers_begin_anew_where_their_dtype_ends(dtype):
    """Those of 64 bits have 32 in JavaScript, so there the oracle is torch's int32."""
    walks, graph, values = Walks(), gn.Graph(), INTEGERS[dtype]
    x, y = (graph.input((25,), name=name, dtype=dtype) for name in "xy")
    rules = [lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a * b, lambda a, b: -a,
             lambda a, b: a * b + a, lambda a, b: a.abs(), lambda a, b: a.sum()]  # fmt: skip
    outputs = [rule(x, y) for rule in rules]
    walks.add(graph, None, *outputs)
    left = torch.tensor(values, dtype=dtype).repeat_interleave(5)
    right = torch.tensor(values, dtype=dtype).repeat(5)
    walks.walk(0, {"x": left, "y": right})
    found = walks.run()[0]
    narrow = torch.int32 if dtype is torch.int64 else dtype
    left, right = left.to(narrow), right.to(narrow)
    for rule, node in zip(rules, outputs, strict=True):
        expected = rule(left, right).to(torch.int32 if node.dtype is torch.int64 else narrow)
        made = found["values"][graph.index(node)]
        assert torch.equal(made, expected.flatten()), rule


def test_what_decides_is_rounded():
    """0.1 is another number in float32 and in JavaScript; so are sums on their way."""
    walks, graph = Walks(), gn.Graph()
    x = graph.input((3,), name="x")
    outputs = [x > 0.1, (x + 1e8).eq(x + 100000001), ((x + 0.4) * 10).floor(),
               x.clamp(min=0.1).eq(0.1), (x * 3).to(torch.int64)]  # fmt: skip
    walks.add(graph, None, *outputs)
    feed = torch.tensor([0.1, 0.30000001, 1 / 3])
    walks.walk(0, {"x": feed})
    found = walks.run()[0]
    graph.forward(x=feed)
    for node in outputs:
        made = found["values"][graph.index(node)]
        assert torch.equal(made.double(), node.top.double()), node
