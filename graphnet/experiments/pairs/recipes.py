"""How each network of the digit-pair study is trained: one table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import graphnet as gn
from graphnet.experiments.pairs import models
from graphnet.experiments.pairs.augment import shifted_and_re_paired

if TYPE_CHECKING:
    from graphnet.layers import Module
    from graphnet.train.run import Augment

Learned = tuple[str, float] | None
"""What an output learns, "answer", "first digit" or "second digit", and the weight of its loss."""

ANSWER: Learned = ("answer", 1.0)
DIGITS: tuple[Learned, Learned] = (("first digit", 0.5), ("second digit", 0.5))


@dataclass(frozen=True)
class Recipe:
    """A network, what it learns, and how.

    The optimizer is AdamW, its learning rate follows one cycle, and every loss is the cross
    entropy. All settings were chosen on training images alone: 50,000 to train, 10,000 to choose.

    Attributes:
        title: its name in tables.
        model: makes the network.
        learns: what each of its outputs learns; None for an output without a loss.
        published: the test accuracy in percent that others report, as text.
        goal: the test accuracy to reach, a fraction.
        lr: the highest learning rate.
        weight_decay: of AdamW.
        epochs: how often all pairs are seen.
        batch_size: pairs in a batch.
        augment: what changes each batch.
    """

    title: str
    model: Callable[[], Module]
    learns: tuple[Learned, ...]
    published: str
    goal: float
    lr: float = 8e-3
    weight_decay: float = 0.3
    epochs: int = 25
    batch_size: int = 100
    augment: Augment | None = None

    @property
    def losses(self) -> list[Any]:
        """For each output its weight and loss, as `gn.fit` takes them."""
        return [learned and (learned[1], gn.LossCrossEntropy()) for learned in self.learns]

    def as_record(self) -> dict[str, Any]:
        """Everything that decides the outcome, as texts and numbers for JSON."""
        named = {"model": repr(self.model()), "augment": self.augment is not None}
        described = {"title", "published", "goal"}
        return {n: value for n, value in {**vars(self), **named}.items() if n not in described}


_reading = partial(Recipe, lr=5e-3, weight_decay=0.0)  # networks that name digits
_APART: tuple[Learned, ...] = (None, ("first digit", 1.0), ("second digit", 1.0))

RECIPES = {
    "plain": Recipe("1 plain", models.Separate, (ANSWER,), "85.0 ± 1.5", 0.84),
    "shared": Recipe("2 shared", models.Shared, (ANSWER,), "86 ± 1.4", 0.86),
    "plain-auxiliary": Recipe(
        "3 plain + 2 auxiliary classifiers",
        models.SeparateWithGuesses,
        (ANSWER, ("answer", 0.05), ("answer", 0.05)),
        "85.5 ± 1.3",
        0.85,
    ),
    "deep": Recipe("4 deep", models.Deep, (ANSWER,), "87.7 ± 1.2", 0.88),
    "deep-auxiliary": Recipe(
        "4 deep + 3 auxiliary classifiers",
        models.DeepWithGuesses,
        (ANSWER, *[("answer", 0.3)] * 3),
        "87.1 ± 1.1",
        0.88,
    ),
    "deep-digits": Recipe(
        "5 deep + digit classes", models.DeepWithDigits, (ANSWER, *DIGITS), "86.6 ± 1.3", 0.92
    ),
    "both": _reading(
        "6 shared + digit heads", models.DigitsAndComparator, (ANSWER, *DIGITS), "93.6 ± 1.7", 0.935
    ),
    "digits": _reading("7 digits then <=", models.DigitsThenCompare, _APART, "97.2 ± 0.4", 0.97),
    "augmented": _reading(
        "8 model 6 with augmentation",
        partial(models.DigitsAndComparator, batch_norm=True, dropout=0.3),
        (ANSWER, *DIGITS),
        "98.44 ± 0.3",
        0.982,
        epochs=60,
        batch_size=50,
        augment=shifted_and_re_paired,
    ),
}
"""All recipes by the names that `--models` takes."""
