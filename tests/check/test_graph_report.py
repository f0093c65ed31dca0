"""`graph.check`: right rules pass, the first wrong one is named, and the graph stays as it was."""

from __future__ import annotations

import re

import pytest
import torch

import graphnet as gn


def rand(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def checked(function, *values, **options):
    """The report on a function of several inputs, summed to one number."""
    graph = gn.Graph()
    feed = {
        graph.input(tuple(value.shape), name="xyz"[place], **options): value
        for place, value in enumerate(values)
    }
    y = function(*feed)
    return graph.check(y if y.shape == () else y.sum(), feed)


# rules with faults


class Layer(gn.Op):
    """y = tanh (x w), with a fault in a rule.  Shapes: (n, k), (k, m) -> (n, m)."""

    symbol = "layer"
    fault: str = ""

    def forward(self, x, w):
        return x.matmul(w).tanh()

    def grad_x(self, grad, top, w):
        right = (grad * (1 - top * top)).matmul(w.mT)
        return FAULTS[self.fault][0](right) if self.fault else right

    def grad_w(self, grad, top, x):
        return x.mT.matmul(grad * (1 - top * top))


def one_element(grad):
    grad = grad.clone()
    grad[-1, -1] *= 1.001
    return grad


def raising(grad):
    raise ZeroDivisionError("told")


# Each fault, and what the report says of it. The layers are square, so that a transpose fits.
FAULTS = {
    "sign": (lambda g: -g, "by the rule, .* by differences at element"),
    "factor": (lambda g: 2 * g, "by the rule"),
    "a little": (lambda g: g * (1 + 1e-4), "by the rule"),
    "shifted": (lambda g: g + 1e-3, "by the rule"),
    "zero": (lambda g: g * 0, "0 by the rule"),
    "transposed": (lambda g: g.T, "by the rule"),
    "one element": (one_element, r"element \(2, 2\)"),
    "nan": (lambda g: g * float("nan"), "nan by the rule"),
    "infinite": (lambda g: g / 0, "by the rule"),
    "a row": (lambda g: g[0], r"the shape \(3,\), not \(3, 3\)"),
    "a number": (lambda g: g.sum(), r"the shape \(\), not \(3, 3\)"),
    "nothing": (lambda g: None, "the rule"),
    "raising": (raising, "the rule raises ZeroDivisionError: told"),
}


class Net:
    """Four layers and a loss; a layer may have a fault."""

    def __init__(self, *faults):
        self.graph = gn.Graph()
        self.x = self.graph.input((None, 3), name="x")
        self.t = self.graph.input((None, 3), name="t")
        y = self.x
        for place in range(4):
            w = self.graph.parameter(rand(3, 3, seed=place + 1) * 0.7, name=f"w{place}")
            y = Layer(faults[place] if faults else "")(y, w)
        self.loss = gn.LossMSE()(y, self.t)
        self.batch = {"x": rand(3, 3, seed=8), "t": rand(3, 3, seed=9)}


def test_a_right_graph_is_right():
    net = Net()
    report = net.graph.check(net.loss, net.batch)
    assert report
    assert report.first_wrong is None
    assert [(row.index, row.name, row.input) for row in report.rows] == [
        *[(3, "layer", "x"), (3, "layer", "w0"), (5, "layer_1", "layer"), (5, "layer_1", "w1")],
        *[(7, "layer_2", "layer_1"), (7, "layer_2", "w2")],
        *[(9, "layer_3", "layer_2"), (9, "layer_3", "w3")],
        *[(10, "squared_error", "layer_3"), (10, "squared_error", "t")],
        (11, "mean", "squared_error"),
    ]
    assert max(row.error for row in report.rows) < 1e-6
    assert all(0 < row.error <= row.bound for row in report.rows)  # what was measured, not 0
    assert all(1e-6 <= row.bound < 2e-6 for row in report.rows)
    assert str(report).endswith("All 11 derivatives are right.")


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("others", [False, True])
def test_the_first_wrong_node_is_named(fault, others):
    net = Net("", fault, fault if others else "", "sign" if others else "")
    report = net.graph.check(net.loss, net.batch)
    assert not report
    wrong = report.first_wrong
    assert (wrong.index, wrong.name, wrong.input) == (5, "layer_1", "layer")
    assert wrong.error > 1e-6
    last = str(report).splitlines()[-1]
    assert last.startswith("The first wrong derivative is that of node 5 'layer_1' by 'layer': ")
    assert re.search(FAULTS[fault][1], last), last
    faulty = {row.name for row in report.rows if row.fault}
    assert faulty == ({"layer_1", "layer_2", "layer_3"} if others else {"layer_1"})


class Halved(gn.Op):
    """x², with half the slope."""

    symbol = "x²"
    elementwise = True

    def forward(self, x):
        return x * x

    def grad_x(self, grad, x):
        return grad * x


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")], ids=str)
def test_a_wrong_rule_is_found_beside_a_value_that_is_not_finite(value):
    graph = gn.Graph()
    x = graph.input((5, 2), name="x")
    y = Halved()(x)
    feed = rand(5, 2, seed=1)
    feed[4, 1] = value
    report = graph.check(y, {"x": feed})
    assert not report
    assert report.first_wrong.name == "halved"
    linear = gn.Graph()
    x = linear.input((5, 2), name="x")
    assert linear.check((x * 3.0).tanh(), {"x": feed})


def test_what_has_no_finite_value_is_not_checked():
    graph = gn.Graph()
    x = graph.input((3, 2), name="x")
    loss = (x * 2.0).sum()
    report = graph.check(loss, {"x": torch.full((3, 2), float("nan"))})
    assert not report
    assert report.first_wrong is None
    assert [row.verdict for row in report.rows] == ["not checked: no value is finite"] * 2
    assert report.verdict == (
        "2 of 2 derivatives could not be checked. The first is that of node 1 'mul' by 'x': "
        "no value is finite. Feed finite values."
    )
    one = rand(3, 2, seed=1)
    one[1, 1] = float("nan")
    assert [row.verdict for row in graph.check(loss, {"x": one}).rows] == [
        "right",
        "not checked: no value is finite",
    ]


def test_rules_are_checked_beside_the_infinities_of_a_mask():
    """Scores that are filled with -inf, and those to which -inf is added."""
    graph = gn.Graph()
    x, mask = graph.input((4, 4), name="x"), graph.input((4, 4), name="mask")
    hidden = torch.ones(4, 4).triu(1)
    added = (Halved()(x) + mask).softmax(1)
    report = graph.check(added, {"x": rand(4, 4, seed=1), "mask": hidden.mul(-1e30) * 1e30})
    assert [row.name for row in report.rows if row.fault] == ["halved"]
    assert not report.left_out
    filled = Fill()(x, hidden.bool()).softmax(1)
    report = graph.check(filled, {"x": rand(4, 4, seed=1)})
    assert [row.name for row in report.rows if row.fault] == ["fill"]


class Fill(gn.Op):
    """-inf where the mask is true, with twice the slope elsewhere."""

    symbol = "fill"

    def forward(self, x, mask):
        return x.masked_fill(mask, -float("inf"))

    def grad_x(self, grad, mask):
        return 2 * grad.masked_fill(mask, 0.0)

    grad_mask = None


@pytest.mark.parametrize(("factor", "right"), [(1 + 5e-7, True), (1 + 5e-6, False)])
def test_the_error_is_measured_and_stands_beside_its_bound(factor, right):
    report = checked(Slope(0, factor), rand(1))
    row = report.rows[0]
    assert row.error == pytest.approx(factor - 1, rel=0.02)  # the differences err by 1e-9
    assert (row.error <= row.bound) == bool(report) == right
    header, line = str(report).splitlines()[:2]
    assert header.split() == ["#", "operation", "by", "input", "error", "bound", "verdict"]
    assert line.split()[3:5] == [f"{row.error:.1e}", f"{row.bound:.1e}"]


def test_rounding_in_the_differences_raises_the_bound():
    # f(x) = x + 1e6 cannot be told more exactly than 1e6 times the precision of float64.
    report = checked(lambda x: x * 1e-6 + 1e6, rand(3))
    assert report
    assert max(row.bound for row in report.rows) > 1e-4


class Slope(gn.Op):
    """y = 3 x, with one wrong element in its derivative.  Shapes: any."""

    symbol = "3x"
    place: int
    factor: float

    def forward(self, x):
        return x * 3

    def grad_x(self, grad):
        grad = (grad * 3).clone()
        grad.view(-1)[self.place] *= self.factor
        return grad


@pytest.mark.parametrize("factor", [0.0, 1.01])
@pytest.mark.parametrize(("size", "every"), [(1, 1), (7, 1), (64, 9), (300, 43)])
def test_one_wrong_element_is_found_wherever_it_is(size, every, factor):
    places = range(0, size, every)
    missed = [place for place in places if checked(Slope(place, factor), rand(size))]
    assert missed == []


def test_one_wrong_element_among_thousands_is_found():
    # So many that not each is moved alone; a fault of one in 3,000 shows in their sum.
    missed = [place for place in (0, 700, 1501, 2999) if checked(Slope(place, -1.0), rand(3000))]
    assert missed == []


def test_a_broadcasting_rule_is_checked_after_its_sum():
    class Scaled(gn.Op):
        """z = 2 x y.  Shapes: any two that broadcast."""

        symbol = "2xy"
        broadcasts = True
        wrong: bool = False

        def forward(self, x, y):
            return 2 * x * y

        def grad_x(self, grad, y):
            return 2 * grad * y

        def grad_y(self, grad, x):
            return (3 if self.wrong else 2) * grad * x

    assert checked(Scaled(), rand(4, 3), rand(3, seed=1))
    report = checked(Scaled(True), rand(4, 3), rand(3, seed=1))
    assert report.first_wrong.input == "y"


# the user's graph


@pytest.mark.parametrize("faults", [(), ("", "raising", "", ""), ("", "", "factor", "")])
@pytest.mark.parametrize("feed", [False, True])
def test_the_graph_is_not_touched(faults, feed):
    net = Net(*faults)
    net.graph.forward(net.batch)
    if not faults:
        net.graph.backward(net.loss)
    text, names = str(net.graph), [node.name for node in net.graph]
    fed = [tensor.clone() for tensor in net.batch.values()]
    tops = [node.top for node in net.graph]
    copies = [top.clone() for top in tops]
    grads = [(node.grad, None if node.grad is None else node.grad.clone()) for node in net.graph]
    versions = [top._version for top in tops]
    other = {"x": rand(5, 3, seed=20), "t": rand(5, 3, seed=21)}
    net.graph.check(net.loss, other if feed else None)
    assert str(net.graph) == text
    assert [node.name for node in net.graph] == names
    assert all(node.top is top for node, top in zip(net.graph, tops, strict=True))
    assert all(map(torch.equal, tops, copies))
    assert [top._version for top in tops] == versions
    for node, (grad, copy) in zip(net.graph, grads, strict=True):
        assert node.grad is grad
        assert grad is None or torch.equal(grad, copy)
    assert all(map(torch.equal, fed, net.batch.values()))
    net.graph.lint()
    if not faults:
        net.graph.backward(net.loss)  # nothing has gone stale


def test_it_checks_what_was_fed_last_or_what_is_given():
    net = Net()
    with pytest.raises(gn.FeedError, match="A check needs values"):
        net.graph.check(net.loss)
    net.graph.forward(net.batch)
    assert net.graph.check(net.loss)
    assert net.graph.check(net.graph["layer_1"], {"x": rand(1, 3)})
    with pytest.raises(gn.FeedError):
        net.graph.check(net.loss, {"x": rand(1, 3)})
    with pytest.raises(gn.GraphError, match="not a node"):
        net.graph.check(Net().loss, net.batch)


def test_sizes_that_do_not_fit_are_an_error_of_the_package():
    net = Net()
    total = net.x + net.t
    feed = {"x": rand(3, 3), "t": rand(4, 3)}
    with pytest.raises(gn.ShapeError, match=r"node 10 'squared_error'"):
        net.graph.check(net.loss, feed)
    with pytest.raises(gn.ShapeError, match=r"node 12 'add'"):
        net.graph.check(total.sum(), feed)


def test_a_float32_graph_is_checked_in_float64():
    # float32 would give differences that are off by about 1e-1 here.
    report = checked(lambda x: (x * x * x).sum().exp(), rand(4) * 0.3 + 1)
    assert report
    assert max(row.error for row in report.rows) < 1e-7


def test_derivative_nodes_can_be_checked_like_any_others():
    net = Net()
    (slope,) = net.graph.gradients((net.x * net.x).tanh().sum(), [net.x])
    (bend,) = net.graph.gradients((slope * slope).sum(), [net.x])
    assert net.graph.check(bend, net.batch)


def test_frozen_parameters_buffers_and_integers_are_looked_at_too():
    graph = gn.Graph()
    x = graph.input((None, 3), name="x")
    labels = graph.input((None, 3), name="labels", dtype=torch.int64)
    scale = graph.parameter(rand(3), name="scale", requires_grad=False)
    y = (x * scale).where(labels > 0, 0.0).sum() * labels.sum()
    assert graph.check(y, {x: rand(4, 3), labels: torch.ones(4, 3, dtype=torch.int64)})
