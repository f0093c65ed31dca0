"""The exported programs of a torch module: what `torch.export` records in each mode.

torch runs the module on tensors without values; the module is left as it was.
"""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from inspect import Parameter, getattr_static, signature
from io import StringIO
from typing import Any

import torch
from torch.nn.utils.spectral_norm import SpectralNorm
from torch.utils import _pytree as pytree

from graphnet.errors import GraphError
from graphnet.interop.opening import LeavingOpen
from graphnet.interop.refusals import own_backward, refusal, require_fitting
from graphnet.interop.spectral import hooked_spectral_norm, spectral_norm


def exported(module: Any, examples: tuple[Any, ...], dynamic: Any, training: bool) -> Any:
    """The program of a module in one mode, with these dimensions of the examples left open.

    Raises:
        GraphError: torch cannot record the module, such as one that branches on values.
    """
    require_fitting(module, examples, dynamic)
    with module_left_alone(module):
        module.train(training)
        for each in filter(is_averaging, module.modules()):
            each.momentum = 0.1  # torch reads the number of batches otherwise; see `is_averaging`
        try:
            with _quietly():
                return _export(module, _examples(examples), dynamic)
        except GraphError:
            raise
        except Exception as error:
            raise refusal(module, error, _failure(module, _examples(examples))) from error


def _failure(module: Any, examples: tuple[Any, ...]) -> Exception | None:
    """The error of the module itself on these examples, in torch's words for real tensors."""
    try:
        with warnings.catch_warnings(), torch.random.fork_rng(devices=[]), redirect_stdout(None):
            warnings.simplefilter("ignore")
            module(*examples)
    except Exception as error:
        return error
    return None


@contextmanager
def module_left_alone(module: Any) -> Iterator[None]:
    """Give a module back the modes, momenta and tensors that it had, at the end of the block."""
    modes = {each: each.training for each in module.modules()}
    plain = [  # such as the weight that the older weight norm computes
        (each, {name: x for name, x in vars(each).items() if isinstance(x, torch.Tensor)})
        for each in module.modules()
    ]
    averaging = [each for each in module.modules() if is_averaging(each)]
    buffers = [(buffer, buffer.clone()) for buffer in module.buffers()]
    try:
        yield
    finally:
        for each, mode in modes.items():
            each.training = mode
        for each, tensors in plain:
            vars(each).update(tensors)
        for each in averaging:
            each.momentum = None
        for buffer, value in buffers:
            if not torch.equal(buffer, value):
                buffer.data.copy_(value)


def is_averaging(module: Any) -> bool:
    """True for a batch normalization whose buffers average over all batches."""
    kinds = torch.nn.modules.batchnorm._BatchNorm
    return isinstance(module, kinds) and module.momentum is None and module.track_running_stats


def _export(module: Any, examples: tuple[Any, ...], dynamic: Any) -> Any:
    """What torch records; with batches of one row made two, since torch takes 1 for a constant."""
    shapes = pytree.tree_map(lambda each: _open_dims(each, 0), examples)
    if dynamic is not None:
        tensors, structure = pytree.tree_flatten(examples)
        dims = iter(dynamic)
        opened = [
            _open_dims(each, *next(dims, ())) if isinstance(each, torch.Tensor) else None
            for each in tensors
        ]
        shapes = pytree.tree_unflatten(opened, structure)
    shapes = _by_parameter(module, shapes)
    export = getattr(torch.export, "export_for_training", torch.export.export)
    if _version() >= (2, 9):
        export = torch.export.export
    doubled = pytree.tree_map(_doubled, examples)
    pairs = list(zip(*map(tensors_of, (examples, doubled)), strict=True))
    try:
        program = export(module, doubled, dynamic_shapes=shapes, strict=False)
        if not any(a is not b and _is_fixed(program, n) for n, (a, b) in enumerate(pairs)):
            return program
    except Exception:
        if all(a is b for a, b in pairs):
            raise
    return export(module, examples, dynamic_shapes=shapes, strict=False)


def _by_parameter(module: Any, shapes: tuple[Any, ...]) -> tuple[Any, ...]:
    """Shapes for the parameters of `forward`: those of `*xs` are one tuple."""
    kinds = [each.kind for each in signature(module.forward).parameters.values()]
    if Parameter.VAR_POSITIONAL not in kinds[: len(shapes)]:
        return shapes
    place = kinds.index(Parameter.VAR_POSITIONAL)
    return (*shapes[:place], shapes[place:])


