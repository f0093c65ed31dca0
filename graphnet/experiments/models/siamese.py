"""One branch for two images: do they show the same thing?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import graphnet as gn

if TYPE_CHECKING:
    from graphnet.graph import Node


class Siamese(gn.Module):
    """The distance between two images, read by one branch: two of (n, 1, 28, 28) -> (n,)."""

    def __init__(self) -> None:
        super().__init__()
        self.branch = gn.Sequential(
            gn.Conv2d(1, 8, 3),
            gn.ReLU(),
            gn.MaxPool2d(2),
            gn.Conv2d(8, 16, 3),
            gn.ReLU(),
            gn.MaxPool2d(2),
            gn.Flatten(),
            gn.Linear(400, 32),
        )

    def build(self, one: Node, other: Node) -> Node:
        """Append the branch twice, and the squared distance."""
        return ((self.branch(one) - self.branch(other)) ** 2).sum(1)


def siamese_graph() -> gn.Graph:
    """The network with a loss that wants equal images to be close."""
    with gn.Graph() as graph:
        one = gn.Input((None, 1, 28, 28), name="one")
        other = gn.Input((None, 1, 28, 28), name="other")
        same = gn.Input((None,), name="same")
        distance = Siamese()(one, other)
        (same * distance + (1 - same) * (1 - distance).relu()).mean()
    return graph
