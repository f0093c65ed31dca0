"""The base class of all layers: a part of a network with its own parameters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, overload

from torch import empty

from graphnet.errors import GraphError, StateError
from graphnet.graph import Node, Parameter
from graphnet.graph.entry import graph_of
from graphnet.graph.parameter import clear_gradients
from graphnet.layers.computed import Computed
from graphnet.layers.nesting import Nested, leaves, returned
from graphnet.layers.private import PrivateGraph
from graphnet.layers.state import load_state, refuse_plain_containers
from graphnet.layers.tree import Changes, Ways, by_every_name, each_once, text_of
from graphnet.layers.unlisted_parameters import warn_of_strays

if TYPE_CHECKING:
    from typing import Self

    from torch import Tensor

    from graphnet.draw.drawing import Drawing
    from graphnet.graph.naming import Scopes
    from graphnet.graph.nodelist import NodeList
    from graphnet.layers.signatures import Builds, P, R_co
    from graphnet.listing.summary import Summary

    Tensors = Tensor | tuple[Any, ...] | list[Any] | dict[str, Any]


class Module(Computed, Nested):
    """A part of a network: parameters, other modules, and `build`, which appends its operations.

    A subclass assigns its parameters and modules to attributes and defines `build`. They are found
    in definition order.

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
    """The dimension of the inputs of `forward` whose size may differ between calls."""
    writes_equals_once = False
    """True for a list of modules: `repr` writes equal neighbours once, with their number."""
    _private: PrivateGraph | None = None

    def __setattr__(self, name: str, value: object) -> None:
        if isinstance(value, Module):
            Changes.add()
        super().__setattr__(name, value)

    # `*nodes: Any, **options: Any`: type checkers let a subclass name its own arguments.
    def build(self, *nodes: Any, **options: Any) -> Any:
        """Append the operations of this module, and return its output node or nodes."""
        way_out = "define build(self, x), which appends operations and returns the last one."
        if type(self).forward is not Module.forward:
            way_out = "rename its `forward` to `build`; forward() is made from it."
        raise GraphError(f"{type(self).__name__} has no build method: {way_out}")

    @overload  # tensors first: a `build` without types takes them too, and the first fit counts
    def __call__(self: Builds[..., Node], *inputs: Tensor) -> Tensor: ...  # type: ignore[overload-overlap]
    @overload
    def __call__(self: Builds[..., tuple[Node, ...]], *inputs: Tensor) -> tuple[Tensor, ...]: ...
    @overload
    def __call__(self, *inputs: Tensors, **named: Any) -> Any: ...
    @overload
    def __call__(self: Builds[P, Node], *inputs: P.args, **named: P.kwargs) -> Node: ...
    @overload
    def __call__(self: Builds[P, R_co], *inputs: P.args, **named: P.kwargs) -> R_co: ...
    def __call__(self, *inputs: Any, **named: Any) -> Any:
        """Append to the graph of the given nodes; compute when given tensors."""
        given = leaves((inputs, named))
        if not any(isinstance(each, Node) for each in given):
            return self.forward(*inputs, **named)
        return self.append_to(graph_of(tuple(given)), *inputs, **named)

    def append_to(self, graph: NodeList, *inputs: Any, **named: Any) -> Any:
        """Append the operations of this module to a graph, under the path of the module.

        Warns of parameters that are used but not listed by `parameters`.
        """
        outermost, first = not isinstance(graph.scopes.owner, Module), len(graph)
        with graph, graph.scopes.restored():
            self._enter(graph)
            outputs = returned(self.build(*inputs, **named), self)
            if outermost:
                warn_of_strays(self, graph, first, leaves((inputs, named)))
        return outputs

    def _enter(self, graph: NodeList) -> None:
        """Start building: nodes appended from now on are this module's."""
        graph.scopes.enter(self._path_in(graph.scopes), self)
        for name, parameter in self._own_parameters():
            graph.join(parameter, graph.scopes.path(name))

    def _path_in(self, scopes: Scopes) -> str:
        """The path of this module in its caller."""
        default, scope = type(self).__name__.lower(), scopes.scope
        if not isinstance(scope.owner, Module):
            return scopes.root(self, default)
        scope.ways = scope.ways or Ways(scope.owner)
        path = scope.path
        for name, module in scope.ways.to(self) or [(default, self)]:
            path = scopes.claim(f"{path}.{name}" if path else name, module)
        return path

    def draw(self, *shapes: Any, **options: Any) -> Drawing:
        """Draw this module on inputs of these shapes, with the options of `Graph.draw`."""
        from graphnet.draw.picture import draw_module

        return draw_module(self, *shapes, **options)

    def summary(self, *inputs: Any, depth: int | None = None) -> Summary:
        """Settings, shapes, parameters, arithmetic and memory of each module inside, as a table.

        Args:
            inputs: the shape of each input, such as (1, 3, 224, 224), or a tensor like it.
            depth: how many levels of modules get rows; None for all.
        """
        from graphnet.listing.summary import summary_of

        return summary_of(self, inputs, depth)

    # the protocol of the course: tensors in, tensors out

    @overload
    def forward(self: Builds[..., Node], *tensors: Tensor) -> Tensor: ...
    @overload
    def forward(self: Builds[..., tuple[Node, ...]], *tensors: Tensor) -> tuple[Tensor, ...]: ...
    @overload
    def forward(self, *tensors: Tensors, **named: Any) -> Any: ...
    def forward(self, *tensors: Any, **named: Any) -> Any:
        """Compute the output for these tensors; a tuple for several outputs.

        If `build` takes or returns tuples, lists or dicts of nodes, such as the two states of an
        LSTM, `forward` takes or returns those of tensors. Keyword arguments are passed by name;
        flags, numbers and strings among them are settings.

        Raises:
            FeedError: an argument is not a tensor.
            ShapeError: the shapes do not fit this module.
        """
        if self._private is None or not self._private.fits(tensors, named):
            self._private = PrivateGraph(self, tensors, named)
        return self._private.forward(tensors, named)

    def backward(self, *gradwrtoutput: Any) -> Any:
        """Add to the gradients of the parameters, and return the gradients of the inputs.

        Args:
            gradwrtoutput: the gradient of the loss by each output of the last `forward`; may be
                left out if the output is one number.

        Returns:
            The gradient by the input, a tuple for several; None for an integer input. Those by
            keyword arguments come last, as a dict.

        Raises:
            StateError: `forward` was not called before.
            ShapeError: the gradient differs in shape from the output.
        """
        if self._private is None:
            raise StateError(
                f"{type(self).__name__}.backward comes after forward: there is no output yet whose "
                "gradient could flow back."
            )
        return self._private.backward(gradwrtoutput)

    def param(self) -> list[tuple[Tensor, Tensor]]:
        """The pairs (value, gradient) of the parameters that are learned; empty for most layers.

        A missing gradient is returned as zeros.
        """
        learned = (each for each in self.parameters() if each.requires_grad)
        return [(each.top, each.grad_memory) for each in learned]

    # what is inside

    def _contents(self) -> Iterable[tuple[str, Any]]:
        """Its contents by name: its attributes, and the items of a container."""
        return vars(self).items()

    def _child(self, name: str) -> object:
        """Its content under one name; None if there is none."""
        held = vars(self).get(name)
        return dict(self.named_children()).get(name) if held is None else held

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules directly inside this one, by name, in definition order.

        Raises:
            GraphError: an attribute is a plain list, tuple, dict, set or deque of modules or
                parameters, which would not be found.
        """
        for name, value in self._contents():
            if isinstance(value, Module):
                yield name, value
            else:
                refuse_plain_containers(self, name, value)

    def _own_parameters(self) -> Iterator[tuple[str, Parameter]]:
        for name, value in self._contents():
            if isinstance(value, Parameter):
                yield name, value

    def named_modules(self) -> Iterator[tuple[str, Module]]:
        """This module and all modules inside it, by path, each once."""
        return iter(each_once(self))

    def modules(self) -> Iterator[Module]:
        """This module and all modules inside it, each once."""
        return (module for _, module in self.named_modules())

    def named_state(self) -> Iterator[tuple[str, Parameter]]:
        """All parameters and buffers by path, shared ones under each of their names, as in torch.

        Modules that hold each other in a circle are walked once.
        """
        for path, module in by_every_name(self):
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
        """The parameters, without buffers, in definition order."""
        return [parameter for _, parameter in self.named_parameters()]

    # state

    def state_dict(self) -> dict[str, Tensor]:
        """A copy of every parameter and buffer, under torch's names and in torch's shapes.

        Buffers made with `persistent=False` are left out.
        """
        return {name: parameter.top.clone() for name, parameter in self._persistent_state()}

    def load_state_dict(self, state: Mapping[str, Tensor], strict: bool = True) -> None:
        """Copy values into the parameters and buffers: all of them, or none if one does not fit.

        Args:
            state: tensors by name, such as the `state_dict` of the same network in torch.nn.
            strict: False to ignore names that only one side has.

        Raises:
            LoadError: names, shapes or dtypes differ; the message lists every difference.
        """
        load_state(dict(self._persistent_state()), state, strict)

    def _persistent_state(self) -> Iterator[tuple[str, Parameter]]:
        return ((name, each) for name, each in self.named_state() if each.persistent)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop the gradients of all parameters, or with `set_to_none=False` set them to zero."""
        clear_gradients(self.parameters(), set_to_none)

    def requires_grad_(self, flag: bool = True) -> Self:
        """Freeze all parameters (False), or unfreeze them."""
        for parameter in self.parameters():
            parameter.requires_grad = flag
        return self

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Change the dtype of all floating parameters, or the device of all, in place."""
        for _, parameter in self.named_state():
            parameter.to(*args, **kwargs)
        return self

    def double(self) -> Self:
        """Change to float64."""
        return self.to(empty(0).double().dtype)

    def float(self) -> Self:
        """Change to float32."""
        return self.to(empty(0).float().dtype)

    def train(self, mode: bool = True) -> Self:
        """Set training mode, here and in all modules inside.

        `forward`, and each graph that contains the module, follow it from the next walk on. A
        submodule may be set separately afterwards: `model.train(); model[1].eval()`.
        """
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Set evaluation mode, here and in all modules inside, as `train(False)`."""
        return self.train(False)

    def extra_repr(self) -> str:
        """The settings that `repr` shows in parentheses."""
        return ""

    def __repr__(self) -> str:
        return text_of(self, Module.__repr__)

    def __getstate__(self) -> dict[str, Any]:
        """What is copied and pickled: all except the private graph, which is rebuilt."""
        return {name: value for name, value in vars(self).items() if name != "_private"}
