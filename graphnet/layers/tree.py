"""What is inside a module: all modules by path, the way to one of them, and the text of all.

A module may be held under several names, and modules may hold each other in a circle, for example
by `self.parent = parent`. No function here is recursive: modules may be nested to any depth.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from graphnet.layers.module import Module

    Children = dict[Module, list[tuple[str, Module]]]


def each_once(root: Module) -> list[tuple[str, Module]]:
    """The module and all modules inside it by path, each under its first name."""
    return _first_names(root)[0]


def by_every_name(root: Module) -> Iterable[tuple[str, Module]]:
    """The same, a shared module under each of its names.

    In a circle there would be no end of names, so a module from which a circle can be reached has
    only its first name.
    """
    names, children = _first_names(root)
    if sum(map(len, children.values())) < len(children):  # none has two names
        return names
    return _all_names(root, children, _reaching_circles(children))


def _first_names(root: Module) -> tuple[list[tuple[str, Module]], Children]:
    """Paths and modules, each once and before its children; and the children of each."""
    names: list[tuple[str, Module]] = []
    children: Children = {}
    stack = [("", root)]
    while stack:
        path, module = stack.pop()
        if module not in children:
            names.append((path, module))
            children[module] = list(module.named_children())
            _stack_up(stack, path, children[module])
    return names, children


def _all_names(
    root: Module, children: Children, once: Collection[Module]
) -> Iterator[tuple[str, Module]]:
    """Paths and modules, each before its children; those in `once` with one path."""
    seen: set[Module] = set()
    stack = [("", root)]
    while stack:
        path, module = stack.pop()
        if module not in seen or module not in once:
            seen.add(module)
            yield path, module
            _stack_up(stack, path, children[module])


def _stack_up(
    stack: list[tuple[str, Module]], path: str, children: list[tuple[str, Module]]
) -> None:
    """Put the children of the module at a path on a stack, the first one on top."""
    if children:
        start = f"{path}." if path else ""
        stack += [(start + name, child) for name, child in reversed(children)]


def _reaching_circles(children: Children) -> Collection[Module]:
    """The modules from which a circle can be reached: what is left when leaves are removed."""
    holders: dict[Module, list[Module]] = {module: [] for module in children}
    left = {module: len(held) for module, held in children.items()}
    for module, held in children.items():
        for _, child in held:
            holders[child].append(module)
    ends = [module for module, count in left.items() if not count]
    for end in ends:  # grows meanwhile
        for holder in holders[end]:
            left[holder] -= 1
            if not left[holder]:
                ends.append(holder)
    return children.keys() - set(ends)


class Changes:
    """Counts how often any module got a submodule, to detect that a search result is stale."""

    count = 0

    @classmethod
    def add(cls) -> None:
        """Count one change."""
        cls.count += 1


class Ways:
    """The ways from a module to its submodules while it is being built.

    A way has the fewest steps: a direct child has one, other ways lead through a `ModuleList` or
    any other module. Changes made meanwhile are noticed.
    """

    def __init__(self, owner: Module) -> None:
        self._owner = owner
        self._changes = -1
        self._holders: dict[Module, tuple[Module, str]] = {}  # and the name there
        self._waiting: deque[Module] = deque()  # found, but not searched yet

    def to(self, module: Module) -> list[tuple[str, Module]] | None:
        """Each name on the way to a module, with the module that it names; None without a way."""
        way = self._way(module)
        if way is None and self._changes != Changes.count:  # it may have been added meanwhile
            self._changes = Changes.count
            self._holders, self._waiting = {}, deque([self._owner])
            way = self._way(module)
        return way

    def _way(self, module: Module) -> list[tuple[str, Module]] | None:
        self._look_for(module)
        way: list[tuple[str, Module]] = []
        while module is not self._owner or not way:
            holder, name = self._holders.get(module, (None, ""))
            if holder is None or holder._child(name) is not module:
                return None
            way.append((name, module))
            module = holder
        return way[::-1]

    def _look_for(self, module: Module) -> None:
        """Search one module after the other, those with fewer steps first."""
        while module not in self._holders and self._waiting:
            holder = self._waiting.popleft()
            for name, child in holder.named_children():
                if child not in self._holders:
                    self._holders[child] = (holder, name)
                    if child is not self._owner:
                        self._waiting.append(child)


def text_of(root: Module, usual: object) -> str:
    """The module and all modules inside it, one on each line.

    Args:
        root: the module.
        usual: the `__repr__` of modules that are opened here; others print themselves.
    """
    _, children = _first_names(root)
    once, seen = _reaching_circles(children), set()
    lines: list[str] = []
    starts: list[list[int]] = [[]]  # for each open module the lines at which its contents begin
    stack: list[tuple[str, str, Module, bool]] = [("", "", root, True)]
    while stack:
        indent, label, module, begins = stack.pop()
        kind, held = type(module), children[module]
        if not begins:
            within = starts.pop()
            if module.writes_equals_once:
                lines[within[0] :] = _equals_once(lines, within, f"{indent}  ")
            lines.append(f"{indent})")
            continue
        starts[-1].append(len(lines))
        again = module in seen and module in once
        seen.add(module)
        if held and not again and (module is root or kind.__repr__ is usual):
            lines.append(f"{indent}{label}{kind.__name__}(")
            lines += [f"{indent}  {module.extra_repr()}"] if module.extra_repr() else []
            starts.append([])
            stack.append((indent, "", module, False))
            stack += [(f"{indent}  ", f"({name}): ", each, True) for name, each in reversed(held)]
        elif again:
            lines.append(f"{indent}{label}{kind.__name__}(...)")
        else:
            text = repr(module) if module is not root else f"{kind.__name__}({root.extra_repr()})"
            lines.append(indent + label + text.replace("\n", f"\n{indent}"))
    return "\n".join(lines)


def _equals_once(lines: list[str], starts: list[int], indent: str) -> list[str]:
    """The contents of a list, equal neighbours once, as in torch: "(0-5): 6 x Linear(2, 2)"."""
    ends = [*starts[1:], len(lines)]
    labels = [lines[start].partition("): ") for start in starts]
    texts = [
        (label[2], *lines[start + 1 : end])
        for label, start, end in zip(labels, starts, ends, strict=True)
    ]
    written: list[str] = []
    for (first, *rest), group in groupby(range(len(texts)), key=texts.__getitem__):
        places = list(group)
        count, label = len(places), labels[places[0]][0]
        if count > 1:
            last = labels[places[-1]][0].removeprefix(f"{indent}(")
            written.append(f"{label}-{last}): {count} x {first}")
        else:
            written.append(f"{label}): {first}")
        written += rest
    return written
