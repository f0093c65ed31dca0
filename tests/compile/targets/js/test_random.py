"""The generator of random numbers: the same bits in JavaScript and in Python."""

from __future__ import annotations

import math

import js
import pytest
import torch
from compile.targets.js.programs import RANDOM

import graphnet as gn
from graphnet.compile.targets.js.random import Random, logarithm
from graphnet.ops.random import drawn_from

SEEDS = [0, 1, -5, 2**31, 2**32 - 1, 2**32, 123456789012]

DRAW = """
return given.seeds.map((seed) => {
  const random = new Random(seed), many = (draw) => Float64Array.from({ length: 300 }, draw);
  const masks = [
    { values: new Float32Array(40), draws: "mask", keep: 0.7 },
    { values: new Float64Array(40), draws: "mask", keep: 0.7 },
    { values: new Float32Array(9), draws: "mask", keep: 0 },
    { values: new Float32Array(40), draws: "uniform", keep: null },
    { values: new Float32Array(41), draws: "normal", keep: null },
  ];
  const drawn = {
    integers: many(() => random.integer()),
    uniforms: many(() => random.uniform()),
    normals: many(() => random.normal()),
    below: many((_, i) => random.below(3 * i + 1)),
    order: random.permutation(37),
  };
  random.draw(masks);
  return { ...drawn, masks: masks.map(({ values }) => values) };
});
"""


@pytest.fixture(scope="module")
def drawn():
    return dict(zip(SEEDS, js.run(RANDOM + DRAW, seeds=SEEDS), strict=True))


@pytest.mark.parametrize("seed", SEEDS)
def test_numbers_are_the_same_to_the_bit(seed, drawn):
    random, found = Random(seed), drawn[seed]
    assert found["integers"].tolist() == [random.integer() for _ in range(300)]
    assert found["uniforms"].tolist() == [random.uniform() for _ in range(300)]
    assert found["normals"].tolist() == [random.normal() for _ in range(300)]
    assert found["below"].tolist() == [random.below(3 * i + 1) for i in range(300)]
    assert found["order"].tolist() == random.permutation(37)
    single, double = torch.ones(40), torch.ones(40, dtype=torch.float64)
    with drawn_from(random):
        masks = [gn.ops.dropout(each, 1 - 0.7) for each in (single, double)]
    masks += [random.mask(torch.ones(9), 0.0)]
    masks += [random.uniforms(single, torch.float32), random.normals(torch.ones(41), torch.float32)]
    for made, mask in zip(found["masks"], masks, strict=True):
        torch.testing.assert_close(made, mask, rtol=0, atol=1e-15)


def test_seeds_are_their_last_32_bits():
    assert Random(3).state == Random(3 + 2**32).state != Random(4).state


def test_the_reference_of_the_authors():
    """The first numbers of xoshiro128** from the state 1, 2, 3, 4, by its definition."""
    random = Random(0)
    random.state = [1, 2, 3, 4]
    # rotl(2 * 5, 7) * 9 is 11520; the next state begins with 7, 0, 1026, ...; by hand, too:
    assert [random.integer() for _ in range(3)] == [11520, 0, 5927040]


def test_the_distributions():
    """Moments of 20,000 numbers: five standard errors."""
    random = Random(7)
    uniform = torch.tensor([random.uniform() for _ in range(20000)], dtype=torch.float64)
    normal = torch.tensor([random.normal() for _ in range(20000)], dtype=torch.float64)
    assert abs(float(uniform.mean()) - 1 / 2) < 5 * math.sqrt(1 / 12 / 20000)
    assert abs(float(uniform.square().mean()) - 1 / 3) < 5 * math.sqrt(4 / 45 / 20000)
    for power, moment, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        error = abs(float((normal**power).mean()) - moment)
        assert error < 5 * math.sqrt(variance / 20000), power
    counts = [0] * 6
    for _ in range(6000):
        counts[random.below(6)] += 1
    assert sum((count - 1000) ** 2 / 1000 for count in counts) < 25  # chi squared, 5 degrees


def test_every_order_is_equally_likely():
    random, counts = Random(1), {}
    for _ in range(6000):
        order = tuple(random.permutation(3))
        counts[order] = counts.get(order, 0) + 1
    assert len(counts) == 6
    assert sum((count - 1000) ** 2 / 1000 for count in counts.values()) < 25


@pytest.mark.parametrize("x", [1.0, 0.75, 0.5, 0.7071067811865475, 1e-3, 2.0**-48, 0.999999])
def test_the_logarithm(x):
    assert logarithm(x) == pytest.approx(math.log(x), rel=3e-15, abs=1e-16)


def test_walks_draw_from_the_source_inside_the_block_only():
    graph = gn.Graph()
    x = graph.input((4,), name="x")
    y = gn.ops.dropout(x, 0.5, True) + gn.ops.rand_like(x) + gn.ops.randn_like(x)
    with drawn_from(Random(2)):
        first = graph.forward(x=torch.ones(4), outputs=y).clone()
    with pytest.raises(KeyError), drawn_from(Random(2)):
        assert torch.equal(graph.forward(x=torch.ones(4), outputs=y), first)
        raise KeyError
    torch.manual_seed(0)
    outside = graph.forward(x=torch.ones(4), outputs=y).clone()
    torch.manual_seed(0)
    assert torch.equal(graph.forward(x=torch.ones(4), outputs=y), outside)
    assert not torch.equal(outside, first)
