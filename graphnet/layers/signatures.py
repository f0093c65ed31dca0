"""How type checkers see the call of a module: it takes and returns what its `build` does."""

from __future__ import annotations

from typing import ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
R_co = TypeVar("R_co", covariant=True)


class Builds(Protocol[P, R_co]):
    """A module, by its `build`; one without types is taken to return one node."""

    def build(self, *args: P.args, **kwargs: P.kwargs) -> R_co:
        """Append the operations, and return the output."""
