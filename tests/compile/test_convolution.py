"""Convolutions and pools in every layout, computed in every way that a program may choose."""

from __future__ import annotations

from typing import ClassVar

import pytest
import torch
from compile.training import (
    DOUBLE,
    Training,
    assert_same,
    assert_same_training,
    model_training,
    randn,
)

import graphnet as gn
from graphnet.compile.targets.torch import assemble
from graphnet.compile.targets.torch.memory_format import BATCH_LAST, BY_PIXELS, ORDERS


class Fixed:
    """A tuner that measures nothing: it takes the same place among the ways each time."""

    asked: ClassVar = {}
    """What each way calls, for each question: a place that was measured is taken again."""

    def __init__(self, place, order, products):
        self.place, self.order, self.products = place, order, products

    def __call__(self, on):
        return self

    def fastest(self, question, ways, device):
        calls = [[call.kernel for call in way] for way in ways]
        assert self.asked.setdefault(question, calls) == calls
        return min(self.place, len(ways) - 1)

    def fastest_program(self, question, trials):
        _, chosen, other = question
        if other.order != chosen.order:
            return int(other.order == self.order)
        return int((len(other.as_products) > len(chosen.as_products)) == self.products)


def network(*modules):
    return lambda: gn.Sequential(*[make() for make in modules])


NETWORKS = {
    "two convolutions": (
        network(
            lambda: gn.Conv2d(2, 3, 3),
            lambda: gn.MaxPool2d(2),
            gn.ReLU,
            lambda: gn.Conv2d(3, 4, 2),
            gn.Tanh,
        ),
        (3, 2, 8, 8),
    ),
    "no bias, one channel": (
        network(lambda: gn.Conv2d(1, 5, 3, bias=False), gn.ReLU, lambda: gn.Conv2d(5, 1, 2)),
        (2, 1, 6, 9),
    ),
    "strides": (
        network(
            lambda: gn.Conv2d(2, 3, 3, stride=2), lambda: gn.Conv2d(3, 2, (2, 1), stride=(1, 2))
        ),
        (2, 2, 9, 10),
    ),
    "a border, dilation and groups": (
        network(
            lambda: gn.Conv2d(2, 4, 3, padding=1, dilation=2),
            lambda: gn.Conv2d(4, 4, 3, padding="same", groups=2),
        ),
        (2, 2, 6, 6),
    ),
    "windows that overlap": (
        network(
            lambda: gn.Conv2d(1, 3, 2),
            lambda: gn.MaxPool2d(3, stride=1, padding=1),
            lambda: gn.Conv2d(3, 2, 2),
            lambda: gn.AvgPool2d(2),
        ),
        (2, 1, 7, 7),
    ),
    "one window, and pixels that it does not see": (
        network(lambda: gn.Conv2d(1, 2, 2), lambda: gn.Conv2d(2, 3, 3, stride=2)),
        (3, 1, 5, 5),
    ),
    "as large as the image": (
        network(lambda: gn.Conv2d(2, 3, 4), gn.Flatten, lambda: gn.Linear(3, 2)),
        (3, 2, 4, 4),
    ),
    "many weights for few pixels": (
        network(
            lambda: gn.Conv2d(8, 24, 3, padding=1, stride=2),
            gn.ReLU,
            lambda: gn.Conv2d(24, 16, 3, padding=1, bias=False),
            lambda: gn.Conv2d(16, 40, 1, stride=2),
        ),
        (2, 8, 3, 3),
    ),
    "normalized": (
        network(lambda: gn.Conv2d(2, 3, 2), lambda: gn.BatchNorm2d(3), gn.ReLU, gn.Flatten),
        (3, 2, 4, 4),
    ),
}
WAYS = [
    *((0, order, products) for order in ORDERS for products in (True, False)),
    *((place, order, True) for order in (BY_PIXELS, BATCH_LAST) for place in (1, 2)),
]


@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.parametrize("name", NETWORKS)
def test_every_way_computes_the_same(name, way, monkeypatch):
    monkeypatch.setattr(assemble, "Tuner", Fixed(*way))
    make, shape = NETWORKS[name]

    def training():
        torch.manual_seed(0)
        return model_training(make(), (None, *shape[1:]), momentum=0.9)

    feeds = [{"x": randn(*shape, seed=seed)} for seed in range(3)]
    feeds.append({"x": feeds[0]["x"].contiguous(memory_format=torch.channels_last)})
    ours = assert_same_training(training, feeds, steps=8, options={"tune": True})
    assert ours.step.memory


