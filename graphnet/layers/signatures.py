"""What type checkers take the call of a module to return: what its `build` does."""

from __future__ import annotations

from typing import ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
R_co = TypeVar("R_co", covariant=True)


class Builds(Protocol[P, R_co]):
    """A module by its `build`. Where `build` has no types, it returns one node."""

    def build(self, *args: P.args, **kwargs: P.kwargs) -> R_co:
        """Append the operations, and return the output."""
