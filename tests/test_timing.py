"""The measure of what an action costs."""

from __future__ import annotations

import pytest
from timing import UNIT, assert_takes_less, work


def test_what_takes_longer_is_found():
    tries = []

    def unit():
        tries.append(0)
        for _ in range(UNIT):
            work()

    assert_takes_less(unit, 4)
    assert len(tries) == 1
    with pytest.raises(AssertionError, match=r"units; the limit is 0\.2"):
        assert_takes_less(unit, 0.2)
    assert len(tries) == 4
