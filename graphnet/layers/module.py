"""The base class of all layers: a part of a network with parameters of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from graphnet.errors import GraphError, StateError
from graphnet.graph import Node, Parameter
from graphnet.graph.entry import graph_of
from graphnet.graph.parameter import clear_gradients
from graphnet.layers.private import PrivateGraph
from graphnet.layers.state import load_state, refuse_plain_containers

if TYPE_CHECKING:
    from typing import Self

    from torch import Tensor

    from graphnet.draw.drawing import Drawing
    from graphnet.graph.nodelist import NodeList


class Module:
    """A part of a network: parameters, other modules, and `build`, which appends its operations.

    A subclass assigns its parameters and modules to attributes and writes `build`. They are found
    in the order of their definition.

    Called with nodes, a module appends its operations to their graph; calling it twice shares its
    weights. Called with tensors, it computes at once, as `forward` does, through a private graph.

    >>> import graphnet as gn
    >>> from torch import empty
    >>> class Double(gn.Module):
    ...     def build(self, x):
    ...         return x + x
    >>> Double().forward(empty(2).fill_(3))
    tensor([6., 6.])
    """

    training = True
    batch_dim = 0
    """The dimension of the inputs of `forward` whose size may change from call to call."""
    _private: PrivateGraph | None = None

    def build(self, *nodes: Any) -> Any:
        """Append the operations of this module, and return its output node or nodes."""
        way_out = "write build(self, x), which appends operations and returns the last one."
        if type(self).forward is not Module.forward:
            way_out = "rename its `forward` to `build`; forward() is made from it."
        raise GraphError(f"{type(self).__name__} has no build method: {way_out}")

    def __call__(self, *inputs: Any) -> Any:
        """Append to the graph of the nodes given; compute when given tensors."""
        if not any(isinstance(each, Node) for each in inputs):
            return self.forward(*inputs)
        return self.append_to(graph_of(inputs), *inputs)

    def append_to(self, graph: NodeList, *inputs: Any) -> Any:
        """Append the operations of this module to a graph, under the path of the module."""
        with graph, graph.scopes.inside(self._path_in(graph.scopes), owner=self):
            for name, parameter in self._own_parameters():
                graph.join(parameter, graph.scopes.path(name))
            return self.build(*inputs)

    def _path_in(self, scopes: Any) -> str:
        """The path of this module where it is called: the name its caller has for it."""
        default = type(self).__name__.lower()
        if not isinstance(scopes.owner, Module):
            return str(scopes.root(self, default))
        names = (name for name, module in scopes.owner.named_children() if module is self)
        return str(scopes.path(next(names, default)))

    def draw(self, *shapes: Any, **options: Any) -> Drawing:
        """A picture of this module on inputs of these shapes; the options of `Graph.draw`."""
        from graphnet.draw.picture import draw_module

        return draw_module(self, *shapes, **options)

    # the protocol of the course: tensors in, tensors out

    def forward(self, *tensors: Any) -> Any:
        """Compute the output for these tensors; a tuple for several outputs.

        Where `build` takes or returns tuples of nodes, such as the two states of an LSTM, so does
        `forward` of tensors.

        Raises:
            FeedError: something else than tensors came.
            ShapeError: the shapes do not fit this module.
        """
        if self._private is None or not self._private.fits(tensors):
            self._private = PrivateGraph(self, tensors)
        return self._private.forward(tensors)

    def backward(self, *gradwrtoutput: Any) -> Any:
        """Add to the gradients of the parameters, and return the gradients of the inputs.

        Args:
            gradwrtoutput: the gradient of the loss by each output of the last `forward`; may be
                left out where the output is one number.

        Returns:
            The gradient by the input, a tuple for several; None for an input of whole numbers.

        Raises:
            StateError: there was no `forward` before.
            ShapeError: the gradient has another shape than the output.
        """
        if self._private is None:
            raise StateError(
                f"{type(self).__name__}.backward comes after forward: there is no output yet whose "
                "gradient could flow back."
            )
        return self._private.backward(gradwrtoutput)

    def param(self) -> list[tuple[Tensor, Tensor]]:
        """The pairs (value, gradient) of the parameters that are learned; empty for most layers.

        A gradient that there is none of is zeros.
        """
        learned = (each for each in self.parameters() if each.requires_grad)
        return [(each.top, each.grad_memory) for each in learned]

    # what is inside

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules directly inside this one, by name, in the order of their definition."""
        return modules_among(self, vars(self))

    def _own_parameters(self) -> Iterator[tuple[str, Parameter]]:
        for name, value in vars(self).items():
            if isinstance(value, Parameter):
                yield name, value

    def named_modules(self) -> Iterator[tuple[str, Module]]:
        """This module and all modules inside it, by path, each once."""
        seen: set[Module] = set()
        for path, module in self._paths():
            if module not in seen:
                seen.add(module)
                yield path, module

    def _paths(self) -> Iterator[tuple[str, Module]]:
        """This module and all modules inside it, as often as they are named."""
        stack: list[tuple[str, Module]] = [("", self)]
        while stack:
            path, module = stack.pop()
            yield path, module
            children = [(f"{path}.{n}" if path else n, m) for n, m in module.named_children()]
            stack.extend(reversed(children))

    def modules(self) -> Iterator[Module]:
        """This module and all modules inside it, each once."""
        return (module for _, module in self.named_modules())

    def named_state(self) -> Iterator[tuple[str, Parameter]]:
        """All parameters and buffers by path, a shared one under each of its names, as in torch."""
        for path, module in self._paths():
            for name, parameter in module._own_parameters():
                yield f"{path}.{name}" if path else name, parameter

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """The parameters by path, without buffers, each once: `encoder.0.weight`."""
        seen: set[Parameter] = set()
        for name, parameter in self.named_state():
            if parameter not in seen and not parameter.is_buffer:
                seen.add(parameter)
                yield name, parameter

    def parameters(self) -> list[Parameter]:
        """The parameters, without buffers, in the order of their definition."""
        return [parameter for _, parameter in self.named_parameters()]

    # state

    def state_dict(self) -> dict[str, Tensor]:
        """A copy of every parameter and buffer, under torch's names and in torch's shapes."""
        return {name: parameter.top.clone() for name, parameter in self.named_state()}

    def load_state_dict(self, state: Mapping[str, Tensor], strict: bool = True) -> None:
        """Copy values into the parameters and buffers: all of them, or none if any does not fit.

        Args:
            state: tensors by name, such as the `state_dict` of the same network in torch.nn.
            strict: False to leave out names that only one side has.

        Raises:
            LoadError: names, shapes or number types differ; the message lists every difference.
        """
        load_state(dict(self.named_state()), state, strict)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop the gradients of all parameters, or with `set_to_none=False` set them to zero."""
        clear_gradients(self.parameters(), set_to_none)

    def requires_grad_(self, flag: bool = True) -> Self:
        """Freeze all parameters (False), or free them."""
        for parameter in self.parameters():
            parameter.requires_grad = flag
        return self

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Change the number type of all floating parameters, or the device of all, in place."""
        for _, parameter in self.named_state():
            parameter.to(*args, **kwargs)
        return self

    def double(self) -> Self:
        """Change to float64."""
        for _, parameter in self.named_state():
            parameter.to(parameter.top.double().dtype)
        return self

    def float(self) -> Self:
        """Change to float32."""
        for _, parameter in self.named_state():
            parameter.to(parameter.top.float().dtype)
        return self

    def train(self, mode: bool = True) -> Self:
        """Set training mode, here and in all modules inside.

        `forward`, and each graph in which the module stands, follow it from the next walk on. A
        module inside may be set apart afterwards: `model.train(); model[1].eval()`.
        """
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Set evaluation mode, here and in all modules inside, as `train(False)`."""
        return self.train(False)

    def extra_repr(self) -> str:
        """The settings that the text of the module shows between its brackets."""
        return ""

    def __repr__(self) -> str:
        inside = [f"({name}): {module!r}" for name, module in self.named_children()]
        if not inside:
            return f"{type(self).__name__}({self.extra_repr()})"
        lines = "\n".join(inside).replace("\n", "\n  ")
        return f"{type(self).__name__}(\n  {lines}\n)"

    def __getstate__(self) -> dict[str, Any]:
        """What is copied and pickled: all but the private graph, which is made again."""
        return {name: value for name, value in vars(self).items() if name != "_private"}


def modules_among(owner: Module, attributes: Mapping[str, object]) -> Iterator[tuple[str, Module]]:
    """The attributes that are modules.

    Raises:
        GraphError: a plain list, tuple or dict holds modules, where they would not be found.
    """
    for name, value in attributes.items():
        if isinstance(value, Module):
            yield name, value
        else:
            refuse_plain_containers(owner, name, value)


def not_a_module(whole: str, came: object, several: str) -> GraphError:
    """The error for a part that is no module of graphnet; `several` is how to give many."""
    name = getattr(came, "__name__", type(came).__name__)
    kind = came if isinstance(came, type) else type(came)
    hint = ""
    if kind.__module__.startswith("torch.nn"):
        hint = f" It is of torch.nn: use graphnet.{name}."
    elif isinstance(came, type):
        hint = f" Write {name}()."
    elif isinstance(came, list | tuple):
        hint = f" For several of them write {several}."
    return GraphError(f"{whole} is made of modules; {name} came.{hint}")
