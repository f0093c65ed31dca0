"""Random networks of modules in modules, with shortcuts, shared layers and long names."""

from __future__ import annotations

import random

import graphnet as gn
from graphnet import ops

WIDTH = 4
NAMES = ["a", "block", "an_attribute_with_a_long_name", "encoder", "mlp", "head", "norm", "stage"]


class Part(gn.Module):
    """A few modules under random names, in a row, with shortcuts and calls that are repeated."""

    def __init__(self, dice, depth):
        super().__init__()
        self.dice = random.Random(dice.random())
        names = dice.sample(NAMES, dice.randint(1, 4))
        for name in names:
            setattr(self, name, module(dice, depth - 1))

    def build(self, x):
        dice = random.Random(self.dice.random())
        parts = [part for _, part in self.named_children()]
        for part in dice.choices(parts, k=len(parts) + dice.randint(0, 2)):
            y = part(x)
            x = dice.choice([y, y, x + y, (x * y).tanh(), ops.cat([y, x], 1)[:, :WIDTH]])
        return x


def layer(dice):
    return dice.choice(
        [
            lambda: gn.Linear(WIDTH, WIDTH),
            lambda: gn.LayerNorm(WIDTH),
            lambda: gn.BatchNorm1d(WIDTH),
            lambda: gn.Dropout(0.25),
            gn.ReLU,
            lambda: gn.LeakyReLU(0.3),
            gn.GELU,
        ]
    )()


def module(dice, depth):
    if depth <= 0 or dice.random() < 0.3:
        return layer(dice)
    kind = dice.choice(["part", "row", "list", "shortcut"])
    if kind == "part":
        return Part(dice, depth)
    if kind == "shortcut":
        return gn.Residual(module(dice, depth - 1))
    if kind == "list":
        one = module(dice, depth - 1)
        return gn.Sequential(*[one if dice.random() < 0.2 else layer(dice) for _ in range(4)])
    return gn.Sequential(*[module(dice, depth - 1) for _ in range(dice.randint(1, 5))])


def network(seed):
    """A list with a loss; the same for the same seed."""
    dice = random.Random(seed)
    with gn.Graph() as graph:
        x, t = gn.Input((None, WIDTH), name="x"), gn.Input((None, WIDTH), name="t")
        y = Part(dice, dice.randint(1, 4))(x)
        loss = dice.choice([gn.LossMSE(), gn.LossHuber()])(y, t)
        if dice.random() < 0.3:
            loss + (y * y).mean()  # appended to the list
    return graph


def options(seed):
    """How to draw it."""
    dice = random.Random(seed)
    found = {"direction": dice.choice(["TB", "TB", "LR"]), "theme": dice.choice(["light", "dark"])}
    found |= dice.choice([{}, {}, {"depth": dice.randint(0, 3)}, {"columns": dice.randint(1, 4)}])
    found |= dice.choice([{}, {}, {"parameters": False}, {"slide": True}, {"every_node": True}])
    return found
