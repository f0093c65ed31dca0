"""A training step of one network in JAX: one compiled function that may overwrite its arguments.

Images may have their channels first or last, and pooling may reduce windows or a reshaped tensor:
each is a separate form, and the fastest takes part.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
from jax import lax

from graphnet.bench.contestants import SEVERAL, Contestant

if TYPE_CHECKING:
    from graphnet.bench.networks import Network, Workload

VERSION = f"jax {jax.__version__}"
Values = dict[str, Any]


def jax_jit(workload: Workload, scan: bool = False) -> list[Contestant]:
    """Each form of the step; with `scan`, several steps are one compiled loop."""
    network = workload.network
    forms = list(product((True, False), (True, False))) if network.images else [(False, True)]
    return [Form(network, *form).contestant(workload, scan) for form in forms]


class Form:
    """One way to write the network.

    Args:
        network: what is trained.
        last: the channels of images come last.
        windows: pooling reduces windows; if not, a tensor with a dimension for each window.
    """

    def __init__(self, network: Network, last: bool, windows: bool) -> None:
        self.network, self.last, self.windows = network, last, windows

    def contestant(self, workload: Workload, scan: bool) -> Contestant:
        """The step, with its parameters and state on the device of JAX."""
        order = (0, 2, 3, 1) if self.last else (0, 1, 2, 3)
        xs = [x.permute(order) if x.ndim == 4 else x for x in workload.xs]
        inputs, targets = ([jnp.array(each.numpy()) for each in some] for some in (xs, workload.ts))
        given = {name: jnp.array(value.numpy()) for name, value in workload.start.items()}
        values = self.moved_in(given)
        move_out = jax.linear_transpose(self.moved_in, given)  # of a permutation: its inverse
        blank = {name: jnp.zeros_like(value) for name, value in values.items()}
        moments = [blank, {name: value.copy() for name, value in blank.items()}]
        if self.network.optimizer == "sgd":
            moments.pop()
        held: list[Any] = [values, (jnp.zeros(()), moments)]
        update = jax.jit(self.steps if scan else self.step, donate_argnums=(0, 1))
        if scan:
            repeated = SEVERAL // len(xs)
            inputs, targets = ([jnp.stack(each * repeated)] * len(xs) for each in (inputs, targets))

        def step(number: int) -> Any:
            held[0], held[1], loss = update(*held, inputs[number], targets[number])
            return loss

        note = ("NHWC" if self.last else "NCHW") + (
            ", pooling by windows" if self.windows else ", pooling by reshaping"
        )
        return Contestant(
            step,
            lambda: jax.device_get(move_out(held[0])[0]),
            note if self.network.images else "",
            lambda: jax.block_until_ready(held),
            SEVERAL if scan else 1,
        )

    def steps(self, values: Values, state: Any, xs: Any, ts: Any) -> tuple[Values, Any, Any]:
        """Several steps: the first dimension counts them."""

        def one(held: tuple[Values, Any], batch: tuple[Any, Any]) -> Any:
            values, state, loss = self.step(*held, *batch)
            return (values, state), loss

        (values, state), losses = lax.scan(one, (values, state), (xs, ts))
        return values, state, losses

    def step(self, values: Values, state: Any, x: Any, t: Any) -> tuple[Values, Any, Any]:
        """Loss, gradients and update."""
        loss, grads = jax.value_and_grad(self.loss)(values, x, t)
        count, moments = state
        update = sgd if self.network.optimizer == "sgd" else adam
        values, moments = update(values, grads, moments, count + 1, self.network.rate)
        return values, (count + 1, moments), loss

    def loss(self, values: Values, x: Any, t: Any) -> Any:
        """The mean loss of a batch."""
        for place, layer in enumerate(self.network.layers):
            if layer.weight:
                weight, bias = values[f"{place}.weight"], values[f"{place}.bias"]
                x = x @ weight + bias if layer.kind == "Linear" else self.conv(x, weight, bias)
            elif layer.kind == "MaxPool2d":
                x = self.pool(x)
            elif layer.kind == "Flatten":
                x = x.reshape(len(x), -1)
            else:
                x = jax.nn.relu(x) if layer.kind == "ReLU" else jnp.tanh(x)
        if self.network.loss == "mse":
            return ((x - t) ** 2).mean()
        return -jnp.take_along_axis(jax.nn.log_softmax(x), t[:, None], 1).mean()

    def conv(self, x: Any, weight: Any, bias: Any) -> Any:
        """A convolution without padding."""
        names = ("NHWC", "HWIO", "NHWC") if self.last else ("NCHW", "OIHW", "NCHW")
        y = lax.conv_general_dilated(x, weight, (1, 1), "VALID", dimension_numbers=names)
        return y + (bias if self.last else bias[:, None, None])

    def pool(self, x: Any) -> Any:
        """The maximum of 2x2 windows."""
        height = 1 if self.last else 2
        if self.windows:
            window = tuple(2 if height <= dim <= height + 1 else 1 for dim in range(4))
            return lax.reduce_window(x, -jnp.inf, lax.max, window, window, "VALID")
        sizes = list(x.shape)
        sizes[height : height + 2] = [sizes[height] // 2, 2, sizes[height + 1] // 2, 2]
        return x.reshape(sizes).max((height + 1, height + 3))

    def moved_in(self, start: Values) -> Values:
        """Parameters of torch.nn in the order of this form: a permutation of their numbers."""
        moved, shape, flattened = dict(start), self.network.sample, None
        for place, layer in enumerate(self.network.layers):
            if layer.kind == "Flatten":
                flattened = shape
            elif layer.weight:
                moved[f"{place}.weight"] = self._weight_in(start[f"{place}.weight"], flattened)
                flattened = None
            shape = layer.after(shape)
        return moved

    def _weight_in(self, weight: Any, flattened: tuple[int, ...] | None) -> Any:
        """The weight after a flattening knows the shape of its channels."""
        if weight.ndim == 4:
            return weight.transpose(2, 3, 1, 0) if self.last else weight
        if flattened and self.last:
            parts = weight.reshape(len(weight), *flattened)
            weight = parts.transpose(0, 2, 3, 1).reshape(len(weight), -1)
        return weight.T


def sgd(
    values: Values, grads: Values, moments: list[Values], count: Any, rate: float
) -> tuple[Values, list[Values]]:
    """SGD with momentum 0.9."""
    (first,) = moments
    first = jax.tree.map(lambda m, g: 0.9 * m + g, first, grads)
    return jax.tree.map(lambda p, m: p - rate * m, values, first), [first]


def adam(
    values: Values, grads: Values, moments: list[Values], count: Any, rate: float
) -> tuple[Values, list[Values]]:
    """Adam with torch's defaults."""
    first, second = moments
    first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, grads)
    second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, grads)

    def update(value: Any, first: Any, second: Any) -> Any:
        deviation = jnp.sqrt(second / (1 - 0.999**count)) + 1e-8
        return value - rate / (1 - 0.9**count) * first / deviation

    return jax.tree.map(update, values, first, second), [first, second]
