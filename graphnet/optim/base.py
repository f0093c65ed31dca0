"""What all optimizers share: groups of parameters with their settings, and steps on flat tensors.

The parameters are moved into one flat buffer, and their gradients into another, so that an update
is a handful of tensor operations however many layers there are. Formulas, names and defaults are
those of `torch.optim`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from graphnet.errors import GraphError
from graphnet.graph import Parameter
from graphnet.graph.home import Home, settle
from graphnet.optim.settings import Setting, number
from graphnet.optim.state import read_state, write_state
from graphnet.optim.stretches import Memory, Stretch, runs

if TYPE_CHECKING:
    from torch import Tensor

Params = Iterable[Parameter] | Iterable[dict[str, Any]]
"""Parameters, or groups of them: dicts with "params" and the settings that differ."""

_NOTES = {"name", "initial_lr", "param_names", "foreach", "fused", "capturable", "differentiable"}
"""What a new group may hold beside the settings, as in torch; it changes nothing here."""


class Optimizer:
    """The base class of optimizers; a subclass names its `slots` and writes `update`.

    Args:
        params: the parameters to update, or a list of groups: `{"params": [...], "lr": 0.1}`.
        lr: the learning rate of the groups that say no other.
        settings: further settings, by name, of the groups that say no others.

    Attributes:
        param_groups: for each group a dict of its parameters and settings; settings may be edited
            before any step, and are checked when the step comes.
        lr: the learning rate of the first group; assigning sets that of all groups.

    Raises:
        GraphError: there is nothing to update, or a parameter is given twice.
        RangeError: a setting is out of its range.

    >>> import graphnet as gn
    >>> from torch import empty
    >>> class SignDescent(gn.Optimizer):
    ...     def update(self, group, step, value, grad):
    ...         value.add_(grad.sign(), alpha=-group["lr"])
    >>> w = gn.Parameter(empty(2).fill_(3))
    >>> w.grad = empty(2).fill_(7)
    >>> SignDescent([w], lr=0.5).step()
    >>> w.top
    tensor([2.5000, 2.5000])
    """

    slots: tuple[str, ...] = ()
    """What may be remembered for each element of the parameters, such as its momentum."""

    numbers: tuple[str, ...] = ()
    """Those of the slots that are one number for each parameter."""

    step_in_state: bool = True
    """True if `state_dict` tells how many steps each parameter has made."""

    state_from_start: bool = False
    """True if `state_dict` tells of parameters before their first step."""

    lr = Setting(number())
    _rules: ClassVar[dict[str, Setting[Any]]] = {"lr": lr}

    def __init_subclass__(cls) -> None:
        cls._rules = {
            name: member
            for base in reversed(cls.__mro__)
            for name, member in vars(base).items()
            if isinstance(member, Setting)
        }

    def __init__(self, params: Params, lr: float, **settings: Any) -> None:
        self.defaults: dict[str, Any] = {"lr": lr, **settings}
        self.check_group(self.defaults)
        self.param_groups: list[dict[str, Any]] = []
        self._counts: dict[Parameter, int] = {}
        self._memories: dict[Parameter, Memory] = {}
        self._stretches: list[Stretch] = []
        self._seen: list[dict[str, Any]] | None = None
        self._homes: dict[Home, int] = {}
        listed = _listed(params)
        in_groups = bool(listed) and isinstance(listed[0], Mapping)
        groups = [
            self._completed(group) for group in (listed if in_groups else [{"params": listed}])
        ]
        self._check_groups(groups)
        if not any(group["params"] for group in groups):
            raise GraphError("An optimizer needs at least one parameter; the list is empty.")
        self.param_groups = groups
        settle(self.parameters)

    # what a subclass writes

    def update(
        self, group: dict[str, Any], step: int, value: Tensor, grad: Tensor, **state: Tensor
    ) -> None:
        """Change the flat `value` in place.

        Args:
            group: the settings of these parameters, such as `group["lr"]`.
            step: the number of this step, from 1.
            value: the values of some parameters side by side.
            grad: their gradients, not to be changed.
            state: what is remembered, by the names of `slots_of`, to be changed in place.
        """
        raise GraphError(f"{type(self).__name__} has no update method: an optimizer writes one.")

    def slots_of(self, group: dict[str, Any]) -> tuple[str, ...]:
        """Those of the slots that the settings of a group ask for; all, if not overridden."""
        return self.slots

    def first_value(self, group: dict[str, Any], name: str) -> float:
        """The value of a slot before the first step; 0, if not overridden."""
        return 0.0

    def counts(self, group: dict[str, Any]) -> bool:
        """True if the steps of a group are counted; always, if not overridden."""
        return True

    def check_group(self, group: dict[str, Any]) -> None:
        """Check the settings of a group; it is called again when they were edited.

        Raises:
            RangeError: a setting is out of its range.
        """
        for name, setting in self._rules.items():
            if name not in group:
                raise GraphError(f"A group of {type(self).__name__} has the setting {name!r}.")
            group[name] = setting.rule(name, group[name])

    # what a user calls

    @property
    def parameters(self) -> list[Parameter]:
        """The parameters of all groups."""
        return [parameter for group in self.param_groups for parameter in group["params"]]

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters, with the settings that differ from those the optimizer was made with.

        Raises:
            GraphError: a parameter is there already, or a setting is not known.
            RangeError: a setting is out of its range.
        """
        group = self._completed(param_group)
        self._check_groups([*self.param_groups, group])
        self.param_groups.append(group)
        settle(group["params"])

    def step(self) -> None:
        """Update by its gradient each parameter that is not frozen.

        Raises:
            RangeError: a setting was edited, and is out of its range; nothing was updated.
        """
        moved = any(home.changes != seen for home, seen in self._homes.items())
        if moved or self._edited():
            self._arrange()
        for stretch in self._stretches:
            before, step = stretch.home.writes, stretch.steps + self.counts(stretch.group)
            self.update(stretch.group, step, stretch.value, stretch.grad, **stretch.state)
            # An update that raised is not counted, and graphs see that values were written to.
            stretch.steps = step
            stretch.home.counted += stretch.home.writes - before
            for parameter in stretch.parameters:
                parameter.updates += 1

    def zero_grad(self) -> None:
        """Set all gradients to zero. `graph.backward` does not need it: it starts afresh."""
        for parameter in self.parameters:
            parameter.grad = None

    def state_dict(self) -> dict[str, Any]:
        """What is needed to go on later, as copies, in the layout of `torch.optim`.

        `{"state": {index: {"step": ..., "exp_avg": ...}}, "param_groups": [{"lr": ...,
        "params": [0, 1]}]}`, so that it moves to the optimizer of the same name in torch.
        """
        self._count_steps()
        return write_state(self, self._memories, self._counts)

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from a state of `state_dict`, or from one of torch: all of it, or nothing.

        Raises:
            LoadError: the state does not fit; the message lists every difference.
        """
        groups, memories, counts = read_state(self, state_dict)
        for group, settings in zip(self.param_groups, groups, strict=True):
            group.update(settings)
        self._memories, self._counts = memories, counts
        self._stretches, self._seen = [], None

    # groups and stretches

    def _completed(self, group: Any) -> dict[str, Any]:
        """A group with all settings, without touching the dict of the user."""
        if not isinstance(group, Mapping) or "params" not in group:
            raise GraphError(
                'A group is a dict such as {"params": [w, b], "lr": 0.1}; '
                f"{_described(group)} came. All groups are given as such, or none."
            )
        for name in group:
            if name not in self.defaults and name not in _NOTES and name != "params":
                known = ", ".join(self.defaults)
                raise GraphError(
                    f"{type(self).__name__} has no setting {name!r}; a group may have {known}."
                )
        return {"params": _listed(group["params"], alone=True), **self.defaults} | {
            name: value for name, value in group.items() if name != "params"
        }

    def _check_groups(self, groups: list[dict[str, Any]]) -> None:
        """Check settings and parameters of all groups."""
        for group in groups:
            self.check_group(group)
        parameters = [parameter for group in groups for parameter in group["params"]]
        for parameter in parameters:
            if not isinstance(parameter, Parameter):
                raise GraphError(
                    f"An optimizer updates graphnet parameters; a {type(parameter).__name__} came. "
                    "model.parameters() lists those of a module."
                )
        if len(set(parameters)) < len(parameters):
            raise GraphError("A parameter is given to the optimizer twice.")

    def _edited(self) -> bool:
        """True if a group is not as it was when the stretches were found."""
        try:
            return self._seen != self.param_groups
        except RuntimeError:  # a setting was replaced by a tensor: the check will say so
            return True

    def _arrange(self) -> None:
        """Find the longest stretches of parameters that can be updated together."""
        self._check_groups(self.param_groups)
        self._count_steps()
        settle(self.parameters)
        self._stretches = [
            Stretch(run, group, self._counts.get(run[0], 0))
            for group in self.param_groups
            for run in runs((p for p in group["params"] if p.requires_grad), self._age)
        ]
        for stretch in self._stretches:
            for name in self.slots_of(stretch.group):
                first = self.first_value(stretch.group, name)
                if name in self.numbers:
                    stretch.remember_number(name, self._memories, first)
                else:
                    stretch.remember(name, self._memories, first)
        self._homes = {parameter.home: parameter.home.changes for parameter in self.parameters}
        self._seen = [{**group, "params": list(group["params"])} for group in self.param_groups]

    def _count_steps(self) -> None:
        """Note how many steps each parameter has made."""
        for stretch in self._stretches:
            self._counts.update(dict.fromkeys(stretch.parameters, stretch.steps))

    def _age(self, parameter: Parameter) -> tuple[float, ...]:
        """What must be equal in all parameters of a stretch."""
        memory = self._memories.get(parameter, {})
        known = (float(memory[name]) for name in self.numbers if name in memory)
        return (self._counts.get(parameter, 0), *known)

    def __getstate__(self) -> dict[str, Any]:
        """What is copied and pickled: the stretches are found again, beside the copied homes."""
        self._count_steps()
        return {**vars(self), "_stretches": [], "_seen": None, "_homes": {}}


def descent(group: dict[str, Any], value: Tensor, grad: Tensor) -> Tensor:
    """The gradient to go down, after the weight decay that the settings of a group ask for.

    The L2 penalty adds to the gradient; decoupled decay shrinks the values by 1 - lr weight_decay.
    """
    if group["maximize"]:
        grad = -grad
    if group["weight_decay"] and group.get("decoupled_weight_decay"):
        value.mul_(1 - group["lr"] * group["weight_decay"])
    elif group["weight_decay"]:
        grad = grad.add(value, alpha=group["weight_decay"])
    return grad


def _listed(params: Any, alone: bool = False) -> list[Any]:
    """Parameters as a list; in a group, one may stand alone."""
    if alone and isinstance(params, Parameter):
        return [params]
    if not isinstance(params, Iterable) or isinstance(params, Parameter | Mapping | str):
        raise GraphError("An optimizer takes a list of parameters: model.parameters(), or [w, b].")
    if isinstance(params, set | frozenset):
        raise GraphError("An optimizer takes a list of parameters: a set has no lasting order.")
    return list(params)


def _described(group: Any) -> str:
    return "one without 'params'" if isinstance(group, Mapping) else f"a {type(group).__name__}"
