"""The state of an optimizer as plain dicts, in the layout of `torch.optim`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from graphnet.errors import LoadError, RangeError, shape_text
from graphnet.ops.dims import TENSOR
from graphnet.optim.buckets import Memory, plain_number
from graphnet.optim.groups import Group
from graphnet.validation import item_of

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.graph import Parameter
    from graphnet.optim.base import Optimizer

State = tuple[list[Group], dict["Parameter", Memory], dict["Parameter", int]]
"""The settings of the groups, and the state and the number of steps of each parameter."""


def write_state(
    optimizer: Optimizer, memories: Mapping[Parameter, Memory], counts: Mapping[Parameter, int]
) -> dict[str, Any]:
    """The state as a dict of copies."""
    entries: dict[int, dict[str, Tensor]] = {}
    groups = []
    index = 0
    for group in optimizer.param_groups:
        first = index
        for parameter in group["params"]:
            memory, steps = memories.get(parameter, {}), counts.get(parameter, 0)
            if steps or optimizer.state_from_start:  # torch has no entry before the first step
                entries[index] = _entry(optimizer, group, parameter, memory, steps)
            index += 1
        settings = {name: _copied(value) for name, value in group.items() if name != "params"}
        groups.append({**settings, "params": list(range(first, index))})
    return {"state": entries, "param_groups": groups}


def _entry(
    optimizer: Optimizer, group: Group, parameter: Parameter, memory: Memory, steps: int
) -> dict[str, Tensor]:
    """The state of one parameter, in its shape."""
    entry = {"step": plain_number(steps)} if optimizer.step_in_state else {}
    for name in dict.fromkeys([*memory, *optimizer.slots_of(group)]):
        number = name in optimizer.scalars
        if name in memory:
            value = memory[name].clone()
        elif number:
            value = plain_number(optimizer.first_value(group, name))
        else:  # needed by a setting that was changed since the last step
            value = parameter.top.new_full((parameter.top.numel(),), 0.0)
            value.fill_(optimizer.first_value(group, name))
        entry[name] = value if number else value.view(parameter.shape)
    return entry


def read_state(optimizer: Optimizer, state: Mapping[str, Any]) -> State:
    """Translate a state into the terms of an optimizer, which is not changed.

    Raises:
        LoadError: the state does not fit; the message lists every difference.
    """
    reader = _Reader(optimizer)
    result = reader.read(state)
    if reader.problems:
        listed = "\n".join(f"  {problem}" for problem in reader.problems)
        raise LoadError(f"The state does not fit this optimizer, and nothing was loaded:\n{listed}")
    return result


class _Reader:
    """Reads a state, and collects in `problems` every way in which it does not fit."""

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer
        self.problems: list[str] = []

    def read(self, state: Any) -> State:
        memories: dict[Parameter, Memory] = {}
        counts: dict[Parameter, int] = {}
        places = self.places(state)
        if self.problems:
            return [], memories, counts
        groups = [
            self.settings(f"group {place}", group, saved)
            for place, (group, saved) in enumerate(self.pairs(state))
        ]
        for index, entry in state["state"].items():
            if index not in places:
                self.problems.append(f"state {index!r}: no group has a parameter with this index")
            elif not isinstance(entry, Mapping):
                self.problems.append(f"state {index}: expected a dict; got {type(entry).__name__}")
            elif entry:
                parameter, place = places[index]
                memory, steps = self.entry(f"state {index}", parameter, groups[place], entry)
                memories[parameter], counts[parameter] = memory, steps
        return groups, memories, counts

    def pairs(self, state: Any) -> list[tuple[Group, Any]]:
        return list(zip(self.optimizer.param_groups, state["param_groups"], strict=True))

    def places(self, state: Any) -> dict[Any, tuple[Parameter, int]]:
        """The parameter, and its group, for each index in the state."""
        problems = self.problems
        if not (
            isinstance(state, Mapping)
            and isinstance(state.get("state"), Mapping)
            and isinstance(state.get("param_groups"), list | tuple)
        ):
            problems.append('a state must be a dict {"state": {...}, "param_groups": [...]}')
            return {}
        saved_groups, groups = state["param_groups"], self.optimizer.param_groups
        if len(saved_groups) != len(groups):
            problems.append(f"groups: expected {len(groups)}; got {len(saved_groups)}")
            return {}
        found: dict[Any, tuple[Parameter, int]] = {}
        for place, (group, saved) in enumerate(self.pairs(state)):
            ids: Any = saved.get("params") if isinstance(saved, Mapping) else None
            if fault := _misfit(ids, len(group["params"]), found):
                problems.append(f"group {place}: {fault}")
            else:
                found |= {each: (p, place) for each, p in zip(ids, group["params"], strict=True)}
        return found

    def settings(self, where: str, group: Group, saved: Any) -> Group:
        """The settings of one group; flags that were not saved stay as they are, as in torch."""
        kept = {
            name: item_of(value)
            for name, value in saved.items()
            if name != "params" and isinstance(name, str)
        }
        for name, default in self.optimizer.defaults.items():
            if name not in kept and not isinstance(default, bool):
                self.problems.append(f"{where}: the setting {name!r} is missing")
        settings = {name: group[name] for name in self.optimizer.defaults} | kept
        try:
            self.optimizer.check_group(settings)
        except RangeError as error:
            self.problems.append(f"{where}: {error}")
        return settings

    def entry(
        self, where: str, parameter: Parameter, group: Group, entry: Mapping[str, Any]
    ) -> tuple[Memory, int]:
        """The state of one parameter, and its number of steps."""
        optimizer = self.optimizer
        memory: Memory = {}
        for name, value in entry.items():
            if name == "step" and optimizer.step_in_state:
                continue
            if name not in optimizer.slots:
                self.problems.append(f"{where}: {name!r} is unknown to this optimizer")
            elif value is not None or optimizer.step_in_state:
                kept = self.kept(f"{where}, {name}", parameter, value, name in optimizer.scalars)
                memory |= {} if kept is None else {name: kept}
        if not optimizer.step_in_state:
            return memory, int(bool(memory))
        for name in optimizer.slots_of(group):
            if name not in entry:
                self.problems.append(f"{where}: {name!r} is missing")
        return memory, self.steps(where, entry.get("step"))

    def kept(self, where: str, parameter: Parameter, value: Any, number: bool) -> Tensor | None:
        """A copy of one tensor in the form of the state; None if it does not fit."""
        if not isinstance(value, TENSOR):
            self.problems.append(f"{where}: expected a tensor; got {type(value).__name__}")
            return None
        shape = () if number else parameter.shape
        if not value.dtype.is_floating_point:
            self.problems.append(f"{where}: expected a floating dtype; got {value.dtype}")
            return None
        if tuple(value.shape) != shape:
            expected = f"expected the shape {shape_text(shape)}"
            self.problems.append(f"{where}: {expected}; got {shape_text(tuple(value.shape))}")
            return None
        try:
            if number:  # in the given dtype: torch keeps one dtype, and changes it when loading
                return plain_number(0.0).to(value.dtype).copy_(value.detach())
            return parameter.top.new_zeros(shape).copy_(value.detach()).view(-1)
        except RuntimeError as error:  # tensors without values: on the meta device, sparse
            self.problems.append(f"{where}: {str(error).splitlines()[0]}")
            return None

    def steps(self, where: str, value: Any) -> int:
        """The number of steps, from a number or a tensor that holds one."""
        value = item_of(value)
        if type(value) not in (int, float) or not value >= 0 or value % 1 != 0:
            self.problems.append(f"{where}: step must be an integer of 0 or more; got {value!r}")
            return 0
        return int(value)


def _misfit(ids: Any, count: int, known: Collection[Any]) -> str:
    """What is wrong with the indices of a group's parameters, in words; "" if nothing is."""
    if not isinstance(ids, list | tuple) or not all(type(each) is int for each in ids):
        return '"params" must be a list of integers'
    if len(ids) != count:
        return f"expected {count} parameters; got {len(ids)}"
    return "a parameter occurs twice" if len({*ids, *known}) < len(ids) + len(known) else ""


def _copied(setting: Any) -> Any:
    """A copy of a setting, which does not change with the optimizer's."""
    if isinstance(setting, TENSOR):
        return setting.clone()
    return list(setting) if isinstance(setting, list) else setting
