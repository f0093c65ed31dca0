"""Random numbers that a page repeats to the bit: `random.js` is the same in JavaScript.

Integers of 32 bits, and nothing else that rounds but sums, products, quotients and roots, which
all machines round alike.
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from torch import tensor

if TYPE_CHECKING:
    from torch import Tensor, dtype

BITS = 0xFFFFFFFF


class Random:
    """A generator of random numbers, with the numbers that a page draws from the same seed.

    It is a source for `graphnet.ops.random.drawn_from`, so that dropout draws from it.

    Args:
        seed: any integer; its last 32 bits count.

    Source: Blackman and Vigna, Scrambled linear pseudorandom number generators (2021):
    xoshiro128**.

    >>> random = Random(3)
    >>> random.permutation(5), random.below(6)
    ([0, 4, 2, 1, 3], 4)
    """

    def __init__(self, seed: int) -> None:
        self.state = [mixed((place + 1) * 0x9E3779B9 + seed) for place in range(4)]
        self._spare: float | None = None

    def integer(self) -> int:
        """The next 32 bits, from 0 to 2³² - 1."""
        s = self.state
        result = rotated(s[1] * 5 & BITS, 7) * 9 & BITS
        shifted = s[1] << 9 & BITS
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= shifted
        s[3] = rotated(s[3], 11)
        return result

    def uniform(self) -> float:
        """From 0 to below 1, in steps of 2⁻²⁴: each is a number of float32."""
        return (self.integer() >> 8) / 16777216

    def below(self, count: int) -> int:
        """An integer from 0 to below a count, all equally likely: the last ones are drawn again."""
        limit = 4294967296 - 4294967296 % count
        drawn = self.integer()
        while drawn >= limit:
            drawn = self.integer()
        return drawn % count

    def normal(self) -> float:
        """Of mean 0 and variance 1.

        Source: Marsaglia and Bray, A convenient method for generating normal variables (1964): the
        polar method, which makes two at a time.
        """
        if self._spare is not None:
            kept, self._spare = self._spare, None
            return kept
        s = 0.0
        while s >= 1 or s == 0:
            x, y = 2 * self.uniform() - 1, 2 * self.uniform() - 1
            s = x * x + y * y
        factor = sqrt((-2 * logarithm(s)) / s)
        self._spare = y * factor
        return x * factor

    def permutation(self, count: int) -> list[int]:
        """0, 1, ..., count - 1 in random order.

        Source: Fisher and Yates, Statistical tables (1938).
        """
        order = list(range(count))
        for i in range(count - 1, 0, -1):
            j = self.below(i + 1)
            order[i], order[j] = order[j], order[i]
        return order

    # tensors, as `drawn_from` asks for them

    def mask(self, like: Tensor, keep: float) -> Tensor:
        """0, or 1 with the probability `keep`, in the shape and dtype of a tensor."""
        drawn = [float(self.uniform() < keep) for _ in range(like.numel())]
        return like.new_tensor(drawn).reshape(like.shape)

    def uniforms(self, like: Tensor, of: dtype) -> Tensor:
        """Numbers from 0 to below 1, in the shape of a tensor."""
        return _shaped([self.uniform() for _ in range(like.numel())], like, of)

    def normals(self, like: Tensor, of: dtype) -> Tensor:
        """Numbers of mean 0 and variance 1, in the shape of a tensor."""
        return _shaped([self.normal() for _ in range(like.numel())], like, of)


def rotated(x: int, count: int) -> int:
    """32 bits rotated to the left."""
    return (x << count | x >> (32 - count)) & BITS


def mixed(seed: int) -> int:
    """A seed as 32 bits that depend on all of its bits.

    Source: Appleby, MurmurHash3 (2011): fmix32.
    """
    x = seed & BITS
    x = (x ^ x >> 16) * 0x85EBCA6B & BITS
    x = (x ^ x >> 13) * 0xC2B2AE35 & BITS
    return x ^ x >> 16


def logarithm(x: float) -> float:
    """log(x) for 0 < x <= 1: x is m / 2ᵏ with m near 1, and log(m) = 2 artanh((m - 1) / (m + 1)).

    The last bit of `math.log` may differ from one machine to another.
    """
    m, k = x, 0
    while m < 0.7071067811865476:
        m, k = m * 2, k + 1
    z = (m - 1) / (m + 1)
    square, total = z * z, 0.0
    for n in range(23, 0, -2):
        total = total * square + 1 / n
    return 2 * z * total - k * 0.6931471805599453


def _shaped(values: list[float], like: Tensor, of: dtype) -> Tensor:
    return tensor(values, dtype=of, device=like.device).reshape(like.shape)
