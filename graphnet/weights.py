"""Weights in files: the safetensors format, which holds tensors and nothing executable.

A file from disk is not trusted: anything wrong with it ends in a `LoadError`, and the model is
unchanged.
"""

from __future__ import annotations

import json
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING
from warnings import warn

from graphnet.console_text import printable
from graphnet.errors import GraphError, LoadError
from graphnet.files import read_file, replace_file

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.layers import Module

_MODULE = "graphnet module"
"""The key in a file under which the module is described."""

_OF_TORCH = {".pt", ".pth", ".bin", ".pkl"}
"""The suffixes of files written by torch.save."""


def refuse_name_of_torch(path: str | Path) -> None:
    """Refuse the name of a torch.save file: others would mistake the weights for one.

    Raises:
        GraphError: the name is like model.pt.
    """
    if Path(path).suffix in _OF_TORCH:
        raise GraphError(
            f"Weights are written as safetensors; {path} looks like a file of torch.save. Name it "
            f"{Path(path).stem}.safetensors."
        )


def save_weights(module: Module, path: str | Path) -> None:
    """Write the parameters and buffers of a module to a file.

    The file is written under another name and then moved into place: an interruption leaves the old
    one. It also holds a description of the module, as text.

    Raises:
        GraphError: the name has the suffix of another format, such as model.pt.
        OSError: the file cannot be written.

    >>> import graphnet as gn, tempfile
    >>> model = gn.Linear(2, 3)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_weights(model, f"{folder}/model.safetensors")
    ...     load_weights(model, f"{folder}/model.safetensors")
    """
    from safetensors.torch import save

    if not hasattr(module, "state_dict"):
        raise GraphError(
            f"save_weights(module, path) takes a module first; got {type(module).__name__}."
        )
    refuse_name_of_torch(path)
    tensors = {name: value.contiguous() for name, value in module.state_dict().items()}
    replace_file(path, save(tensors, metadata={_MODULE: repr(module)}))


def load_weights(module: Module, path: str | Path, strict: bool = True) -> None:
    """Read parameters and buffers from a file into a module: all of them, or none.

    With `strict=False` names that only one side has are left out.

    Raises:
        LoadError: the file is missing, damaged, or belongs to another model; the message lists
            every difference.

    Warns:
        UserWarning: they fit, but the saved module looked different, for instance with another
            activation between the same layers.
    """
    state, looked = _read(path)
    try:
        module.load_state_dict(state, strict)
    except LoadError as error:
        raise LoadError(f"{path}: {error}") from None
    lines = zip_longest(looked.splitlines(), repr(module).splitlines(), fillvalue="nothing")
    there, here = next(((a, b) for a, b in lines if a != b), ("", ""))
    if strict and looked and (there or here):
        warn(
            f"{path} fits, but was saved from another module: {printable(there.strip())[:80]} "
            f"there, {here.strip()} here.",
            stacklevel=2,
        )


def _read(path: str | Path) -> tuple[dict[str, Tensor], str]:
    """The tensors in a file, and the description of their module; "" without one."""
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        data = read_file(path, follow=True)
    except (OSError, ValueError) as error:  # a ValueError for a name that no file can have
        reason = getattr(error, "strerror", None) or error
        raise LoadError(f"{path} cannot be read: {reason}.") from None
    try:
        tensors = load(data)
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        return tensors, str((header.get("__metadata__") or {}).get(_MODULE, ""))
    except (SafetensorError, KeyError, ValueError, RuntimeError) as error:
        if data.startswith((b"PK\x03\x04", b"\x80\x02")):  # zip archives, and older pickles
            raise LoadError(
                f"{path} looks like a file of torch.save, which may run programs when it is read. "
                "If you trust it: module.load_state_dict(torch.load(path, weights_only=True))."
            ) from None
        raise LoadError(f"{path} is not an intact safetensors file: {error}.") from None
