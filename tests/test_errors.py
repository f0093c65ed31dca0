"""What the errors share: a check of arguments that count something."""

from __future__ import annotations

import pytest

from graphnet.errors import RangeError, require_count


@pytest.mark.parametrize("count", [0, -1, 1.0, "3", None, True], ids=repr)
def test_what_is_not_a_count_is_named(count):
    with pytest.raises(RangeError, match=r"^b must be an integer of 1 or more") as error:
        require_count(a=1, b=count)
    assert f"got {count!r}" in str(error.value)
