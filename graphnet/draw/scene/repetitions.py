"""Draw uninterrupted repetitions once: equal modules, and equal boxes of any kind.

Modules are equal if they are of one class, hold the same operations on the same shapes, and are
wired alike inside. The outermost repetition counts: 24 blocks are one block 24 times, whatever is
inside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from math import prod

from graphnet.draw.scene.grouping import Group, merged, modules_of
from graphnet.draw.scene.scene import Box, Path, Scene, around

FEWEST = 3  # repetitions that are worth drawing as one
LONGEST = 32  # boxes in one repeated group


@dataclass
class Rolled(Scene):
    """A scene with equal neighbours drawn once.

    Attributes:
        times: how often each repeated group occurs, by its path.
    """

    times: dict[Path, int] = field(default_factory=dict)

    def copies(self, path: Path) -> int:
        """How many copies each box in this module stands for."""
        return prod(self.times.get(each, 1) for each in around(path))


def rolled_up(scene: Scene) -> Rolled:
    """The scene with three or more equal modules in a row, or rows of modules, drawn once.

    Each box then stands for the same box of all copies, in a module of its own: "0 … 23".
    """
    rolled = Rolled(**vars(scene))
    level = 0
    while any(len(box.path) > level for box in rolled.boxes):
        groups = modules_of(rolled, level, gradients=False)
        runs = [run for run in _runs(rolled, groups, _has_modules) if run.times > 1]
        if runs:
            rolled = _drawn_once(rolled, runs)
        level += 1
    return rolled


def joined_alike(scene: Scene, groups: list[Group]) -> list[Group]:
    """The groups, with equal neighbours of any kind as one."""
    runs = _runs(scene, groups, lambda row: True)
    return [merged(run.groups, run.times) if run.times > 1 else run.groups[0] for run in runs]


def class_of(scene: Scene, module: Path) -> str:
    """The class of a module, from its title: "Linear"; empty if it is not known."""
    title = scene.titles.get(module, "").removeprefix(".".join(module))
    return title.removeprefix(".".join((*module[:-1], ""))).strip()


def first_few(texts: Iterable[str]) -> str:
    """The first three different texts that are not empty, and whether there are more."""
    known = list(dict.fromkeys(filter(None, texts)))
    return ", ".join(known[:3]) + (", …" if len(known) > 3 else "")


def spanned(first: str, last: str) -> str:
    """The name of everything from one to another.

    >>> spanned("blocks.0", "blocks.5"), spanned("a", "a")
    ('blocks.0 … 5', 'a')
    """
    if first == last:
        return first
    around, _, name = last.rpartition(".")
    return f"{first} … {name if first.rpartition('.')[0] == around else last}"


# repetitions


@dataclass(frozen=True)
class _Run:
    """Groups in a row, the same several times."""

    groups: Sequence[Group]
    times: int = 1

    @property
    def copies(self) -> list[Sequence[Group]]:
        period = len(self.groups) // self.times
        return [self.groups[at : at + period] for at in range(0, len(self.groups), period)]


def _has_modules(row: Sequence[Group]) -> bool:
    """Whether groups of one module have a module of several boxes among them."""
    return any(group.folded for group in row) and len({group.path for group in row}) == 1


def _runs(
    scene: Scene, groups: list[Group], wanted: Callable[[Sequence[Group]], bool]
) -> Iterator[_Run]:
    """The groups in order: the longest wanted repetitions, and single groups."""
    lengths = _periods(_looks(scene, groups))
    place = 0
    while place < len(groups):
        span, period = _best(lengths, place)
        row = groups[place : place + span]
        spare = lengths[period - 1][place] + period - span if span else 0
        if span and wanted(row) and not _starts_later(groups[place : place + spare + 1]):
            yield _Run(row, span // period)
            place += span
        else:
            yield _Run(groups[place : place + 1])
            place += 1


def _starts_later(groups: Sequence[Group]) -> bool:
    """Whether a repetition may as well start at a large module: Conv2d, ReLU; not ReLU, Conv2d."""
    first, *others = (group.large for group in groups)
    return not first and any(others)


def _looks(scene: Scene, groups: list[Group]) -> list[int]:
    """A number for each group, the same for groups that look alike and are wired alike inside."""
    where = {
        box.key: (place, number)
        for place, group in enumerate(groups)
        for number, box in enumerate(group.boxes)
    }
    wires: list[list[tuple[int, int]]] = [[] for _ in groups]
    for arrow in scene.arrows:
        source, target = where[arrow.source], where[arrow.target]
        inside = source[0] == target[0]
        wires[target[0]].append((source[1] if inside else -1, target[1]))
    numbers: dict[object, int] = {}
    looks = []
    for group, wire in zip(groups, wires, strict=True):
        kind = None if group.module is None else class_of(scene, group.module)
        depth = len(group.module or group.path)
        boxes = tuple(
            (box.kind, box.symbol, box.shape, box.note, box.path[depth:], box.folds[depth:])
            for box in group.boxes
        )
        look = (group.path, kind, boxes, tuple(wire))
        looks.append(numbers.setdefault(look, len(numbers)))
    return looks


def _periods(looks: Sequence[int]) -> list[list[int]]:
    """For each period and place, how many from there on equal the one a period later."""
    table = []
    for period in range(1, min(LONGEST, len(looks) // FEWEST) + 1):
        lengths = [0] * (len(looks) + 1)
        for place in range(len(looks) - period - 1, -1, -1):
            same = looks[place] == looks[place + period]
            lengths[place] = lengths[place + 1] + 1 if same else 0
        table.append(lengths)
    return table


def _best(lengths: list[list[int]], place: int) -> tuple[int, int]:
    """The longest repetition that starts at a place, and its period; the shortest period wins."""
    best = (0, 1)
    for period, table in enumerate(lengths, 1):
        times = table[place] // period + 1
        if times >= FEWEST and times * period > best[0]:
            best = (times * period, period)
    return best


# the scene with one copy of each


def _drawn_once(scene: Rolled, runs: list[_Run]) -> Rolled:
    """The scene with one copy of each run, whose boxes stand for those of all copies.

    They are in the order of the last copy, so that everything that any of them reads comes before.
    """
    rolled = replace(
        scene,
        titles=dict(scene.titles),
        settings=dict(scene.settings),
        times=dict(scene.times),
    )
    new = {box.key: box for box in scene.boxes}
    copy = dict.fromkeys(new, (-1, 0))  # for each box its run, and its copy there
    for number, run in enumerate(runs):
        before, after = _common_module(rolled, run)
        copies = [[box for group in groups for box in group.boxes] for groups in run.copies]
        for alike in zip(*copies, strict=True):
            _retitle(rolled, alike[0].path, before, after)
            one = _one_of(alike, before, after)
            new |= {box.key: one for box in alike}
            copy |= {box.key: (number, place) for place, box in enumerate(alike)}
    different = {box.key: box for box in new.values()}
    rolled.boxes = sorted(different.values(), key=lambda box: box.places[-1])
    rolled.arrows = []
    for arrow in scene.arrows:
        (run_from, source), (run_to, target) = copy[arrow.source], copy[arrow.target]
        if run_from != run_to or source == target == 0:  # in a run, the first copy is enough
            start, end = new[arrow.source].key, new[arrow.target].key
            rolled.arrows.append(replace(arrow, source=start, target=end))
    return rolled


def _common_module(scene: Rolled, run: _Run) -> tuple[Path, Path]:
    """The module, or the modules around, of the first copy; and the module for all copies.

    A single module becomes the new one; several are put into it.
    """
    first, *_ = run.groups
    last = next((group for group in reversed(run.groups) if group.module), run.groups[-1])
    name = spanned(_last_name(first), _last_name(last))
    while (*first.path, name) in scene.titles:  # another use of the same module
        name += " …"
    after = (*first.path, name)
    text = first_few(_kind(scene, group) for group in run.copies[0])
    scene.times[after] = run.times
    scene.titles[after] = " ".join(word for word in (".".join(after), text) if word)
    alone = len(run.copies[0]) == 1 and first.module is not None
    return (first.module if alone and first.module else first.path), after


def _last_name(group: Group) -> str:
    """The name of a group inside the modules around it."""
    return group.module[-1] if group.module else group.boxes[0].name


def _kind(scene: Scene, group: Group) -> str:
    """What a group computes: the class of its module, or its symbol."""
    return (class_of(scene, group.module) if group.module else "") or group.boxes[0].symbol


def _retitle(scene: Rolled, path: Path, before: Path, after: Path) -> None:
    """Give the modules from here to the box their titles under the new module too."""
    for old in around(path)[len(before) :]:
        scene.settings[after + old[len(before) :]] = scene.settings.get(old, "")
        text = scene.titles.get(old, ".".join(old)).removeprefix(".".join(before)).removeprefix(".")
        scene.titles[after + old[len(before) :]] = f"{'.'.join(after)}.{text}"


def _one_of(alike: Sequence[Box], before: Path, after: Path) -> Box:
    """The box that stands for the same box in all copies, whose module `before` becomes `after`."""
    first, new = alike[0], len(after) - len(before)
    calls, folds = first.calls[: len(before)], first.folds[: len(before)]
    if len(first.calls) == len(first.path):  # the module around several copies is not in the list
        calls, folds = (*calls, *[0] * new), (*folds, *[""] * new)
    return replace(
        first,
        path=after + first.path[len(before) :],
        calls=calls + first.calls[len(before) :],
        folds=folds + first.folds[len(before) :],
        sharing=tuple(dict.fromkeys(number for box in alike for number in box.sharing)),
        nodes=tuple(node for box in alike for node in box.nodes),
        result=None,
        places=tuple(sorted(place for box in alike for place in box.places)),
    )
