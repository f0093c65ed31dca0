"""What the digit-pair study shows and saves: table, curves, drawn networks, record, page."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from graphnet.console_text import text_table
from graphnet.errors import counted
from graphnet.train import plots
from graphnet.train.rounds_table import spread_text
from graphnet.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from graphnet.experiments.pairs.recipes import Recipe
    from graphnet.experiments.pairs.study import Trained

HEADER = (
    "network",
    "test accuracy",
    "train accuracy",
    "parameters",
    "seconds",
    "published, %",
    "goal",
)

PAGE = """# Pairs of digits

One image of two channels, 14 x 14 pixels each, holds two digits. Is the first less than or equal
to the second? Each network learns it from {pairs:,} pairs and is tested on {pairs:,} others. They
show the value of shared weights, of auxiliary losses, and of naming the digits.

{results}

Mean and standard deviation of {rounds} (seeds 0 to {last}), each with fresh pairs and fresh
weights, by graphnet {version}. Seconds are those of all epochs on one thread, without the tests
after each. "Published" is what others report of such a network; "goal" is what this study set out
to reach. The test accuracy is that after the last epoch.

![Training loss and test accuracy of all networks over the epochs](pictures/digit-pairs.png)

The networks as lists of nodes; shared weights have thick frames and a letter:

{drawings}

## How they are trained

{settings}

Every loss is a cross-entropy, the optimizer is AdamW, and the learning rate follows one cycle.
Images are normalized by mean and deviation of the training pairs alone. Settings were compared on
training images alone: 50,000 of them to train, the other 10,000 to compare.

Augmentation moves each digit by a pixel at most, and makes new pairs of the digits of each batch,
which is possible because the digits are known.

## Repeat it

```
python -m graphnet.experiments.pairs --rounds 10 --workers 2 --out digit-pairs
python -m graphnet.experiments.pairs --models shared both --augment
```

The first line trains all networks, and writes this page, curves, a picture of each network, and all
numbers to the folder. Finished rounds are not run again.
"""


def rows(results: Mapping[str, Trained]) -> list[tuple[str, ...]]:
    """The table: its header, and a row for each recipe."""
    return [HEADER, *map(row, results.values())]


def row(trained: Trained) -> tuple[str, ...]:
    """The results of one recipe, beside what others report."""
    recipe, _, rounds = trained
    names = ("test_accuracy", "train_accuracy", "seconds")
    test, train, seconds = (spread_text(each, rounds.values(each)) for each in names)
    parameters = f"{rounds.mean('parameters'):,.0f}"
    return recipe.title, test, train, parameters, seconds, recipe.published, f"{recipe.goal:.1%}"


def text(results: Mapping[str, Trained]) -> str:
    """The table for a terminal."""
    return "\n".join([text_table(rows(results), right=(3,)), *failures(results)])


def failures(results: Mapping[str, Trained]) -> list[str]:
    """A line for each round that failed."""
    return [
        f"{recipe.title}: {failure.sentence}"
        for recipe, _, rounds in results.values()
        for failure in rounds.failures
    ]


def markdown(table: Sequence[Sequence[str]]) -> str:
    """The table for a page; its first row is the header.

    >>> print(markdown([("network", "seconds"), ("2 shared", "1.2")]))
    | network | seconds |
    |---|---|
    | 2 shared | 1.2 |
    """
    header, *body = ["| " + " | ".join(each) + " |" for each in table]
    return "\n".join([header, "|" + "---|" * len(table[0]), *body])


def record(results: Mapping[str, Trained]) -> dict[str, Any]:
    """All settings and numbers, as JSON writes them."""
    return {
        "graphnet": __version__,
        "networks": {
            name: {"recipe": recipe.as_record(), "pairs": pairs, **rounds.to_record()}
            for name, (recipe, pairs, rounds) in results.items()
        },
    }


def page(results: Mapping[str, Trained]) -> str:
    """The page of docs/ from a run: the settings, the results, and how to repeat it."""
    rounds = max(len(each.rounds) + len(each.rounds.failures) for each in results.values())
    settings = [
        (
            each.title,
            f"{each.lr:g}",
            f"{each.weight_decay:g}",
            f"{each.epochs}",
            f"{each.batch_size}",
            learned_text(each),
        )
        for each, _, _ in results.values()
    ]
    heading = ("network", "highest lr", "weight decay", "epochs", "batch", "loss")
    return PAGE.format(
        pairs=max(each.pairs for each in results.values()),
        rounds=counted(rounds, "round"),
        last=rounds - 1,
        results="\n\n".join([markdown(rows(results)), *failures(results)]),
        drawings="\n".join(
            f"- [{each.recipe.title}]({drawing(name)})" for name, each in results.items()
        ),
        settings=markdown([heading, *settings]),
        version=__version__,
    )


def learned_text(recipe: Recipe) -> str:
    """What a recipe minimizes: its cross entropies and their weights."""
    terms = [
        what if weight == 1 else f"{weight:g} {what}"
        for what, weight in filter(None, recipe.learns)
    ]
    return " + ".join(terms) + (", augmented" if recipe.augment else "")


def drawing(name: str) -> str:
    """Where the picture of a network is, relative to the page."""
    return f"pictures/digit-pairs-{name}.svg"


def write(folder: Path, results: Mapping[str, Trained]) -> None:
    """Write digit-pairs.md, digit-pairs.json, and into pictures/ the networks and the curves.

    Args:
        folder: created if it does not exist.
        results: the rounds of each recipe, by its name.

    Raises:
        GraphError: matplotlib is not installed; everything but the curves is already written.
    """
    (folder / "pictures").mkdir(parents=True, exist_ok=True)
    text = json.dumps(record(results), indent=1) + "\n"
    (folder / "digit-pairs.json").write_text(text, encoding="utf-8")
    (folder / "digit-pairs.md").write_text(page(results), encoding="utf-8")
    for name, trained in results.items():
        trained.recipe.model().draw((100, 2, 14, 14)).save(folder / drawing(name))
    curves(results).savefig(folder / "pictures" / "digit-pairs.png", dpi=150)


def curves(results: Mapping[str, Trained]) -> Any:
    """Training loss and test accuracy over the epochs, in bands of one deviation: a figure."""
    figure = plots.canvas(11, 4.5)
    left, right = figure.subplots(1, 2)
    for axes, curve, label in (
        (left, "training_loss", "training loss"),
        (right, "accuracy_by_epoch", "test accuracy"),
    ):
        series = {each.recipe.title: each.rounds.curve(curve) for each in results.values()}
        plots.curves(series, ylabel=label, axes=axes)
        axes.legend(fontsize=7, frameon=False)
    left.set_yscale("log")
    return figure
