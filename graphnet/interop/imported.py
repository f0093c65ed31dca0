"""The module that an import gives: the modules of torch by name and class, and their steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from torch.utils import _pytree as pytree

from graphnet.errors import FeedError, GraphError, counted
from graphnet.graph import Graph, Input, Node, Operation, Parameter
from graphnet.graph.entry import graph_of
from graphnet.interop.rules import rule_for
from graphnet.interop.steps import Step, Steps, replaced
from graphnet.layers import Module

if TYPE_CHECKING:
    from graphnet.graph.nodelist import NodeList


class ImportedModule(Module):
    """A part of a torch module: parameters, buffers and modules under their names there.

    Its class has the name of torch's class.

    Attributes:
        origin: the Python module of torch's class.
        settings: what torch shows for it in parentheses.
        options: the arguments of a layer of torch.nn that it keeps.
        hooks: the calls on a layer that torch runs around it; empty for one that has no form.
        held: its contents by name.
    """

    options: Mapping[str, Any] = MappingProxyType({})
    hooks: Sequence[str] = ()

    def __init__(self, origin: str = "", settings: str = "") -> None:
        self.origin, self.settings = origin, settings
        self.held: dict[str, Module | Parameter] = {}

    def _contents(self) -> Iterable[tuple[str, Any]]:
        return self.held.items()

    def __getattr__(self, name: str) -> Any:
        held = vars(self).get("held", {})
        if name in held:
            return held[name]
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}.")

    def __getitem__(self, place: int | str) -> Any:
        """The module of a name, or of an index as in torch's Sequential and ModuleList."""
        name = str(place + len(self.held) if isinstance(place, int) and place < 0 else place)
        if name not in self.held:
            raise GraphError(f"{type(self).__name__} has no module {place!r}.")
        return self.held[name]

    def __len__(self) -> int:
        return len(self.held)

    def __bool__(self) -> bool:
        return True

    def _enter(self, graph: NodeList) -> None:
        """Start building; parameters are appended when they are read, so unused ones are not."""
        graph.scopes.enter(self._path_in(graph.scopes), self)

    def extra_repr(self) -> str:
        """The settings that torch shows."""
        return self.settings

    def __reduce__(self) -> tuple[Any, ...]:
        root = isinstance(self, ImportedModel)
        return _restored, (type(self).__name__, root), self.__getstate__()


@dataclass(frozen=True)
class Problem:
    """A step that has no form here, and why.

    Attributes:
        step: the step.
        why: what is missing; empty if the operation is unknown.
    """

    step: Step
    why: str = ""


class ImportedModel(ImportedModule):
    """A torch module as steps: calling it on nodes appends the operations of each.

    Attributes:
        steps: what it computes.
        examples: the shape, dtype and name of each input, with None for open dimensions.
        structure: the inputs, nested as torch's `forward` takes them.
        recorded_dtype: the floating dtype of the torch module.
    """

    steps: Steps
    examples: list[tuple[tuple[int | None, ...], Any, str]]
    structure: Any
    recorded_dtype: Any

    def build(self, *inputs: Any) -> Any:
        """Append the operations of the torch module; returns what it returns."""
        problems: list[Problem] = []
        outputs = self.append_steps(inputs, problems)
        if problems:
            step, why = problems[0].step, problems[0].why
            raise GraphError(f"{type(self).__name__}: {described(step)}: {why}")
        return outputs

    def append_steps(self, inputs: Sequence[Any], problems: list[Problem]) -> Any:
        """The same; what has no form here is added to the problems, and what reads it left out."""
        nodes = [each for each in pytree.tree_leaves(list(inputs)) if isinstance(each, Node)]
        if len(nodes) != len(self.examples):
            names = ", ".join(name for *_, name in self.examples)
            raise FeedError(
                f"{type(self).__name__} takes {counted(len(self.examples), 'tensor')} ({names}), "
                f"nested as in torch; got {len(nodes)}."
            )
        values = self._leaves(nodes)
        writer = _Writer(self, nodes[0].graph if nodes else _open_graph(), values)
        for step in self.steps.steps:
            problem = writer.write(step)
            problems += [] if problem is None else [problem]
        writer.leave()
        if any(number not in values for number in self.steps.returned):
            return None
        return self.steps.outputs_as(lambda ref: values[ref.number])

    def _in_plain(self, outputs: Any) -> Any:
        return outputs if self.steps.is_plain else tuple(pytree.tree_leaves(outputs))

    def _in_classes(self, values: Any) -> Any:
        form = pytree.tree_structure(self.steps.outputs)
        return values if self.steps.is_plain else pytree.tree_unflatten(values, form)

    def _leaves(self, nodes: Sequence[Any]) -> dict[int, Any]:
        """The inputs, parameters and constants by number."""
        inputs = {name: node for node, (*_, name) in zip(nodes, self.examples, strict=True)}
        state = dict(self.named_state())
        found = {}
        for number, leaf in self.steps.leaves.items():
            source = inputs if leaf.kind == "input" else state
            if leaf.name in source:
                found[number] = source[leaf.name]
        return found

    def as_graph(self) -> tuple[Graph, Any]:
        """A graph of this module alone, with an input for each example, and its outputs.

        >>> import graphnet as gn, torch
        >>> model = gn.from_torch(torch.nn.Linear(2, 3), torch.zeros(5, 2))
        >>> graph, y = model.as_graph()
        >>> graph.inputs, y.shape
        ([<input 0 'input' (?, 2)>], (None, 3))
        """
        with Graph() as graph:
            inputs = self.new_inputs()
            return graph, self.append_to(graph, *inputs)

    def new_inputs(self) -> tuple[Any, ...]:
        """New inputs in the current graph, nested as `forward` takes them."""
        now = {self.recorded_dtype: floating_dtype(self)}
        typed = [(shape, now.get(dtype, dtype), name) for shape, dtype, name in self.examples]
        nodes = [
            Input(shape, name=name, dtype=dtype, requires_grad=dtype.is_floating_point)
            for shape, dtype, name in typed
        ]
        return tuple(replaced(self.structure, lambda ref: nodes[ref.number]))


