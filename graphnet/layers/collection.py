"""Modules that hold items like a list or a dict; a subclass defines the kind of item."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, overload

from graphnet.errors import GraphError, counted
from graphnet.layers.module import Module
from graphnet.layers.tree import Changes

if TYPE_CHECKING:
    from collections.abc import ItemsView, KeysView, ValuesView
    from typing import SupportsIndex

Item = TypeVar("Item")
Default = TypeVar("Default")


class _NoSuchPlaceError(GraphError, IndexError):
    """An index that a list does not have: Python's loops end at an IndexError."""


class _NoSuchKeyError(GraphError, KeyError):
    """A key that a dict does not have."""

    __str__ = Exception.__str__  # KeyError's puts quotation marks around the message


class Collection(Module):
    """A module that holds items in an attribute of its own, besides what a subclass assigns."""

    def _fitting(self, item: Any) -> Any:
        """An item as it is held.

        Raises:
            GraphError: it is of the wrong kind.
        """
        raise NotImplementedError

    def _all(self, items: Iterable[Any]) -> list[Any]:
        """Several items as they are held; all are checked before any is taken."""
        if not isinstance(items, Iterable):
            raise GraphError(
                f"{type(self).__name__} takes a list of items; got {type(items).__name__}. "
                "Write [item]."
            )
        return [self._fitting(item) for item in items]

    def __setattr__(self, name: str, value: object) -> None:
        Changes.add()  # its contents are never changed in place, always assigned
        super().__setattr__(name, value)

    def __bool__(self) -> bool:
        return True  # an empty one is a module too


class ListOf(Collection, Generic[Item]):
    """A module that holds items by index, with the methods of a list."""

    def __init__(self, items: Iterable[Any] | None = None) -> None:
        self._list: tuple[Item, ...] = ()
        self.extend(() if items is None else items)

    def _contents(self) -> Iterator[tuple[str, Any]]:
        items = ((str(place), item) for place, item in enumerate(self._list))
        return chain(items, (pair for pair in super()._contents() if pair[0] != "_list"))

    def _child(self, name: str) -> object:
        if not name.isdecimal():
            return super()._child(name)
        return self._list[int(name)] if int(name) < len(self._list) else None

    def _like(self, items: tuple[Item, ...]) -> Self:
        """A list of the same kind with these items."""
        raise NotImplementedError

    def append(self, item: Item) -> Self:
        """Append an item, and return the list."""
        self._list = (*self._list, self._fitting(item))
        return self

    def extend(self, items: Iterable[Item]) -> Self:
        """Append several items, and return the list."""
        self._list = (*self._list, *self._all(items))
        return self

    def insert(self, place: int, item: Item) -> Self:
        """Insert an item before an index, as a list does, and return the list."""
        self._list = (*self._list[:place], self._fitting(item), *self._list[place:])
        return self

    def pop(self, place: int = -1) -> Item:
        """Remove an item, by default the last one, and return it.

        Raises:
            GraphError: there is no such index; it is an IndexError too.
        """
        item: Item = self[place]
        del self[place]
        return item

    def _place(self, place: SupportsIndex) -> int:
        """An index counted from 0, also for one counted from the end."""
        number, size = place.__index__(), len(self._list)
        if not -size <= number < size:
            raise _NoSuchPlaceError(
                f"{type(self).__name__} holds {counted(size, 'item')}, numbered from 0; got "
                f"the index {number}."
            )
        return number % size

    @overload  # any class of item, so that type checkers accept `model[0].weight`
    def __getitem__(self, place: SupportsIndex) -> Any: ...
    @overload
    def __getitem__(self, place: slice) -> Self: ...
    def __getitem__(self, place: SupportsIndex | slice) -> Any:
        """An item by index; by a slice, a list of the same kind that shares the items."""
        if isinstance(place, slice):
            return self._like(self._list[place])
        return self._list[self._place(place)]

    def __setitem__(self, place: int, item: Item) -> None:
        items = list(self._list)
        items[self._place(place)] = self._fitting(item)
        self._list = tuple(items)

    def __delitem__(self, place: int | slice) -> None:
        items = list(self._list)
        del items[place if isinstance(place, slice) else self._place(place)]
        self._list = tuple(items)

    def __add__(self, others: Iterable[Item]) -> Self:
        return self._like((*self._list, *self._all(others)))

    def __iadd__(self, others: Iterable[Item]) -> Self:
        return self.extend(others)

    def __len__(self) -> int:
        return len(self._list)

    def __iter__(self) -> Iterator[Item]:
        return iter(self._list)


