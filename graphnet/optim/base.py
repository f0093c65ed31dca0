"""The base class of optimizers: parameter groups with settings, and steps on flat tensors.

The parameters are moved into one flat buffer, and their gradients into another, so that an update
is a handful of tensor operations however many layers there are. Formulas, names and defaults are
those of `torch.optim`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from graphnet.errors import GraphError, counted
from graphnet.graph.flat_parameters import flatten_parameters
from graphnet.graph.guards import Uninterrupted
from graphnet.graph.parameter import clear_gradients
from graphnet.optim.buckets import Bucket, Bucketing
from graphnet.optim.functionalize import without_writing
from graphnet.optim.groups import check_parameters, check_switches, completed, grouped
from graphnet.optim.settings import LearningRate, Setting, learning_rate
from graphnet.optim.state import read_state, write_state

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.graph import Parameter
    from graphnet.optim.groups import Group, Params

Loss = Any
"""The result of the closure of a step."""


class Optimizer:
    """The base class of optimizers; a subclass names its `slots` and defines `update`.

    Args:
        params: the parameters to update, or a list of groups: `{"params": [...], "lr": 0.1}`.
        lr: the learning rate of groups without their own.
        switches: torch's implementation switches: accepted for compatibility, without effect here;
            only differentiable=True is refused, since gradients of an update are not computed.
        settings: further settings, by name, of groups without their own.

    Attributes:
        param_groups: for each group a dict of its parameters and settings; settings may be edited
            before any step, which then checks them.
        lr: the learning rate of the first group; assigning sets that of all groups, whereas
            `schedules.set_lr` keeps their ratio.

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
    """The names of the state for each element of the parameters, such as its momentum."""

    scalars: tuple[str, ...] = ()
    """The slots that are one number for each parameter."""

    switches: tuple[str, ...] = ("foreach", "differentiable", "capturable", "fused")
    """The implementation switches of torch's optimizer of this name."""

    step_in_state: bool = True
    """True if `state_dict` holds the number of steps of each parameter."""

    state_from_start: bool = False
    """True if `state_dict` holds parameters before their first step."""

    lr = LearningRate(learning_rate)
    _rules: ClassVar[dict[str, Setting[Any]]] = {"lr": lr}

    def __init_subclass__(cls) -> None:
        cls._rules = {
            name: member
            for base in reversed(cls.__mro__)
            for name, member in vars(base).items()
            if isinstance(member, Setting)
        }

    def __init__(
        self, params: Params, lr: float, switches: Mapping[str, Any] | None = None, **settings: Any
    ) -> None:
        check_switches(type(self).__name__, self.switches, switches or {})
        self.defaults: dict[str, Any] = {"lr": lr, **settings}
        self.check_group(self.defaults)
        self.param_groups: list[dict[str, Any]] = []
        self._bucketing = Bucketing(self, {}, {})
        groups = [self._completed(group) for group in grouped(params)]
        self.check_groups(groups)
        if not any(group["params"] for group in groups):
            raise GraphError("An optimizer needs at least one parameter; the list is empty.")
        self.param_groups = groups
        flatten_parameters(self.parameters)

    def __repr__(self) -> str:
        first = self.param_groups[0]
        settings = ", ".join(f"{name}={first[name]}" for name in self.defaults)
        count = counted(len(self.parameters), "parameter")
        return f"<{type(self).__name__} of {count}: {settings}>"

    # what a subclass defines; `*_: Any, **state: Any`: type checkers let it name its state

    def update(
        self, group: Group, step: int, value: Tensor, grad: Tensor, *_: Any, **state: Any
    ) -> None:
        """Change the flat `value` in place, by methods of tensors.

        Args:
            group: the settings of these parameters, such as `group["lr"]`, and the `numbers`.
            step: the number of this step, from 1.
            value: the values of some parameters, concatenated.
            grad: their gradients, which must not be changed.
            state: the state, by the names of `slots_of`, to be changed in place.
        """
        raise GraphError(f"{type(self).__name__} has no update method: an optimizer defines one.")

    def numbers(self, group: Group, step: int, *_: Any, **scalars: Any) -> dict[str, Any]:
        """The numbers of an update that change between steps; `update` finds them in `group`.

        All that follows from the settings and the step belongs here, so that the update itself
        does not depend on the step. The learning rate is one of these numbers.

        Args:
            group: the settings.
            step: the number of this step, from 1.
            scalars: the state that is one number, to be changed in place.
        """
        return {"lr": float(group["lr"])}

    def slots_of(self, group: Group) -> tuple[str, ...]:
        """The slots that the settings of a group need; all, if not overridden."""
        return self.slots

    def first_value(self, group: Group, name: str) -> float:
        """The value of a slot before the first step; 0, if not overridden."""
        return 0.0

    def counts(self, group: Group) -> bool:
        """True if the steps of a group are counted; always, if not overridden."""
        return True

    def check_group(self, group: Group) -> None:
        """Check the settings of a group; called again after they are edited.

        Raises:
            RangeError: a setting is out of its range.
        """
        for name, setting in self._rules.items():
            if name not in group:
                raise GraphError(f"A group of {type(self).__name__} needs the setting {name!r}.")
            group[name] = setting.rule(name, group[name])

    # what a user calls

    @property
    def parameters(self) -> list[Parameter]:
        """The parameters of all groups."""
        return [parameter for group in self.param_groups for parameter in group["params"]]

    def add_param_group(self, param_group: Group) -> None:
        """Add parameters, with the settings that differ from the optimizer's defaults.

        Raises:
            GraphError: a parameter is already in a group, or a setting is unknown.
            RangeError: a setting is out of its range.
        """
        group = self._completed(param_group)
        self.check_groups([*self.param_groups, group])
        self.param_groups.append(group)
        flatten_parameters(group["params"])

    def step(self, closure: Callable[[], Loss] | None = None) -> Loss:
        """Update each parameter by its gradient, unless it is frozen.

        A parameter without a gradient, or whose gradient a step has already used, is left alone:
        neither weight decay nor momentum moves it, and no step is counted for it.

        Args:
            closure: computes the loss and the gradients, and returns the loss; called first.

        Returns:
            The result of the closure; None without one.

        Raises:
            GraphError: the closure cannot be called.
            RangeError: a setting was edited and is out of its range; nothing was updated.
        """
        loss = None if closure is None else _called(closure)
        buckets = self.prepared()
        with Uninterrupted():
            for bucket in buckets:
                self._update(bucket)
        return loss

    def _update(self, bucket: Bucket) -> None:
        group, before = bucket.group, bucket.mark()
        step = bucket.steps + self.counts(group)
        numbers = self.numbers(group, step, **bucket.scalars)
        self.update({**group, **numbers}, step, bucket.value, bucket.grad, **bucket.state)
        bucket.stepped(
            step, bucket.arena.writes - before[0]
        )  # an update that raises is not counted

    def prepared(self, updated: Collection[Parameter] | None = None) -> list[Bucket]:
        """The buckets that a step updates.

        Args:
            updated: the parameters whose gradient is used; if None, all that have one now.

        Raises:
            RangeError: a setting was edited and is out of its range.
        """
        whole = self._bucketing.current()
        if updated is None:
            if all(map(Bucket.is_fresh, whole)):
                return whole
            updated = {each for bucket in whole for each in bucket.parameters if each.fresh}
        return self._bucketing.of(updated)

    def buckets(self) -> list[Bucket]:
        """All buckets: the same list until parameters move, or a step splits them.

        Raises:
            RangeError: a setting was edited and is out of its range.
        """
        return self._bucketing.current()

    @property
    def edits(self) -> int:
        """How often edited settings were detected."""
        return self._bucketing.edits

    def updated(
        self, group: Group, step: Any, value: Any, grad: Any, **state: Any
    ) -> tuple[Any, dict[str, Any]]:
        """The result of `update` on tensors or nodes of any shape, as new ones: nothing is written.

        The numbers in `group`, and `step`, may be nodes of the shape ().

        Returns:
            The new values, and the new state by name.

        >>> import graphnet as gn
        >>> from torch import empty
        >>> with gn.Graph() as graph:
        ...     w, g = gn.Input((2,), name="w"), gn.Input((2,), name="g")
        ...     lr = gn.Input((), name="lr")
        ...     sgd = gn.SGD([gn.Parameter(empty(1))])
        ...     new, _ = sgd.updated({**sgd.defaults, "lr": lr}, 1, w, g)
        >>> graph.forward(w=empty(2).fill_(3), g=empty(2).fill_(1), lr=empty(()).fill_(0.5))
        tensor([2.5000, 2.5000])
        """
        return without_writing(self.update, group, step, value, grad, state)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop all gradients. `graph.backward` does not need this: it starts afresh.

        Args:
            set_to_none: False to set gradients to zero instead; a step then still moves the
                parameters by weight decay and momentum.
        """
        clear_gradients(self.parameters, set_to_none)

    def state_dict(self) -> dict[str, Any]:
        """Copies of all that is needed to continue later, in the layout of `torch.optim`.

        `{"state": {index: {"step": ..., "exp_avg": ...}}, "param_groups": [{"lr": ...,
        "params": [0, 1]}]}`, so that it moves to the optimizer of the same name in torch.
        """
        return write_state(self, *self._bucketing.portable())

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from a state of `state_dict` or of torch: load all of it, or nothing.

        Raises:
            LoadError: the state does not fit; the message lists every difference.
        """
        groups, memories, counts = read_state(self, state_dict)
        for group, settings in zip(self.param_groups, groups, strict=True):
            group.pop("initial_lr", None)  # a schedule's start is that of the state, if any
            group.update(settings)
        self._bucketing = Bucketing(self, memories, counts)

    # groups

    def _completed(self, group: Any) -> Group:
        return completed(type(self).__name__, group, self.defaults)

    def check_groups(self, groups: list[Group]) -> None:
        """Check settings and parameters of all groups."""
        check_parameters(groups)
        for group in groups:
            self.check_group(group)

    def __getstate__(self) -> dict[str, Any]:
        """What is copied and pickled; the buckets are found again, with the copied arenas."""
        return {**vars(self), "_bucketing": self._bucketing.portable()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        memories, counts = state.pop("_bucketing")
        vars(self).update(state)
        self._bucketing = Bucketing(self, memories, counts)


def _called(closure: Any) -> Loss:
    if not callable(closure):
        kind = type(closure).__name__
        raise GraphError(f"step takes a function that computes the loss, or nothing; got {kind}.")
    return closure()
