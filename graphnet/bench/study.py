"""A whole training run of the digit-pair study: `gn.fit`, and torch.nn with autograd, in turns.

The network is the one with a shared branch, trained for 25 epochs on 1,000 pairs. Grey squares
replace digits, and the answer is which one is darker: the training time does not depend on them.
"""

from __future__ import annotations

from functools import partial
from math import ceil

import torch
from torch import nn

import graphnet as gn
from graphnet.bench.single import TORCH_NN, figures, in_turns, show
from graphnet.errors import counted
from graphnet.experiments.pairs.recipes import RECIPES

PAIRS = 1000
RECIPE = RECIPES["shared"]
STEPS = RECIPE.epochs * ceil(PAIRS / RECIPE.batch_size)


class TorchShared(nn.Module):
    """The same network in torch.nn."""

    def __init__(self) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            nn.Conv2d(1, 16, 3), nn.MaxPool2d(2), nn.ReLU(),
            nn.Conv2d(16, 32, 3), nn.MaxPool2d(2), nn.BatchNorm2d(32), nn.ReLU(), nn.Dropout(0.5),
            nn.Sequential(nn.Conv2d(32, 64, 2), nn.BatchNorm2d(64), nn.ReLU()), nn.Flatten(),
        )  # fmt: skip
        self.compare = nn.Sequential(
            nn.Linear(128, 220), nn.ReLU(), nn.Linear(220, 120), nn.ReLU(), nn.Linear(120, 2)
        )

    def forward(self, pair: torch.Tensor) -> torch.Tensor:
        """The two scores of each pair."""
        first, second = self.branch(pair[:, :1]), self.branch(pair[:, 1:])
        scores: torch.Tensor = self.compare(torch.cat([first, second], 1))
        return scores


def study(turns: int = 5) -> None:
    """Print the seconds of both training runs, in turns, and the ratio of their medians.

    Args:
        turns: how often each training run is timed.
    """
    x = torch.rand(PAIRS, 2, 14, 14) + torch.rand(PAIRS, 2, 1, 1) - 1
    t = x[:, 0].mean((1, 2)).le(x[:, 1].mean((1, 2))).long()
    model, twin = RECIPE.model(), TorchShared()
    twin.load_state_dict(model.state_dict())  # fails for another network
    each = {"graphnet, fit": partial(fitted, x, t), TORCH_NN: partial(torch_fitted, x, t)}
    times = in_turns(each, turns)
    show(
        f"{counted(RECIPE.epochs, 'epoch')} of {PAIRS:,} pairs, the network with one shared branch "
        f"({sum(each.top.numel() for each in model.parameters()):,} parameters),"
    )
    show(f"one thread, median of {turns} turns:")
    show(figures(times, "s"))


def fitted(x: torch.Tensor, t: torch.Tensor) -> None:
    """The training run of the study, including compilation."""
    model = RECIPE.model()
    adam = gn.AdamW(model.parameters(), lr=RECIPE.lr, weight_decay=RECIPE.weight_decay)
    gn.fit(
        model,
        gn.LossCrossEntropy(),
        (x, t),
        adam,
        epochs=RECIPE.epochs,
        batch_size=RECIPE.batch_size,
        schedule=gn.schedules.one_cycle(RECIPE.lr, STEPS),
        seed=0,
        progress=False,
    )


def torch_fitted(x: torch.Tensor, t: torch.Tensor) -> None:
    """The same training run as a loop in torch."""
    model, loss = TorchShared(), nn.CrossEntropyLoss()
    adam = torch.optim.AdamW(model.parameters(), lr=RECIPE.lr, weight_decay=RECIPE.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(adam, RECIPE.lr, total_steps=STEPS)
    for _ in range(RECIPE.epochs):
        for batch in torch.randperm(PAIRS).split(RECIPE.batch_size):
            adam.zero_grad()
            loss(model(x[batch]), t[batch]).backward()
            adam.step()
            schedule.step()