def _is_fixed(program: Any, place: int) -> bool:
    """True if the first dimension of an input could not stay open."""
    inputs = [
        node.meta["val"]
        for node, spec in zip(
            program.graph.nodes, program.graph_signature.input_specs, strict=False
        )
        if spec.kind.name == "USER_INPUT" and isinstance(node.meta["val"], torch.Tensor)
    ]
    return isinstance(inputs[place].shape[0], int)


def _version() -> tuple[int, ...]:
    return tuple(int(part) for part in torch.__version__.split(".")[:2])


def _open_dims(example: Any, *dims: int) -> Any:
    """The open dimensions of one example, as `torch.export` takes them."""
    if not isinstance(example, torch.Tensor):
        return None
    return {dim: torch.export.Dim.AUTO for dim in dims if dim < example.ndim}


def _doubled(example: Any) -> Any:
    if isinstance(example, torch.Tensor) and example.ndim and example.shape[0] == 1:
        return torch.cat([example, example])
    return example


def _examples(examples: tuple[Any, ...]) -> tuple[Any, ...]:
    """Copies without history, so that nothing that the module does to its input is seen."""

    def copied(each: Any) -> Any:
        return each.detach().clone() if isinstance(each, torch.Tensor) else each

    copies: tuple[Any, ...] = pytree.tree_map(copied, examples)
    return copies


@contextmanager
def _quietly() -> Iterator[None]:
    """Without torch's messages and shortcuts, and with its random numbers left as they were."""
    backend: Any = torch.backends.mha  # in evaluation it replaces attention by one kernel
    fast, disabled = backend.get_fastpath_enabled(), logging.root.manager.disable
    before = [(owner, name, vars(owner).get(name)) for owner, name, _ in _replacements()]
    backend.set_fastpath_enabled(False)
    for owner, name, function in _replacements():
        setattr(owner, name, function)
    logging.disable(logging.CRITICAL)
    try:
        said = StringIO()  # torch prints a program that it cannot record
        with (
            redirect_stdout(said),
            redirect_stderr(said),
            warnings.catch_warnings(),
            torch.random.fork_rng(devices=[]),
            torch.enable_grad(),
            LeavingOpen(),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        for owner, name, function in before:
            if function is None:  # it is that of a base class
                delattr(owner, name)
            else:
                setattr(owner, name, function)
        backend.set_fastpath_enabled(fast)
        logging.disable(disabled)


def _replacements() -> list[tuple[Any, str, Any]]:
    """Functions of torch that look at values, and what stands for them during a recording."""
    return [
        (torch.nn.utils.parametrizations._SpectralNorm, "forward", spectral_norm),
        (SpectralNorm, "compute_weight", hooked_spectral_norm),
        (torch.nn.functional, "gaussian_nll_loss", _gaussian_nll_loss),
        (torch.nn.modules.transformer, "_detect_is_causal_mask", _is_causal),
        (torch.distributions.Distribution, "_validate_args", False),
        (torch.autograd.Function, "apply", classmethod(_applied)),
    ]


def _applied(function: Any, *args: Any, **kwargs: Any) -> Any:
    """Refuse a function with a backward of its own: only what its forward does is recorded.

    Those of torch itself, such as checkpoints, have the derivative of their forward.
    """
    if function.__module__.partition(".")[0] != "torch":
        raise GraphError(own_backward(function))
    return _APPLY.__get__(None, function)(*args, **kwargs)


_APPLY = getattr_static(torch.autograd.Function, "apply")


def _is_causal(mask: Any, is_causal: bool | None = None, size: int | None = None) -> bool:
    """Whether a mask was said to be causal: torch would look at its values, which are unknown."""
    return bool(is_causal)


def _gaussian_nll_loss(
    input: torch.Tensor,
    target: torch.Tensor,
    var: torch.Tensor | float,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> torch.Tensor:
    """torch's loss without its look at the values: a variance below 0 is no error here."""
    given = torch.as_tensor(var, dtype=input.dtype)
    if given.ndim == input.ndim - 1:
        given = given.unsqueeze(-1)
    low = given.detach().clamp(min=eps) + (given - given.detach())  # its gradient is that of var
    loss = 0.5 * (low.log() + (input - target) ** 2 / low) + full * 0.5 * math.log(2 * math.pi)
    means = {"mean": torch.Tensor.mean, "sum": torch.Tensor.sum}
    return means[reduction](loss) if reduction in means else loss


def tensors_of(examples: Sequence[Any]) -> list[torch.Tensor]:
    """The tensors in nested examples, in order."""
    return [each for each in pytree.tree_leaves(examples) if isinstance(each, torch.Tensor)]
