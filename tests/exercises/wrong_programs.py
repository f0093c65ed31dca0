"""Typical wrong answers to the exercises on programs, each with the point and its hint."""

from __future__ import annotations

import torch
from exercises.answers import MyAdam, MyTrainingLoop


def update(change):
    """The right update with one thing changed."""

    def wrong(self, value, grad, mean, square, step):
        right = MyAdam.update(self, value, grad, mean, square, step)
        return change(self, value, grad, mean, square, step, *right)

    return wrong


def stepped(denominator, numerator=lambda m, corrected: corrected):
    """The right means, and a value with another denominator or numerator."""

    def change(self, value, grad, mean, square, step, new, m, v):
        corrected_m, corrected_v = m / (1 - self.beta1**step), v / (1 - self.beta2**step)
        move = numerator(m, corrected_m) / denominator(self.eps, v, corrected_v)
        return value - self.lr * move, m, v

    return update(change)


def in_place(self, value, grad, mean, square, step):
    new, m, v = MyAdam.update(self, value, grad, mean, square, step)
    value.copy_(new)
    return value, m, v


def doubled(self, value, grad, mean, square, step):
    return [each.double() for each in MyAdam.update(self, value, grad, mean, square, step)]


def textbook(self, value, grad, mean, square, step):
    right = MyAdam.update(self, value, grad, mean, square, step)
    return MyAdam.update(MyAdam(), value, grad, mean, square, step)[:1] + right[1:]


ADAM = {
    "nothing": ("value", lambda self, *_: None, "Return value, mean, square."),
    "one tensor": ("mean", lambda self, value, *_: value, "Return value, mean, square."),
    "a number": ("square", lambda self, value, *_: (1.0, value, value), "Return value, mean"),
    "no 1 - beta1": (
        "mean",
        update(lambda self, w, g, m, v, t, a, b, c: (a, self.beta1 * m + g, c)),
        "The factor 1 - beta1 of grad is missing.",
    ),
    "exchanged": (
        "mean",
        update(
            lambda self, w, g, m, v, t, a, b, c: (a, (1 - self.beta1) * m + self.beta1 * g, c)
        ),
        "exchanged",
    ),
    "corrected mean": (
        "mean",
        update(lambda self, w, g, m, v, t, a, b, c: (a, b / (1 - self.beta1**t), c)),
        "Return m itself",
    ),
    "no square": (
        "square",
        update(lambda self, w, g, m, v, t, a, b, c: (a, b, self.beta2 * v + (1 - self.beta2) * g)),
        "grad is not squared",
    ),
    "beta1 for beta2": (
        "square",
        update(
            lambda self, w, g, m, v, t, a, b, c: (a, b, self.beta1 * v + (1 - self.beta1) * g * g)
        ),
        "v has beta2",
    ),
    "no correction": (
        "value",
        stepped(lambda eps, v, hat: v.sqrt() + eps, lambda m, corrected: m),
        "Neither mean is corrected",
    ),
    "m not corrected": (
        "value",
        stepped(lambda eps, v, hat: hat.sqrt() + eps, lambda m, corrected: m),
        "m is not divided by",
    ),
    "v not corrected": (
        "value", stepped(lambda eps, v, hat: v.sqrt() + eps), "v is not divided by",
    ),
    "eps inside": ("value", stepped(lambda eps, v, hat: (hat + eps).sqrt()), "outside the root"),
    "no root": ("value", stepped(lambda eps, v, hat: hat + eps), "The root of v is missing."),
    "no eps": ("value", stepped(lambda eps, v, hat: hat.sqrt()), "eps is missing"),
    "ascent": (
        "value",
        update(lambda self, w, g, m, v, t, a, b, c: (2 * w - a, b, c)),
        "The sign is wrong",
    ),
    "still": ("value", update(lambda self, w, g, m, v, t, a, b, c: (w, b, c)), "The old value"),
    "fixed settings": ("value", textbook, "write self.lr"),
    "cube": (
        "value", update(lambda self, w, g, m, v, t, a, b, c: (a**3, b, c)), "by hand",
    ),
    "in place": ("form", in_place, "Return new tensors"),
    "always double": ("form", doubled, "dtype and shape of the old one"),
    "matrices only": (
        "form",
        update(lambda self, w, g, m, v, t, a, b, c: (torch.eye(len(a)).to(a) @ a, b, c)),
        "tensors of any shape",
    ),
}  # fmt: skip


