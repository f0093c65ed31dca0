"""Integers in C: what is too large for a type begins anew where the type ends, as in torch.

In C it is undefined: compilers reason that it never happens.
"""

from __future__ import annotations

import pytest
import torch

import graphnet as gn
from graphnet.ops.dtypes import Convert

INTEGERS = [torch.int8, torch.uint8, torch.int32, torch.int64]
DOUBLE = torch.float64


def to(dtype):
    return lambda x: x.to(dtype) if isinstance(x, torch.Tensor) else Convert(dtype)(x)


OPERATIONS = {
    "a + b": lambda a, b: a + b,
    "a + 3 b": lambda a, b: a + 3 * b,
    "a - b": lambda a, b: a - b,
    "a * b": lambda a, b: a * b,
    "a + 200": lambda a, b: a + 200,
    "200 - a": lambda a, b: 200 - a,
    "-a": lambda a, b: -a,
    "~a": lambda a, b: ~a,
    "|a|": lambda a, b: a.abs(),
    "a^3": lambda a, b: a**3,
    "a^7": lambda a, b: a**7,
    "(a + b) * (a - b)": lambda a, b: (a + b) * (a - b),
    "sign(a + b)": lambda a, b: (a + b).sign(),
    "max(a + b, b)": lambda a, b: -(-(a + b)).clamp(min=1),
}
SUMS = {
    "sum": lambda a, b: (a * b).sum(),
    "sum of rows": lambda a, b: (a * b).reshape(-1, 8).sum(0),
    "product": lambda a, b: (a - b).prod(),
    "running sum": lambda a, b: (a * b).cumsum(0),
    "long sum": lambda a, b: a.reshape(-1, 1).expand(-1, 2000).sum(),
}


def ends_of(dtype):
    """Two rows of numbers around the ends of a dtype and around 0, each beside each."""
    ends = torch.iinfo(dtype)
    some = [ends.min, ends.min + 1, -1 if ends.min else 5, 0, 1, 7, ends.max // 2 + 1, ends.max]
    values = torch.tensor(some, dtype=dtype)
    first, second = torch.meshgrid(values, values, indexing="ij")
    return {"a": first.reshape(-1), "b": second.reshape(-1)}


READS = {
    "in float64": to(DOUBLE),
    "in int64": to(torch.int64),
    "as a boolean": to(torch.bool),
    "beside 0": lambda x: x > 0,
    "stored": lambda x: x,
}


def integers(dtype):
    """A graph of operations on integers, with what they are fed and torch's own results.

    Each way of reading has inputs of its own: what two ways read is stored, and is in range then.
    """
    graph, ends = gn.Graph(), ends_of(dtype)
    nodes, feed, expected = dict[str, gn.Node](), dict[str, torch.Tensor](), []
    for name, read in READS.items():
        a, b = (graph.input((64,), name=f"{each} {name}", dtype=dtype) for each in "ab")
        feed |= {a.name: ends["a"], b.name: ends["b"]}
        for text, function in (OPERATIONS | SUMS).items():
            nodes[f"{text} {name}"] = read(function(a, b))
            expected.append(read(function(ends["a"], ends["b"])))
    return graph, nodes, feed, expected


@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
def test_what_is_too_large_begins_anew(dtype):
    graph, nodes, feed, expected = integers(dtype)
    predict = graph.compile([*nodes.values()], backend="c")
    wrong = [
        name
        for name, mine, theirs in zip(nodes, predict(feed), expected, strict=True)
        if mine.dtype is not theirs.dtype or not mine.equal(theirs)
    ]
    assert not wrong
    assert predict.source.startswith("#include")


@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
def test_a_number_beyond_a_dtype_is_an_element_of_it(dtype):
    """torch compares with the element that it wraps around to."""
    ends, feed, graph = torch.iinfo(dtype), ends_of(dtype), gn.Graph()
    a = graph.input((64,), name="a", dtype=dtype)
    numbers = [ends.max + 8, ends.min - 9] if dtype is not torch.int64 else [ends.max, ends.min]
    nodes = [made for n in numbers for made in (a > n, a + n, (a * n) < n)]
    x = feed["a"]
    expected = [made for n in numbers for made in (x > n, x + n, (x * n) < n)]
    found = graph.compile(nodes, backend="c")(a=x)
    assert all(map(torch.equal, found, expected))


FRACTIONS = [0.0, -0.0, 1.5, -1.5, 127.9, -128.9, 128.0, 255.5, 300.0, -200.0, 2147483520.0,
             2147483648.0, -2147483648.0, 3e9, 1e10, -1e10, 2.0**62, 2.0**63, -(2.0**63), 1e19,
             float("inf"), float("-inf"), float("nan")]  # fmt: skip
"""Of numbers that no integer is near to, x86 makes the smallest one; other processors of torch's
own kernels make others, and C promises nothing."""


@pytest.mark.parametrize("source", [torch.float32, DOUBLE], ids=["float", "double"])
def test_numbers_without_their_fraction(source):
    graph, values = gn.Graph(), torch.tensor(FRACTIONS * 3, dtype=source)
    x = graph.input(values.shape, name="x", dtype=source)
    made = [Convert(dtype)(x * 1.0) for dtype in INTEGERS]
    nodes = [*made, *(Convert(DOUBLE)(each) for each in made)]
    found = graph.compile(nodes, backend="c")(x=values)
    for dtype, stored, read in zip(INTEGERS, found, found[len(made) :], strict=False):
        ends = torch.iinfo(dtype)
        for value, mine in zip(values.tolist(), stored.tolist(), strict=True):
            assert mine == whole(value, ends), (dtype, value)
        assert read.equal(stored.double())


def whole(value, ends):
    """A number without its fraction, or what stands for those that are too large."""
    long = torch.iinfo(torch.int32 if ends.min in (-128, -(2**31)) else torch.int64)
    if value != value or not long.min - 1 < value < long.max + 1:
        value = long.min
    return (int(value) - ends.min) % (ends.max - ends.min + 1) + ends.min
