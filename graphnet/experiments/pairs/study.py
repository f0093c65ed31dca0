"""One round of a recipe, from fresh pairs and weights to its accuracies, and many rounds of it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

import graphnet as gn
from graphnet.experiments.pairs.augment import shifted_and_re_paired
from graphnet.experiments.pairs.recipes import RECIPES, Recipe

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.train.rounds_table import Rounds

Data = tuple["Tensor", tuple["Tensor", ...]]
"""Images, and a target for each output that learns."""

PAIRS = 1000
"""The number of pairs to train on, and to test on."""


class Trained(NamedTuple):
    """A trained recipe: on how many pairs, and the results of its rounds."""

    recipe: Recipe
    pairs: int
    rounds: Rounds


def accuracy(outputs: Any, targets: Any) -> float:
    """The fraction of pairs whose answer, the first output, is right.

    The answer is the first target; if only two digits are learned, it follows from them.

    >>> scores = torch.tensor([[0.9, 0.1], [0.2, 0.8]])
    >>> accuracy(scores, torch.tensor([0, 0]))
    0.5
    >>> accuracy((scores, None, None), (torch.tensor([7, 1]), torch.tensor([2, 1])))
    1.0
    """
    right = targets if isinstance(targets, tuple) else (targets,)
    answer = (right[0] <= right[1]).long() if len(right) == 2 else right[0]
    return gn.metrics.accuracy(outputs, answer)


def data_of(recipe: Recipe, images: Tensor, answer: Tensor, classes: Tensor) -> Data:
    """What a recipe learns from, or is tested on."""
    known = {"answer": answer, "first digit": classes[:, 0], "second digit": classes[:, 1]}
    return images, tuple(known[learned[0]] for learned in recipe.learns if learned)


def one_round(
    name: str, seed: int, *, pairs: int = PAIRS, epochs: int | None = None, augment: bool = False
) -> dict[str, Any]:
    """Train a recipe on fresh pairs, and return its numbers and curves, for `gn.rounds`.

    Args:
        name: of the recipe.
        seed: of pairs, first weights, dropout, and the order of the pairs.
        pairs: how many to train on, and how many to test on.
        epochs: how often they are seen; None takes the recipe's number.
        augment: True to augment, if both digits are learned.
    """
    recipe = with_options(RECIPES[name], epochs, augment)
    drawn = gn.data.digit_pairs(pairs, generator=torch.Generator().manual_seed(seed))
    train_input, test_input = gn.data.normalized(drawn.train_input, drawn.test_input)
    train = data_of(recipe, train_input, drawn.train_target, drawn.train_classes)
    test = data_of(recipe, test_input, drawn.test_target, drawn.test_classes)
    torch.manual_seed(seed)
    model = recipe.model()
    history = train_model(recipe, model, train, test, seed)
    at_the_end = gn.evaluate(model, recipe.losses, train, metrics={"accuracy": accuracy})
    return {
        "test_accuracy": history["validation_accuracy"][-1],
        "train_accuracy": at_the_end["accuracy"],
        "parameters": sum(each.top.numel() for each in model.parameters()),
        "seconds": sum(history["seconds"]),
        "training_loss": history["loss"],
        "accuracy_by_epoch": history["validation_accuracy"],
    }


def with_options(recipe: Recipe, epochs: int | None, augment: bool) -> Recipe:
    """The recipe with another number of epochs, and with augmentation if it supports it."""
    learned = {each[0] for each in recipe.learns if each}
    if augment and learned >= {"first digit", "second digit"}:
        recipe = replace(recipe, augment=shifted_and_re_paired)
    return replace(recipe, epochs=epochs or recipe.epochs)


def train_model(
    recipe: Recipe, model: gn.Module, train: Data, test: Data | None, seed: int
) -> gn.History:
    """Train a model by its recipe; the accuracy on test pairs, if any, is only measured."""
    steps = recipe.epochs * ceil(len(train[0]) / recipe.batch_size)
    parameters, decay = model.parameters(), recipe.weight_decay
    return gn.fit(
        model,
        recipe.losses,
        train,
        gn.AdamW(parameters, lr=recipe.lr, weight_decay=decay),
        epochs=recipe.epochs,
        batch_size=recipe.batch_size,
        schedule=gn.schedules.one_cycle(recipe.lr, steps),
        augment=recipe.augment,
        validation=test,
        metrics={"accuracy": accuracy} if test else {},
        seed=seed,
        progress=False,
    )


def run(
    name: str,
    rounds: int = 10,
    *,
    workers: int | None = 1,
    directory: Path | None = None,
    **options: Any,
) -> Trained:
    """All rounds of a recipe: seeds 0, 1, ...

    Args:
        name: of the recipe.
        rounds: how many.
        workers: how many at a time.
        directory: where finished rounds are kept, in a folder of this name.
        options: of `one_round`.
    """
    recipe = with_options(RECIPES[name], options.get("epochs"), options.get("augment", False))
    results = gn.rounds(
        partial(one_round, name, **options),
        rounds,
        workers=workers,
        directory=None if directory is None else directory / name,
        settings={"recipe": recipe.as_record(), **options},
    )
    return Trained(recipe, options.get("pairs", PAIRS), results)
