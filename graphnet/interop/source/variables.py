"""The names of variables in the text of a model."""

from __future__ import annotations

import keyword
import re

TAKEN = {*keyword.kwlist, "self", "torch", "nn", "F", "float", "Part", "Net"}
"""Names that no variable gets."""


class Variables:
    """Names for values: short, and each once."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def new(self, wanted: str) -> str:
        """A name that is free: relu, relu_1."""
        name = re.sub(r"\W", "_", wanted).strip("_") or "x"
        name = f"x_{name}" if name[0].isdigit() else name
        name = f"{name}_" if name in TAKEN else name
        count = self._counts.get(name, 0)
        self._counts[name] = count + 1
        return f"{name}_{count}" if count else name
