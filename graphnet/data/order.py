"""The order in which an epoch takes its rows, which can be asked for any place.

Up to a million rows it is `torch.randperm`. The order of more rows is not stored but computed: a
Feistel network permutes the numbers below a product of two sizes, and one that leaves the range is
permuted again until it is back (cycle walking).

M. Luby and C. Rackoff, "How to construct pseudorandom permutations from pseudorandom functions",
SIAM Journal on Computing 17 (1988); J. Black and P. Rogaway, "Ciphers with arbitrary finite
domains", CT-RSA 2002, method 3; the function of a round is the finalizer of A. Appleby's
MurmurHash3.
"""

from __future__ import annotations

from math import isqrt
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from graphnet.validation import require_counts

LISTED = 2**20
"""Rows whose order is a list, of 8 MiB at most; the order of more is computed."""

_BLOCK = 2**15  # places that are computed at once
_ROUNDS = 6
_WORD = 0xFFFFFFFF


class Share(NamedTuple):
    """Which of several processes this is, and how many there are.

    Of each batch a process takes consecutive rows, in the order of the ranks; their numbers differ
    by 1 at most, and may be 0.

    >>> [Share(rank, 2).part(5) for rank in range(2)]
    [slice(0, 2, None), slice(2, 5, None)]
    """

    rank: int = 0
    processes: int = 1

    def part(self, count: int) -> slice:
        """Which of `count` rows it takes."""
        first, last = (count * part // self.processes for part in (self.rank, self.rank + 1))
        return slice(first, last)


ALL = Share()
"""One process, which takes all rows."""


class Permutation:
    """A pseudo-random permutation of 0, ..., size - 1, computed for the places that are asked for.

    Args:
        size: how many numbers are permuted, 1 to 2**62.
        seed: determines the permutation.

    Raises:
        RangeError: the size is not an integer of 1 or more.

    >>> Permutation(10, seed=0).at(torch.arange(10)).sort().values
    tensor([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    """

    def __init__(self, size: int, seed: int) -> None:
        require_counts(size=size)
        self.size = size
        root = isqrt(size - 1) + 1
        self._sizes = root, -(-size // root)
        generator = Generator().manual_seed(seed)
        self._keys: list[int] = torch.randint(2**32, (_ROUNDS,), generator=generator).tolist()

    def at(self, places: Tensor) -> Tensor:
        """The numbers at some places: int64 of the same shape."""
        found = self._ciphered(places)
        while len(outside := (found >= self.size).nonzero(as_tuple=True)[0]):
            found[outside] = self._ciphered(found[outside])
        return found

    def _ciphered(self, numbers: Tensor) -> Tensor:
        """The numbers below the product of two sizes, permuted: the parts change in turns."""
        left_size, right_size = self._sizes
        left, right = numbers // right_size, numbers % right_size
        for key in self._keys:
            left, right = right, (left + _mixed(right, key)).remainder_(left_size)
            left_size, right_size = right_size, left_size
        return left.mul_(right_size).add_(right)


def _mixed(numbers: Tensor, key: int) -> Tensor:
    """32 bits that depend on all bits of the numbers, which are below 2**31, and of a key."""
    mixed = numbers ^ key
    mixed ^= mixed >> 16
    mixed.mul_(0x85EBCA6B).bitwise_and_(_WORD)  # int64 overflows as unsigned numbers do
    mixed ^= mixed >> 13
    mixed.mul_(0xC2B2AE35).bitwise_and_(_WORD)
    mixed ^= mixed >> 16
    return mixed


class RowOrder:
    """The rows of an epoch in the order in which they are taken.

    It is determined by the number of rows and by `source`, so that a checkpoint needs only these,
    and each process or worker can compute the rows of any batch.

    Args:
        count: how many rows there are.
        source: the state of a `torch.Generator`, which draws the order; None for 0, 1, 2, ...; or
            the order itself, as a tensor of int64.

    Raises:
        RuntimeError: the source is a tensor of another kind.

    >>> order = RowOrder.drawn(5, torch.Generator().manual_seed(0))
    >>> order.rows(0, 5).equal(torch.randperm(5, generator=torch.Generator().manual_seed(0)))
    True
    >>> order.rows(3, 5).equal(RowOrder(5, order.source).rows(0, 5)[3:])
    True
    """

    def __init__(self, count: int, source: Tensor | None = None) -> None:
        generator = Generator()
        if source is not None and source.dtype != torch.int64:
            generator.set_state(source)
        self._set(count, source, generator)

    @classmethod
    def drawn(cls, count: int, generator: Generator) -> RowOrder:
        """An order from a generator, which moves on."""
        order = cls.__new__(cls)
        order._set(count, generator.get_state(), generator)
        return order

    def _set(self, count: int, source: Tensor | None, generator: Generator) -> None:
        self.count, self.source = count, source
        self._listed: Tensor | None = None
        self._permutation: Permutation | None = None
        self._first, self._block = 0, torch.empty(0, dtype=torch.int64)
        if source is not None and source.dtype == torch.int64:
            self._listed = source
        elif source is not None and count <= LISTED:
            self._listed = torch.randperm(count, generator=generator)
        elif source is not None:
            seed = int(torch.randint(2**62, (), generator=generator))
            self._permutation = Permutation(count, seed)

    def __len__(self) -> int:
        return self.count

    def rows(self, start: int, stop: int) -> Tensor:
        """The rows at the places from `start` up to `stop`, without that: int64."""
        stop = min(stop, self.count)
        if self._listed is not None:
            return self._listed[start:stop]
        if self._permutation is None:
            return torch.arange(start, max(start, stop))
        if not self._first <= start <= stop <= self._first + len(self._block):
            end = min(max(stop, start + _BLOCK), self.count)
            self._first, self._block = start, self._permutation.at(torch.arange(start, end))
        return self._block[start - self._first : stop - self._first]

    def at(self, places: Tensor) -> Tensor:
        """The rows at any places: int64 of the same shape."""
        if self._listed is not None:
            return self._listed[places]
        return places if self._permutation is None else self._permutation.at(places)

    def share(self, start: int, stop: int, share: Share) -> Tensor:
        """The rows of a batch that one of several processes takes; the first, if it takes none.

        So there is always a row to read, which shows the form of all others.

        Args:
            start: the first place of the batch.
            stop: the place behind its last one.
            share: of the process.

        >>> [RowOrder(9).share(4, 9, Share(rank, 2)).tolist() for rank in range(2)]
        [[4, 5], [6, 7, 8]]
        """
        part = share.part(max(0, min(stop, self.count) - start))
        if part.start == part.stop:
            return self.rows(start, start + 1)
        return self.rows(start + part.start, start + part.stop)