class DictOf(Collection, Generic[Item]):
    """A module that holds items by name, with the methods of a dict."""

    def __init__(self, items: Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None) -> None:
        self._dict: dict[str, Item] = {}
        self.update(() if items is None else items)

    def _contents(self) -> Iterator[tuple[str, Any]]:
        others = (pair for pair in super()._contents() if pair[0] != "_dict")
        return chain(self._dict.items(), others)

    def _child(self, name: str) -> object:
        return self._dict[name] if name in self._dict else super()._child(name)

    def update(self, items: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> None:
        """Add the items of a dict, or pairs of a name and an item."""
        pairs = dict(items)
        for name in pairs:
            self._refuse(name)
        self._dict = {**self._dict, **dict(zip(pairs, self._all(pairs.values()), strict=True))}

    def _refuse(self, name: Any) -> None:
        if not isinstance(name, str) or not name or "." in name or name in vars(self):
            raise GraphError(
                f"A name in {type(self).__name__} must be a non-empty string without a dot that is "
                f"not one of its attributes; got {name!r}."
            )

    def pop(self, name: str) -> Item:
        """Remove an item, and return it.

        Raises:
            GraphError: there is no such name; it is a KeyError too.
        """
        item: Item = self[name]
        self._dict = {key: each for key, each in self._dict.items() if key != name}
        return item

    def clear(self) -> None:
        """Remove all items."""
        self._dict = {}

    def keys(self) -> KeysView[str]:
        """The names, in the order in which they were added."""
        return self._dict.keys()

    def values(self) -> ValuesView[Item]:
        """The items."""
        return self._dict.values()

    def items(self) -> ItemsView[str, Item]:
        """Pairs of a name and an item."""
        return self._dict.items()

    @overload
    def get(self, name: str, default: None = None) -> Item | None: ...
    @overload
    def get(self, name: str, default: Default) -> Item | Default: ...
    def get(self, name: str, default: Any = None) -> Any:
        """An item by name, or the default if there is none."""
        return self._dict.get(name, default)

    def __getitem__(self, name: str) -> Any:  # of any class, as in `ListOf`
        if name not in self._dict:
            raise _NoSuchKeyError(
                f"{type(self).__name__} holds {', '.join(self._dict) or 'nothing'}; got {name!r}."
            )
        return self._dict[name]

    def __setitem__(self, name: str, item: Item) -> None:
        self.update({name: item})

    def __delitem__(self, name: str) -> None:
        self.pop(name)

    def __len__(self) -> int:
        return len(self._dict)

    def __iter__(self) -> Iterator[str]:
        return iter(self._dict)

    def __contains__(self, name: object) -> bool:
        return name in self._dict


def require_module(holder: Module, given: Any, several: str) -> Module:
    """A module that a container is given; `several` is how it takes several.

    Raises:
        GraphError: it is something else.
    """
    if isinstance(given, Module):
        return given
    name = getattr(given, "__name__", type(given).__name__)
    kind = given if isinstance(given, type) else type(given)
    hint = ""
    if kind.__module__.startswith("torch.nn"):
        hint = f" It is torch.nn's: use graphnet.{name}."
    elif isinstance(given, type):
        hint = f" Write {name}()."
    elif isinstance(given, list | tuple):
        hint = f" For several, write {several}."
    raise GraphError(f"A {type(holder).__name__} takes modules; got {name}.{hint}")
