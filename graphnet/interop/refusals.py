"""What to say when torch cannot record a module: the rule, what was given, and the way out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from inspect import signature
from typing import Any

import torch
from torch.utils import _pytree as pytree

from graphnet.errors import GraphError, counted

_BRANCHES = ("data-dependent", "unbacked", "GuardOnDataDependent", "Eq(u0", "control flow")

_SENTENCES = {
    r"Found <class '(?:.*\.)?(\w+)'> in output|outputs with type .*?(\w+)'": (
        "{name} returns {found}: outputs are tensors in tuples, lists, dicts, NamedTuples and "
        "registered dataclasses. torch.export.register_dataclass({found}) registers a dataclass; "
        "of another class, return the tensors."
    ),
    r"Unsupported input type <class '([^']*)'>": (
        "from_torch takes tensors and numbers, in tuples, lists and dicts; got {found}. "
        "torch.as_tensor makes a tensor of an array; of another object, give the tensors."
    ),
    r"uninitialized parameter": (
        "{name} has a layer whose sizes are not known before its first call: call it once on the "
        "examples, then import it."
    ),
    r"\.numpy\(\) is not|data pointer|numel\(\) on tensor with symbolic": (
        "{name} reads the memory of a tensor{where}, as .numpy() and copy.deepcopy do: a list of "
        "nodes is made without values. Use torch's own functions, such as clone()."
    ),
    r"SparseTensor|_to_sparse|sparse_\w+_tensor": (
        "{name} uses sparse tensors{where}, which a list of nodes has none of. Use dense ones."
    ),
}
"""By what torch says, our sentence; `found` is what the pattern has in parentheses."""


def require_fitting(module: Any, examples: tuple[Any, ...], dynamic: Any) -> None:
    """Refuse a module without a forward of its own, and examples that its forward does not take."""
    name = type(module).__name__
    if isinstance(module, torch.nn.DataParallel | torch.nn.parallel.DistributedDataParallel):
        raise GraphError(f"{name} spreads another module over devices: import its `module`.")
    if any(each.__name__ == "ScriptModule" for each in type(module).__mro__):
        raise GraphError(f"{name} has no Python code left: import the module that was scripted.")
    if type(module).forward is torch.nn.Module.forward:
        raise GraphError(f"{name} has no forward, which is what from_torch records: define one.")
    try:
        given = signature(module.forward)
        given.bind(*examples)
    except TypeError as error:
        raise GraphError(
            f"from_torch takes the examples that {name}.forward{given} does; got "
            f"{counted(len(examples), 'example')}: {error}."
        ) from None
    except ValueError:  # a function in C, which has no signature
        return
    tensors = sum(isinstance(each, torch.Tensor) for each in pytree.tree_leaves(examples))
    if dynamic is not None and not (
        isinstance(dynamic, Sequence)
        and len(dynamic) <= tensors
        and all(isinstance(each, Sequence) for each in dynamic)
    ):
        raise GraphError(
            "dynamic names the open dimensions of each tensor among the examples, such as [(0, 1)] "
            f"for one of {tensors}; got {dynamic!r}."
        )


def refusal(module: Any, error: Exception, failure: Exception | None) -> GraphError:
    """What to say when torch cannot record a module.

    Args:
        module: the module.
        error: what torch says.
        failure: the error of the module itself on the examples; None if it takes them.
    """
    name, kinds = type(module).__name__, (type(error).__name__, str(error))
    for pattern, sentence in _SENTENCES.items():
        match = re.search(pattern, kinds[1])
        if match:
            found = next(filter(None, match.groups()), "")
            return GraphError(sentence.format(name=name, found=found, where=_where(error)))
    if failure is not None:
        return GraphError(
            f"{name} itself fails on these examples{_where(failure)}: {type(failure).__name__}: "
            f"{_first_line(failure)}. from_torch takes examples that the module takes."
        )
    if "FakeTensor" in kinds[1] and _passes(error, "rnn.py"):
        return GraphError(
            f"{name} packs sequences{_where(error)}, in a form that depends on their lengths. "
            "Give the recurrent layer padded ones, and mask its outputs."
        )
    if any(sign in kind for sign in _BRANCHES for kind in kinds):
        return GraphError(
            f"{name} branches on values that are known only when it runs{_where(error)}: a list of "
            "nodes is the same for all values. Use torch.where, or import the parts on each side "
            f"of the branch. torch says: {_first_line(error)}"
        )
    return GraphError(
        f"torch cannot record what {name} computes{_where(error)}: {_first_line(error)}"
    )


def own_backward(function: type) -> str:
    """What to say of a function of autograd that states its own derivative."""
    return (
        f"{function.__name__} is a torch.autograd.Function with a backward of its own, of which "
        "torch records the forward alone, so its gradient would be another one. Write it with "
        "detach(), such as x + (f(x) - x).detach() for the gradient of x, or 2 * x.detach() - x "
        "for the opposite one; or import the parts around it, and write a graphnet.Op."
    )


def _first_line(error: Exception) -> str:
    lines = (line.strip() for line in str(error).splitlines())
    return next(filter(None, lines), type(error).__name__).rstrip(".!")


def _passes(error: Exception, file: str) -> bool:
    """True if code of this file is on the way to an error."""
    return any(code.co_filename.endswith(f"/{file}") for code, _ in _frames(error))


def _where(error: Exception) -> str:
    """The last line of the user's code on the way to an error."""
    found = ""
    for code, line in _frames(error):
        if code.co_name == "forward" and "/torch/" not in code.co_filename:
            found = f" at {code.co_filename}:{line}"
    return found


def _frames(error: Exception) -> list[tuple[Any, int]]:
    """The functions on the way to an error, each with its line."""
    traceback, found = error.__traceback__, []
    while traceback is not None:
        found.append((traceback.tb_frame.f_code, traceback.tb_lineno))
        traceback = traceback.tb_next
    return found