class _Writer:
    """Appends steps to a graph, each inside the modules that made it."""

    def __init__(self, model: ImportedModel, graph: NodeList, values: dict[int, Any]) -> None:
        self.model, self.graph, self.values = model, graph, values
        self.modules: dict[str, Any] = {}
        self.path: tuple[str, ...] = ()
        self.depth = len(graph.scopes._stack)

    def write(self, step: Step) -> Problem | None:
        """Append one step; returns what is wrong with it."""
        function = rule_for(step)
        if function is None:
            return Problem(step)
        if any(number not in self.values for number in step.refs):
            return None
        step = self._retyped(step)
        self._enter(step.path)
        args, kwargs = replaced((step.args, step.kwargs), lambda ref: self.values[ref.number])
        first = len(self.graph)
        try:
            self.values[step.number] = function(step, *args, **kwargs)
        except (GraphError, TypeError, AttributeError) as error:
            return Problem(step, str(error))
        if step.line:
            for node in self.graph[first:]:
                if isinstance(node, Operation):
                    node.line = step.line
        return None

    def _retyped(self, step: Step) -> Step:
        """A step in the dtype that the model has now, if it was converted after the import."""
        then, now = self.model.recorded_dtype, floating_dtype(self.model)
        if then is now or not (step.dtype is then or then in step.kwargs.values()):
            return step
        kwargs = {name: now if value is then else value for name, value in step.kwargs.items()}
        return replace(step, kwargs=kwargs, dtype=now if step.dtype is then else step.dtype)

    def _enter(self, path: tuple[str, ...]) -> None:
        """Leave the calls of modules that have ended, and enter those that have begun."""
        shared = 0
        while shared < min(len(path), len(self.path)) and path[shared] == self.path[shared]:
            shared += 1
        del self.graph.scopes._stack[self.depth + shared :]
        for call in path[shared:]:
            self._module(call.partition("@")[0])._enter(self.graph)
        self.path = path

    def _module(self, path: str) -> Any:
        if path not in self.modules:
            module: Any = self.model
            for name in path.split("."):
                module = module.held[name]
            self.modules[path] = module
        return self.modules[path]

    def leave(self) -> None:
        """Leave all modules."""
        self._enter(())


def floating_dtype(module: Module) -> Any:
    """The dtype of the first floating parameter or buffer that is no constant; None if none is."""
    state = (each for _, each in module.named_state() if each.dtype.is_floating_point)
    return next((each.dtype for each in state if each.persistent), None)


def described(step: Step) -> str:
    """A step as messages name it: the operation, the module around it, and the user's line."""
    inside = f" in {step.path[-1].partition('@')[0]}" if step.path else ""
    return f"{step.target}{inside}{f' at {step.line}' if step.line else ''}"


def class_named(name: str, root: bool = False) -> type[ImportedModule]:
    """The class of the imported modules of one class of torch."""
    base = ImportedModel if root else ImportedModule
    if (name, root) not in _CLASSES:
        _CLASSES[name, root] = type(name, (base,), {"__doc__": f"torch's {name}, imported."})
    return _CLASSES[name, root]


_CLASSES: dict[tuple[str, bool], type[Any]] = {}


def _restored(name: str, root: bool) -> ImportedModule:
    """An imported module before its state is set, for copies and pickles."""
    made = class_named(name, root)
    return made.__new__(made)


def _open_graph() -> Any:
    with suppress(GraphError):
        return graph_of(())
    raise GraphError("A module without inputs needs a graph: with graphnet.Graph() as graph: ...")
