"""The networks of the digit-pair study, from two separate branches to digits and `<=`.

Each takes pairs of images, (n, 2, 14, 14), and returns scores of the answer, (n, 2): column 1 is
for "less than or equal". A network with further outputs returns a tuple, the answer first. A branch
that is called twice shares its weights: `Shared().draw((100, 2, 14, 14))` shows it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import graphnet as gn
from graphnet import ops

if TYPE_CHECKING:
    from graphnet.graph import Node

# parts


def convolution(inputs: int, outputs: int, size: int, batch_norm: bool = False) -> gn.Sequential:
    """A convolution, normalized if requested, and its activation."""
    norm = [gn.BatchNorm2d(outputs)] if batch_norm else []
    return gn.Sequential(gn.Conv2d(inputs, outputs, size), *norm, gn.ReLU())


def three_convolutions() -> gn.Sequential:
    """Read one image: (n, 1, 14, 14) -> (n, 64).

    A ReLU gives the same before and after max pooling; after it, it has a quarter of the work.
    """
    return gn.Sequential(
        gn.Conv2d(1, 16, 3),  # 14 x 14 -> 12 x 12
        gn.MaxPool2d(2),  # -> 6 x 6
        gn.ReLU(),
        gn.Conv2d(16, 32, 3),  # -> 4 x 4
        gn.MaxPool2d(2),  # -> 2 x 2
        gn.BatchNorm2d(32),
        gn.ReLU(),
        gn.Dropout(0.5),
        convolution(32, 64, 2, batch_norm=True),  # -> 1 x 1
        gn.Flatten(),
    )


def five_convolutions() -> gn.Sequential:
    """Read one image, deeper, with batch normalization: (n, 1, 14, 14) -> (n, 64)."""
    return gn.Sequential(
        convolution(1, 16, 3, batch_norm=True),  # 14 x 14 -> 12 x 12
        gn.MaxPool2d(2),  # -> 6 x 6
        convolution(16, 32, 2, batch_norm=True),  # -> 5 x 5
        convolution(32, 32, 2, batch_norm=True),  # -> 4 x 4
        gn.MaxPool2d(2),  # -> 2 x 2
        gn.Dropout(0.5),
        convolution(32, 64, 2, batch_norm=True),  # -> 1 x 1
        convolution(64, 64, 1),
        gn.Flatten(),
    )


def digit_reader(batch_norm: bool, dropout: float) -> gn.Sequential:
    """Three wider convolutions and a score for each of ten digits: (n, 1, 14, 14) -> (n, 10)."""
    return gn.Sequential(
        convolution(1, 32, 3, batch_norm),  # 14 x 14 -> 12 x 12
        gn.MaxPool2d(2),  # -> 6 x 6
        convolution(32, 64, 3, batch_norm),  # -> 4 x 4
        gn.MaxPool2d(2),  # -> 2 x 2
        gn.Dropout(dropout),
        convolution(64, 150, 2, batch_norm),  # -> 1 x 1
        gn.Flatten(),
        gn.Linear(150, 10),
    )


def comparator(inputs: int, first: int = 200, second: int = 100) -> gn.Sequential:
    """Three fully connected layers that compare what is known of two digits: -> (n, 2)."""
    return gn.Sequential(
        gn.Linear(inputs, first),
        gn.ReLU(),
        gn.Linear(first, second),
        gn.ReLU(),
        gn.Linear(second, 2),
    )


# networks


class Separate(gn.Module):
    """Model 1: a branch for each digit, then three fully connected layers."""

    def __init__(self) -> None:
        self.first, self.second = three_convolutions(), three_convolutions()
        self.compare = comparator(128, 220, 120)

    def build(self, pair: Node) -> Any:
        """Append both branches, and the comparison of their outputs."""
        return self.compare(ops.cat(self.read(pair), dim=1))

    def read(self, pair: Node) -> tuple[Node, Node]:
        """The output of each branch: two nodes (n, 64)."""
        first, second = ops.split(pair, 1, dim=1)
        return self.first(first), self.second(second)


class Shared(Separate):
    """Model 2: model 1 with one branch for both digits."""

    def __init__(self) -> None:
        self.branch = three_convolutions()
        self.compare = comparator(128, 220, 120)

    def read(self, pair: Node) -> tuple[Node, Node]:
        """The output of the branch for each digit: two nodes (n, 64)."""
        first, second = ops.split(pair, 1, dim=1)
        return self.branch(first), self.branch(second)


class SeparateWithGuesses(Separate):
    """Model 3: model 1 with two auxiliary classifiers that see one digit each."""

    def __init__(self) -> None:
        super().__init__()
        self.guess_first, self.guess_second = gn.Linear(64, 2), gn.Linear(64, 2)

    def build(self, pair: Node) -> Any:
        """Append both branches, their comparison, and a guess from each alone."""
        a, b = self.read(pair)
        return self.compare(ops.cat([a, b], dim=1)), self.guess_first(a), self.guess_second(b)


class Deep(Shared):
    """Model 4: model 2 with five convolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.branch = five_convolutions()


class DeepWithGuesses(Deep):
    """Model 4 with three auxiliary classifiers: of each digit alone, and a linear one of both."""

    def __init__(self) -> None:
        super().__init__()
        self.guess_first, self.guess_second = gn.Linear(64, 2), gn.Linear(64, 2)
        self.guess = gn.Linear(128, 2)

    def build(self, pair: Node) -> Any:
        """Append the branch twice, the comparison, and three guesses."""
        a, b = self.read(pair)
        both = ops.cat([a, b], dim=1)
        return self.compare(both), self.guess_first(a), self.guess_second(b), self.guess(both)


class DeepWithDigits(Deep):
    """Model 5: model 4 with two auxiliary heads, which name the digits."""

    def __init__(self) -> None:
        super().__init__()
        self.first_digit, self.second_digit = gn.Linear(64, 10), gn.Linear(64, 10)

    def build(self, pair: Node) -> Any:
        """Append the branch twice, the comparison, and the digits."""
        a, b = self.read(pair)
        return self.compare(ops.cat([a, b], dim=1)), self.first_digit(a), self.second_digit(b)


class DigitsAndComparator(gn.Module):
    """Models 6 and 8: one reader names both digits, and a learned comparator compares its scores.

    Args:
        batch_norm: True to normalize after each convolution.
        dropout: the probability of dropping before the last convolution.
    """

    def __init__(self, batch_norm: bool = False, dropout: float = 0.5) -> None:
        self.digit = digit_reader(batch_norm, dropout)
        self.compare = comparator(20, 100, 100)

    def build(self, pair: Node) -> Any:
        """Append the reader twice, and the comparison of its scores."""
        first, second = ops.split(pair, 1, dim=1)
        a, b = self.digit(first), self.digit(second)
        return self.compare(ops.cat([a, b], dim=1)), a, b


class DigitsThenCompare(gn.Module):
    """Model 7: one reader names both digits, and the answer follows: `<=` is not learned.

    P(a <= b) = Σ_j P(b = j) Σ_(i <= j) P(a = i).
    """

    def __init__(self) -> None:
        self.digit = digit_reader(batch_norm=True, dropout=0.5)

    def build(self, pair: Node) -> Any:
        """Append the reader twice, and the probabilities of both answers."""
        first, second = ops.split(pair, 1, dim=1)
        a, b = self.digit(first), self.digit(second)
        at_most = ops.softmax(a, dim=1).cumsum(1)  # P(a <= j)
        less_or_equal = (at_most * ops.softmax(b, dim=1)).sum(1)
        return ops.stack([1 - less_or_equal, less_or_equal], dim=1), a, b