@pytest.mark.parametrize("order", [BY_PIXELS, BATCH_LAST])
@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize("name", ["two convolutions", "no bias, one channel", "strides"])
def test_single_precision(name, place, order, monkeypatch):
    """oneDNN's products take part; they round in another order."""
    monkeypatch.setattr(assemble, "Tuner", Fixed(place, order, True))
    make, shape = NETWORKS[name]

    def training():
        torch.manual_seed(0)
        return model_training(make(), (None, *shape[1:]), dtype=torch.float32)

    feeds = [{"x": randn(*shape, seed=seed, dtype=torch.float32)} for seed in range(3)]
    ours = assert_same_training(
        training, feeds, steps=8, options={"tune": True}, rtol=1e-4, atol=1e-5
    )
    if place == 2 and order == BY_PIXELS and torch.backends.mkldnn.is_available():
        assert "onednn_linear(" in ours.step.source


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("products", [True, False])
def test_predictions(order, products, monkeypatch):
    """The outputs of a program are its own memory: another call does not change them."""
    monkeypatch.setattr(assemble, "Tuner", Fixed(0, order, products))
    for make, shape in NETWORKS.values():
        model = make().double()
        with gn.Graph() as graph:
            y = model(gn.Input((None, *shape[1:]), name="x", dtype=DOUBLE))
        graph.eval()
        predict = graph.compile(y)
        first = predict(x=randn(*shape))
        kept = first.clone()
        predict(x=randn(*shape, seed=1))
        assert torch.equal(first, kept)
        assert_same(first, graph.forward(x=randn(*shape), outputs=y))


@pytest.mark.parametrize("order", ORDERS)
def test_one_weight_with_several_strides(order, monkeypatch):
    """The windows of one are not those of the other."""
    monkeypatch.setattr(assemble, "Tuner", Fixed(0, order, True))

    def training():
        weight = gn.Parameter(randn(2, 1, 3, 3, seed=5))
        with gn.Graph() as graph:
            x = gn.Input((None, 1, 8, 8), name="x", dtype=DOUBLE)
            across = gn.ops.conv2d(x, weight, stride=(1, 2))
            down = gn.ops.conv2d(x, weight, stride=(2, 1))
            loss = across.square().sum() + down.tanh().sum()
        return Training(graph, loss, gn.SGD([weight], lr=0.01))

    assert_same_training(training, [{"x": randn(4, 1, 8, 8)}], steps=3, options={"tune": True})


@pytest.mark.parametrize("order", ORDERS)
def test_one_weight_on_images_and_on_none(order, monkeypatch):
    """Products are for non-empty batches; a convolution of an empty one is left to torch."""
    monkeypatch.setattr(assemble, "Tuner", Fixed(0, order, True))

    def training():
        weight = gn.Parameter(randn(2, 1, 3, 3, seed=5))
        with gn.Graph() as graph:
            several = [gn.Input((None, 1, 6, 6), name=name, dtype=DOUBLE) for name in "xy"]
            loss = gn.ops.cat([gn.ops.conv2d(x, weight) for x in several]).square().sum()
        return Training(graph, loss, gn.SGD([weight], lr=0.01))

    feed = {"x": randn(3, 1, 6, 6), "y": randn(0, 1, 6, 6)}
    assert_same_training(training, [feed], steps=3, options={"tune": True})


@pytest.mark.parametrize("order", ORDERS)
def test_pools_of_no_images(order, monkeypatch):
    monkeypatch.setattr(assemble, "Tuner", Fixed(0, order, True))
    make, shape = NETWORKS["two convolutions"]
    feeds = [{"x": randn(*shape)}, {"x": randn(0, *shape[1:])}]
    with gn.Graph() as graph:
        y = make().double()(gn.Input((None, *shape[1:]), name="x", dtype=DOUBLE))
    predict = graph.compile(y)
    for feed in feeds:
        assert_same(predict(feed), graph.forward(feed, outputs=y))


class Viewed(gn.Op):
    """An operation of a user that needs images as torch lays them out.

    Shapes: (n, c, h, w) -> (n, c h w).
    """

    symbol = "view"

    def forward(self, x):
        return x.view(x.shape[0], -1)

    def grad_x(self, grad, x_like):
        return gn.ops.reshape_as(grad, x_like)


