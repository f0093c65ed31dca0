"""The update of a parameter of any size, for networks that a page makes by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import zeros

from graphnet.compile.targets.js.assemble import Assembly, Task
from graphnet.compile.targets.js.open_batch import SIZES, opened
from graphnet.compile.targets.js.program import PrintedProgram, function_text
from graphnet.errors import GraphError
from graphnet.graph import Graph

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from graphnet.optim.base import Optimizer

NAME = "parameter"
"""The key of the parameter in the state of the program; "parameter/step" is of the optimizer."""


def printed_update(optimizer: Optimizer, name: str = "createUpdate") -> PrintedProgram:
    """The update of one parameter by an optimizer, as a function of its number of elements.

    The program has one entry in `update`; its gradient is `gradients[0]`.

    Args:
        optimizer: whose first group has the settings.
        name: of the function.

    Raises:
        GraphError: the update has no form in JavaScript that fits all sizes.

    >>> import graphnet as gn
    >>> sgd = gn.SGD(gn.Linear(2, 3).parameters(), lr=0.1)
    >>> printed_update(sgd).create.splitlines()[1]
    'function createUpdate(batch, state) {'
    """
    made = [_assembly(optimizer, size) for size in SIZES]
    body = opened(["\n".join(each.lines) for each in made])
    if body is None:
        raise GraphError(f"The update of {type(optimizer).__name__} differs from size to size.")
    create = function_text(
        f"the update of a parameter with `batch` elements by {type(optimizer).__name__}",
        f"{name}(batch, state)",
        body,
    )
    first = made[0]
    used = frozenset(first.used)
    return PrintedProgram(
        create, used, (), first.parameters, first.state, first.settings, True, SIZES[0]
    )


def _assembly(optimizer: Optimizer, size: int) -> Assembly:
    """A list of one parameter, which the same kind of optimizer updates."""
    graph = Graph()
    parameter = graph.parameter(zeros(size), name=NAME)
    group: Mapping[str, Any] = optimizer.param_groups[0]
    settings = {key: value for key, value in group.items() if key in optimizer.defaults}
    # A group holds all settings, also those that the constructor does not take, as of AdamW.
    own = type(optimizer)([{**settings, "params": [parameter]}], lr=settings["lr"])
    return Assembly(Task(graph, parameter, own, ()), {})
