"""The settings of the disk experiment, and the command line that sets them."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Literal, get_args, get_type_hints

from graphnet import schedules
from graphnet.errors import GraphError
from graphnet.train.plots import require_matplotlib


@dataclass(frozen=True)
class Settings:
    """What is trained and how; the defaults reach about 1.2 % test error in under a second.

    Attributes:
        epochs: how often all training points are seen.
        batch_size: points in a batch.
        lr: the highest learning rate.
        momentum: of SGD; unused by Adam.
        optimizer: how parameters follow their gradients.
        loss: what is minimized.
        activation: after each hidden layer.
        init: the first weights.
        schedule: how the learning rate changes from update to update.
        hidden: the widths of the hidden layers.
        seed: of the first round; each further round takes the next one.
        rounds: how often everything is repeated, with fresh points and weights.
        accumulate: batches for each update.
        compile: train with a compiled program; if not, with the walk over the list.
        save: a file for the weights of the last round.
        load: a file of weights to evaluate instead of training.
        json: a file for settings, losses and errors.
        plot: a folder for pictures of the network, its training and what it has learned.
        playground: a file for a page in which the network trains; nothing is trained here then.
        quiet: print only the final errors.
    """

    epochs: int = 250
    batch_size: int = 50
    lr: float = 0.1
    momentum: float = 0.9
    optimizer: Literal["sgd", "adam"] = "sgd"
    loss: Literal["mse", "bce"] = "mse"
    activation: Literal["tanh", "relu"] = "tanh"
    init: Literal["default", "xavier", "xavier-normal", "kaiming", "kaiming-normal"] = "xavier"
    schedule: Literal["constant", "step", "cosine", "one-cycle"] = "cosine"
    hidden: tuple[int, ...] = (25, 25, 25)
    seed: int = 0
    rounds: int = 1
    accumulate: int = 1
    compile: bool = True
    save: Path | None = None
    load: Path | None = None
    json: Path | None = None
    plot: Path | None = None
    playground: Path | None = None
    quiet: bool = False

    @property
    def seeds(self) -> range:
        """The seed of each round."""
        return range(self.seed, self.seed + self.rounds)

    def learning_rate(self, updates: int) -> schedules.Schedule:
        """The learning rate as a function of the update, for this many updates in all."""
        if self.schedule == "step":
            return schedules.step(self.lr, step_size=max(1, updates // 3))
        if self.schedule == "cosine":
            return schedules.cosine(self.lr, updates)
        if self.schedule == "one-cycle":
            return schedules.one_cycle(self.lr, updates)
        return schedules.constant(self.lr)

    def as_record(self) -> dict[str, object]:
        """The settings as plain numbers and texts, for JSON."""
        return {
            name: str(value) if isinstance(value, Path) else value
            for name, value in vars(self).items()
        }


def read_options(arguments: Sequence[str] | None = None) -> Settings:
    """The settings from a command line; a wrong one ends the program with a usage line.

    >>> read_options(["--hidden", "10,10", "--lr", "0.5"]).hidden
    (10, 10)
    """
    options = _parser().parse_args(arguments)
    for path in (options.save, options.json):
        if path is not None and not path.resolve().parent.is_dir():
            raise GraphError(f"{path}: the folder {path.resolve().parent} does not exist.")
    if options.plot is not None:
        require_matplotlib()
        if options.plot.exists() and not options.plot.is_dir():
            raise GraphError(f"--plot names a folder; {options.plot} is a file.")
    return Settings(**vars(options))


def _parser() -> argparse.ArgumentParser:
    """The options, each with the default of `Settings`."""
    parser = argparse.ArgumentParser(
        usage="python test.py [options]    (--help lists them)",
        description="Train a network to separate points inside a disk from points outside.",
    )
    choices = get_type_hints(Settings)
    for name, kind, metavar, text in _OPTIONS:
        default = getattr(Settings, name)
        shown = ",".join(map(str, default)) if isinstance(default, tuple) else default
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            type=kind,
            choices=get_args(choices[name]) if kind is str else None,
            default=default,
            metavar=metavar,
            help=text if default is None else f"{text} ({shown})",
        )
    parser.add_argument(
        "--compile",
        action=argparse.BooleanOptionalAction,
        default=Settings.compile,
        help="train with a compiled program, not with the walk over the list (on)",
    )
    parser.add_argument("--quiet", action="store_true", help="print only the final errors")
    return parser


def integer_from(least: int) -> Callable[[str], int]:
    """Read an integer of `least` or more."""

    def read(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"must be an integer of {least} or more; got {text!r}")
        return int(text)

    return read


def _number(text: str) -> float:
    """Read a finite number of 0 or more."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not isfinite(number) or number < 0:
        raise argparse.ArgumentTypeError(f"must be a finite number of 0 or more; got {text!r}")
    return number


def _widths(text: str) -> tuple[int, ...]:
    """Widths of layers, with commas between; none for a network without hidden layers."""
    return tuple(integer_from(1)(part.strip()) for part in text.split(",") if part.strip())


_count, _natural = integer_from(1), integer_from(0)
_OPTIONS: list[tuple[str, Callable[[str], object], str | None, str]] = [
    ("epochs", _count, "COUNT", "how often all training points are seen"),
    ("batch_size", _count, "COUNT", "points in a batch"),
    ("lr", _number, "NUMBER", "the highest learning rate"),
    ("momentum", _number, "NUMBER", "the momentum of SGD"),
    ("hidden", _widths, "WIDTH,...", "the widths of the hidden layers"),
    ("seed", _natural, "NUMBER", "the seed of the first round; each further round takes the next"),
    ("rounds", _count, "COUNT", "how often to start again, with fresh points and weights"),
    ("accumulate", _count, "COUNT", "batches for each update"),
    ("save", Path, "FILE", "a file for the weights of the last round"),
    ("load", Path, "FILE", "a file of weights to evaluate instead of training"),
    ("json", Path, "FILE", "a file for settings, losses and errors"),
    ("plot", Path, "FOLDER", "a folder for pictures of the network, its training and its errors"),
    (
        "playground",
        Path,
        "FILE",
        "write a page in which the network trains, and train nothing here",
    ),
    ("optimizer", str, None, "how parameters follow their gradients"),
    ("loss", str, None, "what is minimized"),
    ("activation", str, None, "after each hidden layer"),
    ("init", str, None, "the first weights"),
    ("schedule", str, None, "of the learning rate"),
]
"""Name, type, metavar and help; those of the type str have the choices of `Settings`."""