def loop(epoch):
    """A training loop of epochs, each of which appends to the losses."""

    def train(self, graph, loss, optimizer, batches, epochs):
        losses = []
        for _ in range(epochs):
            epoch(graph, loss, optimizer, batches, losses)
        return losses

    return train


def each(*calls):
    """An epoch that makes these calls for each batch."""

    def epoch(graph, loss, optimizer, batches, losses):
        for batch in batches:
            for call in calls:
                if call == "forward":
                    losses.append(float(graph.forward(batch)))
                elif call == "backward":
                    graph.backward(loss)
                else:
                    optimizer.step()

    return loop(epoch)


def step_at_the_end(graph, loss, optimizer, batches, losses):
    for batch in batches:
        losses.append(float(graph.forward(batch)))
    graph.backward(loss)
    optimizer.step()


def one_epoch(self, graph, loss, optimizer, batches, epochs):
    return MyTrainingLoop.train(self, graph, loss, optimizer, batches, 1)


def means(self, graph, loss, optimizer, batches, epochs):
    losses = MyTrainingLoop.train(self, graph, loss, optimizer, batches, epochs)
    count = len(batches)
    return [sum(losses[start : start + count]) / count for start in range(0, len(losses), count)]


def tensors(self, graph, loss, optimizer, batches, epochs):
    return [
        torch.tensor(n) for n in MyTrainingLoop.train(self, graph, loss, optimizer, batches, epochs)
    ]


def fixed(self, graph, loss, optimizer, batches, epochs):
    return MyTrainingLoop.train(self, graph, loss, optimizer, batches, 3)


def last_epoch(self, graph, loss, optimizer, batches, epochs):
    return MyTrainingLoop.train(self, graph, loss, optimizer, batches, epochs)[-len(batches) :]


def walks_twice(self, graph, loss, optimizer, batches, epochs):
    losses = []
    for batch in batches * epochs:
        graph.forward(batch)
        losses.append(float(graph.forward(batch)))
        graph.backward(loss)
        optimizer.step()
    return losses


def zeroes(self, graph, loss, optimizer, batches, epochs):
    for batch in batches:
        batch["x"].zero_()
    return MyTrainingLoop.train(self, graph, loss, optimizer, batches, epochs)


LOOPS = {
    "nothing": ("losses", lambda self, *_: None, "Does it end with `return losses`?"),
    "no walk": ("weights", lambda self, *_: [], "graph.forward(batch) is never called"),
    "no backward walk": ("weights", each("forward", "step"), "graph.backward(loss) is never"),
    "no step": ("weights", each("forward", "backward"), "optimizer.step() is never called"),
    "wrong order": (
        "weights", each("forward", "step", "backward"), "The order is forward, backward, step",
    ),
    "steps of epochs": ("weights", loop(step_at_the_end), "belongs in the inner loop"),
    "other data": ("weights", zeroes, "follow the first batch"),
    "one epoch": ("weights", one_epoch, "There is one epoch only"),
    "means": ("losses", means, "These are means of epochs"),
    "last epoch": ("losses", last_epoch, "make the list before the loops"),
    "tensors": ("form", tensors, "float(...) makes a number"),
    "three epochs": ("form", fixed, "Read the numbers of epochs and batches"),
    "walks twice": ("form", walks_twice, "keep the loss of the first walk"),
}  # fmt: skip

WRONG_PROGRAMS = {
    **{f"adam: {name}": (MyAdam, "update", *case) for name, case in ADAM.items()},
    **{f"loop: {name}": (MyTrainingLoop, "train", *case) for name, case in LOOPS.items()},
}
