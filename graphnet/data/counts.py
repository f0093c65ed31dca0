"""Arguments that count something."""

from __future__ import annotations

from graphnet.errors import RangeError


def require_count(**counts: int) -> None:
    """Refuse what is not a whole number of 1 or more; the keyword is the name in the message.

    Raises:
        RangeError: one of them is not.

    >>> require_count(n=3, batch_size=50)
    """
    for name, count in counts.items():
        if not isinstance(count, int) or isinstance(count, bool) or count < 1:
            raise RangeError(f"{name} is a whole number of 1 or more; {count!r} came.")
