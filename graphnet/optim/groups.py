"""Groups of parameters: what a user may give to an optimizer, and what is kept of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, TypedDict

from graphnet.errors import GraphError, RangeError
from graphnet.graph import Parameter

Params = Iterable[Parameter] | Iterable[tuple[str, Parameter]] | Iterable[dict[str, Any]]
"""Parameters, pairs of a name and a parameter, or groups: {"params": [...], "lr": 0.1}."""

NOTES = {"name", "initial_lr", "param_names", "foreach", "fused", "capturable", "differentiable"}
"""What a group may hold beside the settings, as in torch; it changes nothing here."""


class Switches(TypedDict, total=False):
    """What chooses an implementation in torch: accepted for its sake, and without effect here.

    Only differentiable=True is refused: gradients of an update are not computed.
    """

    foreach: bool | None
    fused: bool | None
    capturable: bool
    differentiable: bool


def check_switches(kind: str, known: Collection[str], switches: Mapping[str, Any]) -> None:
    """Check what was given to an optimizer beside its settings.

    Raises:
        TypeError: torch's optimizer of this name has no such argument.
        RangeError: two switches contradict, or gradients of the update are asked for.
    """
    for name in switches:
        if name not in known:
            raise TypeError(f"{kind}() got an unexpected keyword argument {name!r}")
    if switches.get("differentiable"):
        raise RangeError(
            "differentiable=True asks for gradients of the update itself, which this optimizer "
            "does not give. Its method `updated` appends the update to a graph instead."
        )
    if switches.get("fused") and switches.get("foreach"):
        raise RangeError("fused and foreach name two implementations: not both are True.")


def grouped(params: Any) -> list[Any]:
    """What was given to an optimizer, as a list of groups."""
    listed = _listed(params)
    return listed if listed and isinstance(listed[0], Mapping) else [{"params": listed}]


def completed(kind: str, group: Any, defaults: Mapping[str, Any]) -> dict[str, Any]:
    """A group with all settings, without touching the dict of the user.

    Raises:
        GraphError: it is no group, or has a setting that is not known.
    """
    if not isinstance(group, Mapping) or "params" not in group:
        came = "one without 'params'" if isinstance(group, Mapping) else f"a {_kind(group)}"
        raise GraphError(
            'A group is a dict such as {"params": [w, b], "lr": 0.1}; '
            f"{came} came. All groups are given as such, or none."
        )
    for name in group:
        if name not in defaults and name not in NOTES and name != "params":
            known = ", ".join(defaults)
            raise GraphError(f"{kind} has no setting {name!r}; a group may have {known}.")
    given = group["params"]
    parameters, names = _unnamed([given] if isinstance(given, Parameter) else _listed(given))
    return {**defaults, **group, "params": parameters, **names}


def check_parameters(groups: list[dict[str, Any]]) -> None:
    """Check the parameters of all groups.

    Raises:
        GraphError: a group has none, one is no parameter or is there twice, or some have names and
            others have not.
    """
    for group in groups:
        if not isinstance(group.get("params"), list):
            raise GraphError(
                'A group of param_groups has its parameters as a list, "params"; got '
                f"{group.get('params')!r}. add_param_group completes what is left out."
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
        raise GraphError("All groups name their parameters, or none does: some names are missing.")


def _listed(params: Any) -> list[Any]:
    if hasattr(params, "parameters"):
        raise GraphError("An optimizer takes the parameters of a model: model.parameters().")
    if not isinstance(params, Iterable) or isinstance(params, Parameter | Mapping | str):
        raise GraphError("An optimizer takes a list of parameters: model.parameters(), or [w, b].")
    if isinstance(params, set | frozenset):
        raise GraphError("An optimizer takes a list of parameters: a set has no lasting order.")
    return list(params)


def _unnamed(listed: list[Any]) -> tuple[list[Any], dict[str, list[str]]]:
    """Parameters apart from their names, as `model.named_parameters()` pairs them."""
    pairs = [each for each in listed if isinstance(each, tuple)]
    if not pairs:
        return listed, {}
    if len(pairs) < len(listed) or any(len(pair) != 2 for pair in pairs):
        raise GraphError("All parameters come as pairs (name, parameter), or none does.")
    return [parameter for _, parameter in pairs], {"param_names": [name for name, _ in pairs]}


def _kind(value: object) -> str:
    origin = "torch's" if type(value).__module__.startswith("torch.") else "a"
    return f"{origin} {type(value).__name__}"
