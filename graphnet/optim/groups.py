"""Parameter groups: what an optimizer accepts from a user, and how it is stored."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from graphnet.errors import GraphError, RangeError
from graphnet.graph import Parameter

Group = dict[str, Any]
"""A parameter group: its parameters, and its settings by name."""

Params = Iterable[Parameter] | Iterable[tuple[str, Parameter]] | Iterable[Group]
"""Parameters, pairs of a name and a parameter, or groups: {"params": [...], "lr": 0.1}."""

NOTES = {"name", "initial_lr", "param_names", "foreach", "fused", "capturable", "differentiable"}
"""What a group may hold besides the settings, as in torch, without effect here."""


def check_switches(kind: str, known: Collection[str], switches: Mapping[str, Any]) -> None:
    """Check what an optimizer is given besides its settings.

    Raises:
        TypeError: torch's optimizer of this name has no such argument.
        RangeError: two switches contradict each other, or differentiable is True.
    """
    for name in switches:
        if name not in known:
            raise TypeError(f"{kind}() got an unexpected keyword argument {name!r}")
    if switches.get("differentiable"):
        raise RangeError(
            "differentiable=True needs gradients of the update itself, which this optimizer "
            "does not compute. Its method `updated` appends the update to a graph instead."
        )
    if switches.get("fused") and switches.get("foreach"):
        raise RangeError("fused and foreach name two implementations: only one may be True.")


def grouped(params: Any) -> list[Any]:
    """What an optimizer is given, as a list of groups."""
    listed = _listed(params)
    return listed if listed and isinstance(listed[0], Mapping) else [{"params": listed}]


def completed(kind: str, group: Any, defaults: Mapping[str, Any]) -> Group:
    """A group with all settings; the user's dict is not changed.

    Raises:
        GraphError: it is not a group, or has an unknown setting.
    """
    if not isinstance(group, Mapping) or "params" not in group:
        given = "a dict without 'params'" if isinstance(group, Mapping) else _kind(group)
        raise GraphError(
            'A group must be a dict such as {"params": [w, b], "lr": 0.1}; '
            f"got {given}. Give either only groups, or only parameters."
        )
    for name in group:
        if name not in defaults and name not in NOTES and name != "params":
            known = ", ".join(defaults)
            raise GraphError(f"{kind} has no setting {name!r}; a group may have {known}.")
    given = group["params"]
    parameters, names = _unnamed([given] if isinstance(given, Parameter) else _listed(given))
    return {**defaults, **group, "params": parameters, **names}


def check_parameters(groups: list[Group]) -> None:
    """Check the parameters of all groups.

    Raises:
        GraphError: a group has none, one is not a parameter or occurs twice, or some have names
            and others do not.
    """
    for group in groups:
        if not isinstance(group.get("params"), list):
            raise GraphError(
                'A group of param_groups must have a list of parameters, "params"; got '
                f"{group.get('params')!r}. add_param_group completes missing settings."
            )
    parameters = [parameter for group in groups for parameter in group["params"]]
    for parameter in parameters:
        if not isinstance(parameter, Parameter):
            raise GraphError(
                f"An optimizer updates graphnet parameters; got {_kind(parameter)}. "
                "model.parameters() lists those of a module."
            )
    if len(set(parameters)) < len(parameters):
        raise GraphError("A parameter is given to the optimizer twice.")
    if len({"param_names" in group for group in groups}) > 1:
        raise GraphError("Either all groups name their parameters, or none: names are missing.")


def _listed(params: Any) -> list[Any]:
    if hasattr(params, "parameters"):
        raise GraphError("An optimizer takes the parameters of a model: model.parameters().")
    if not isinstance(params, Iterable) or isinstance(params, Parameter | Mapping | str):
        raise GraphError("An optimizer takes a list of parameters: model.parameters(), or [w, b].")
    if isinstance(params, set | frozenset):
        raise GraphError("An optimizer takes a list of parameters: a set has no fixed order.")
    return list(params)


def _unnamed(listed: list[Any]) -> tuple[list[Any], dict[str, list[str]]]:
    """Parameters and their names separately, from the pairs of `model.named_parameters()`."""
    pairs = [each for each in listed if isinstance(each, tuple)]
    if not pairs:
        return listed, {}
    if len(pairs) < len(listed) or any(len(pair) != 2 for pair in pairs):
        raise GraphError("Either all parameters are pairs (name, parameter), or none.")
    return [parameter for _, parameter in pairs], {"param_names": [name for name, _ in pairs]}


def _kind(value: object) -> str:
    origin = "torch's " if type(value).__module__.startswith("torch.") else ""
    return f"{origin}{type(value).__name__}"