@pytest.mark.parametrize("order", ORDERS)
def test_an_operation_of_a_user_takes_a_view_of_an_image(order, monkeypatch):
    monkeypatch.setattr(assemble, "Tuner", Fixed(0, order, True))

    def training():
        torch.manual_seed(0)
        model = gn.Conv2d(1, 2, 3).double()
        with gn.Graph() as graph:
            x = gn.Input((None, 1, 6, 6), name="x", dtype=DOUBLE)
            loss = Viewed()(model(x)).square().mean()
        return Training(graph, loss, gn.SGD(model.parameters(), lr=0.01))

    assert_same_training(training, [{"x": randn(3, 1, 6, 6)}], steps=3, options={"tune": True})


@pytest.mark.parametrize("own", [True, False])
def test_measuring_draws_no_random_numbers(own):
    """Two layouts are measured, with everything a program does; the first step draws as a walk."""
    generator = torch.Generator() if own else None

    def training():
        torch.manual_seed(0)
        model = gn.Conv2d(1, 2, 3).double()
        with gn.Graph() as graph:
            x = gn.Input((None, 1, 6, 6), name="x", dtype=DOUBLE)
            loss = gn.ops.dropout(model(x), 0.5, generator=generator).square().mean()
        return Training(graph, loss, gn.SGD(model.parameters(), lr=0.01))

    ours, theirs = training(), training()
    step = ours.compiled(tune=True)
    seeded = generator or torch.default_generator
    seeded.manual_seed(3)
    first = step(x=randn(4, 1, 6, 6))
    seeded.manual_seed(3)
    assert_same(first, theirs.walk({"x": randn(4, 1, 6, 6)}))


def test_pixels_stay_where_they_are():
    """An activation of an image is computed in its memory, even pixel by pixel."""
    make, shape = NETWORKS["two convolutions"]
    ours = model_training(make(), (None, *shape[1:]))
    step = ours.compiled()
    step(x=randn(*shape))
    (line,) = [line for line in step.source.splitlines() if "relu_()" in line]
    assert line.strip() == "layer1_max_pool2d.relu_()"


def test_the_batch_is_last_where_all_convolutions_are_products():
    """Pooling, activations and statistics stay in that order too: nothing is copied in between."""
    torch.manual_seed(0)
    model = gn.Sequential(
        gn.Conv2d(1, 4, 3), gn.BatchNorm2d(4), gn.MaxPool2d(2), gn.ReLU(), gn.Conv2d(4, 6, 2)
    )
    training = model_training(model, (None, 1, 8, 8), dtype=torch.float32)
    step = training.compiled(tune=False)
    step(x=torch.randn(5, 1, 8, 8))
    copied = [line for line in step.source.splitlines() if "contiguous" in line]
    copied += [line for line in step.source.splitlines() if "permute(1, 2, 3, 0)" in line]
    assert [line.strip() for line in copied] == ["x_batch_last.copy_(x.permute(1, 2, 3, 0))"]


@pytest.mark.parametrize(
    "optimizer", [gn.SGD, gn.Adam, gn.AdamW, gn.RMSprop, gn.Adagrad, gn.NAdam, gn.RAdam]
)
def test_measuring_does_not_depend_on_the_optimizer(optimizer):
    """Trials work on meaningless numbers: their roots and quotients must do no harm."""

    def losses(tune):
        torch.manual_seed(0)
        model = gn.Sequential(
            gn.Conv2d(1, 4, 3), gn.MaxPool2d(2), gn.ReLU(), gn.Flatten(), gn.Linear(36, 2)
        )
        with gn.Graph() as graph:
            x = gn.Input((None, 1, 8, 8), name="x")
            t = gn.Input((None,), name="t", dtype=torch.int64)
            loss = gn.LossCrossEntropy()(model(x), t)
        step = graph.compile(loss, optimizer(model.parameters(), lr=0.01), tune=tune)
        feed = {"x": torch.randn(6, 1, 8, 8), "t": torch.randint(2, (6,))}
        return [float(step(feed)) for _ in range(4)]

    assert losses(True) == pytest.approx(losses(False), rel=1e-4)  # float32, other kernels


@pytest.mark.parametrize(
    ("channels", "size", "image", "product"),
    [(1, 5, 28, True), (3, 3, 28, True), (16, 3, 9, True), (16, 2, 28, False), (16, 3, 14, False)],
)
def test_small_windows_and_images_are_products_without_measuring(channels, size, image, product):
    graph = gn.Graph()
    x = graph.input((4, channels, image, image), name="x")
    w = graph.parameter(torch.randn(6, channels, size, size), name="w")
    predict = graph.compile(gn.ops.conv2d(x, w), tune=False)
    predict(x=torch.randn(4, channels, image, image))
    assert ("convolution(" not in predict.source) == product
