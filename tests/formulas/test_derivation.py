"""The worked exercise: golden texts for small nets, both ends of long ones, and its refusals."""

from __future__ import annotations

import re

import pytest

import graphnet as gn
from graphnet.errors import GraphError
from graphnet.formulas.derivation import derivation


def mlp():
    model = gn.Sequential(gn.Linear(2, 5), gn.Tanh(), gn.Linear(5, 2))
    with gn.Graph() as graph:
        x, t = gn.Input((None, 2), name="x"), gn.Input((None, 2), name="t")
        gn.LossMSE()(model(x), t)
    return graph


MLP = """\
## Given

```text
 0  x   (?×2)   input
 1  t   (?×2)   input
 2  W₀   (5×2)   parameter
 3  b₀   (5)   parameter
 6  W₂   (2×5)   parameter
 7  b₂   (2)   parameter
```

## Forward

```text
 4  linear₀ = b₀ + x · W₀ᵀ   (5 + ?×2 · 2×5)
 5  tanh₁ = tanh(linear₀)   (?×5)
 8  linear₂ = b₂ + tanh₁ · W₂ᵀ   (2 + ?×5 · 5×2)
 9  lossmse.squared_error = (linear₂ − t)²   (?×2)
10  L = mean(lossmse.squared_error)   ()
```

## Backward

```text
10  dL/dL = 1   ()
    dL/d(lossmse.squared_error) = dL/dL / size(lossmse.squared_error, 0) / 2   (?×2)
 9  dL/dlinear₂ = dL/d(lossmse.squared_error) ⊙ (2·(linear₂ − t))   (?×2 ⊙ ?×2)
 8  dL/dtanh₁ = dL/dlinear₂ · W₂   (?×2 · 2×5)
    dL/dW₂ = (dL/dlinear₂)ᵀ · tanh₁   (2×? · ?×5)
    dL/db₂ = Σ₀(dL/dlinear₂)   (2)
 5  dL/dlinear₀ = dL/dtanh₁ ⊙ (1 − tanh₁²)   (?×5 ⊙ ?×5)
 4  dL/dW₀ = (dL/dlinear₀)ᵀ · x   (5×? · ?×2)
    dL/db₀ = Σ₀(dL/dlinear₀)   (5)
```
"""


def shared():
    graph = gn.Graph()
    x = graph.input((5, 3), name="x")
    w = gn.Linear(3, 3, bias=False).weight
    graph.join(w, "w")
    ((x @ w).relu() @ w).sum()
    return graph


SHARED = """\
## Backward

```text
5  dL/dL = 1   ()
   dL/dmatmul_1 = dL/dL   (5×3)
4  dL/drelu = dL/dmatmul_1 · wᵀ   (5×3 · 3×3)
   dL/dw⁽²⁾ = reluᵀ · dL/dmatmul_1   (3×5 · 5×3)
3  dL/dmatmul = where(relu ≤ 0, 0, dL/drelu)   (5×3)
2  dL/dw⁽¹⁾ = xᵀ · dL/dmatmul   (3×5 · 5×3)
1  dL/dw = dL/dw⁽¹⁾ + dL/dw⁽²⁾   (3×3)
```
"""


def diamond():
    graph = gn.Graph()
    x = graph.input((4,), name="x", requires_grad=True)
    h = x.exp()
    (h.tanh() + h.sign()).sum()
    (x.sin() * 2).amax()  # not on the path to the loss
    return graph, graph[5]


DIAMOND = """\
## Backward

```text
5  dL/dL = 1   ()
   dL/dadd = dL/dL   (4)
4  dL/dtanh = dL/dadd   (4)
   dL/dsign = dL/dadd   (4)
2  dL/dexp = dL/dtanh ⊙ (1 − tanh²)   (4 ⊙ 4)
1  dL/dx = dL/dexp ⊙ exp   (4 ⊙ 4)
```
"""


@pytest.mark.parametrize(
    ("graph", "loss", "expected"),
    [(mlp(), None, MLP), (shared(), None, SHARED), (*diamond(), DIAMOND)],
    ids=["mlp", "shared", "diamond"],
)
def test_the_exercise_is_written_as_a_teacher_would(graph, loss, expected):
    before = str(graph)
    text = derivation(graph, loss)
    start = text.index(expected.partition("\n")[0])
    assert text[start:] == expected
    assert text == derivation(graph, loss)
    assert str(graph) == before


def test_latex_stands_between_dollar_signs():
    text = derivation(mlp(), latex=True)
    assert text.count("$$") == 6
    assert text.count(r"\begin{aligned}") == text.count(r"\end{aligned}") == 3
    assert r"8 &\quad \frac{dL}{d\mathrm{tanh}_{1}} = \frac{dL}{d\mathrm{linear}_{2}}" in text
    assert r"0 &\quad x \quad (?{\times}2) \quad \text{input} \\" in text


def chain(length):
    graph = gn.Graph()
    node = graph.input((2,), name="x", requires_grad=True)
    for _ in range(length - 2):
        node = node.tanh()
    node.sum()
    return graph


@pytest.mark.parametrize("latex", [False, True])
def test_a_list_of_sixty_nodes_is_written_whole_and_a_longer_one_at_both_ends(latex):
    whole, cut = derivation(chain(60), latex=latex), derivation(chain(300), latex=latex)
    assert "left out" not in whole
    assert "computed from 300 nodes, more than 60" in cut
    assert re.findall(r"([\d,]+) nodes? left out", cut) == ["279", "280"]
    assert len(cut.splitlines()) < len(whole.splitlines())
    assert re.search(r"tanh\\?_297", cut)
    assert not re.search(r"tanh\\?_150", cut)


def test_names_can_do_no_harm():
    graph = gn.Graph()
    x = graph.input((2,), name="</code>```\n<script>$$", requires_grad=True)
    x.sum()
    plain, latex = derivation(graph), derivation(graph, latex=True)
    assert all(not line.startswith("<") for line in plain.splitlines())
    assert plain.count("\n```") == 6
    assert "<" not in latex
    assert latex.count("$$") == 6


def vector():
    graph = gn.Graph()
    return graph, graph.input((2,), name="x", requires_grad=True).tanh()


def test_what_is_no_single_number_is_refused_with_a_way_out():
    graph, node = vector()
    with pytest.raises(GraphError, match=r"append a loss, or name the node"):
        derivation(graph)
    with pytest.raises(GraphError, match=r"single floating-point number.*'tanh' \(2,\)>"):
        derivation(graph, node)
    with pytest.raises(GraphError, match=r"loss must be a node .*; got 'tanh'"):
        derivation(graph, "tanh")
    with pytest.raises(GraphError, match=r"is not a node of"):
        derivation(gn.Graph(), node)
