"""What `forward` returns, as text, with the classes that the text needs."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

from graphnet.errors import GraphError
from graphnet.interop.steps import Ref

if TYPE_CHECKING:
    from graphnet.interop.source.variables import Variables

DATACLASS = """@dataclass
class {name}:
{fields}


torch.export.register_dataclass({name})
"""
"""A class of the text, which `torch.export` takes as the class of an output."""


class Returns:
    """The outputs of a model as text, nested as the model returns them.

    Attributes:
        imports: the lines that import what the text names.
        classes: the definitions of its classes.
    """

    def __init__(self, values: Mapping[int, str], variables: Variables) -> None:
        self.values, self.variables = values, variables
        self.imports: dict[str, None] = {}
        self.classes: list[str] = []
        self._names: dict[type, str] = {}

    def text(self, value: Any) -> str:
        """A value as an expression."""
        kind = type(value)
        if isinstance(value, Ref):
            return self.values[value.number]
        if kind in (tuple, list):
            inside = ", ".join(map(self.text, value))
            inside += "," if kind is tuple and len(value) == 1 else ""
            return f"({inside})" if kind is tuple else f"[{inside}]"
        if kind.__module__ == "torch.return_types":
            return f"torch.return_types.{kind.__name__}([{', '.join(map(self.text, value))}])"
        if isinstance(value, tuple):
            return self._call(self._named_tuple(kind), zip(kind._fields, value, strict=True))
        if isinstance(value, Mapping):
            return self._mapping(value)
        if is_dataclass(value):
            items = ((each.name, getattr(value, each.name)) for each in fields(value))
            return self._call(self._dataclass(kind), items)
        if value is None or isinstance(value, bool | int | float | str):
            return repr(value)
        raise GraphError(
            f"torch_source has no form for an output of class {kind.__name__}. Return tensors in "
            "tuples, lists, dicts, NamedTuples or dataclasses."
        )

    def _call(self, name: str, items: Iterable[tuple[str, Any]]) -> str:
        return f"{name}({', '.join(f'{key}={self.text(value)}' for key, value in items)})"

    def _mapping(self, value: Mapping[Any, Any]) -> str:
        """A dict, an ordered one, or one of a library's own class."""
        kind = type(value)
        if kind is dict or kind.__module__ == "collections":
            inside = ", ".join(f"{key!r}: {self.text(each)}" for key, each in value.items())
            if kind is not OrderedDict:
                return f"{{{inside}}}"
            self.imports["from collections import OrderedDict"] = None
            return f"OrderedDict({{{inside}}})"
        if not kind.__qualname__.isidentifier() or kind.__module__ == "__main__":
            raise GraphError(
                f"torch_source cannot import {kind.__qualname__}, the class of an output. Define "
                "it at the top of a file of its own, or return a NamedTuple or a dataclass."
            )
        self.imports[f"from {kind.__module__} import {kind.__name__}"] = None
        return self._call(kind.__name__, value.items())

    def _named_tuple(self, kind: Any) -> str:
        if kind not in self._names:
            self._names[kind] = name = self.variables.new(kind.__name__)
            self.imports["from collections import namedtuple"] = None
            self.classes.append(f'{name} = namedtuple("{name}", {list(kind._fields)})\n')
        return self._names[kind]

    def _dataclass(self, kind: Any) -> str:
        if kind not in self._names:
            self._names[kind] = name = self.variables.new(kind.__name__)
            self.imports["from dataclasses import dataclass"] = None
            lines = "\n".join(f"    {each.name}: object" for each in fields(kind))
            self.classes.append(DATACLASS.format(name=name, fields=lines))
        return self._names[kind]
