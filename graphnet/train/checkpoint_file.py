"""One checkpoint: the files that hold the state of a run, and how they are read back.

`tensors.safetensors` holds the tensors; `state.json` holds everything else, and the SHA-256 of
everything, so that every damaged byte is found. SHA-256 does not prove who wrote a file; but
whatever the files hold, reading them runs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphnet.errors import CheckpointError, LoadError
from graphnet.files import read_file
from graphnet.train import schema

if TYPE_CHECKING:
    from torch import Tensor

TENSORS, TEXT = "tensors.safetensors", "state.json"


@dataclass(frozen=True)
class State:
    """The content of one checkpoint.

    Attributes:
        step: the update after which it was taken.
        tensors: tensors by name; names are short, printable, and without slashes.
        values: None, bool, int, float, str, and lists and dicts of these; a float comes back with
            the same bits, even if it is NaN.
    """

    step: int
    tensors: dict[str, Tensor]
    values: dict[str, Any]


def read_state(path: str | Path) -> State:
    """Read one checkpoint; nothing in it is run, and no link in it is followed.

    Raises:
        LoadError: it is missing, damaged, not a checkpoint, or of a newer graphnet.
    """
    try:
        if Path(path).is_symlink():
            raise ValueError("it is a link")
        return unpacked(_content(path, TEXT, schema.MOST_BYTES), _content(path, TENSORS))
    except (OSError, MemoryError) as error:
        raise LoadError(f"{path} cannot be read: {reason_of(error)}.") from None
    except ValueError as error:
        raise LoadError(f"{path} is not an intact checkpoint: {error}.") from None


def unpacked(written: bytes, data: bytes) -> State:
    """A checkpoint from the contents of its two files.

    Raises:
        ValueError: they are damaged, not those of a checkpoint, or of a newer graphnet.
    """
    text = schema.read(written)
    _compare(schema.contents(data), text.tensors)
    if sha256(data).hexdigest() != text.file:
        raise ValueError(f"the bytes of {TENSORS} are not those that were saved (SHA-256)")
    tensors = _tensors(data)
    return State(text.step, {name: tensors[name] for name in text.tensors}, text.values)


def packed(state: State) -> dict[str, bytes]:
    """The files of a checkpoint: name and content.

    Raises:
        CheckpointError: the state holds something that a checkpoint cannot.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save

    try:
        data = save({name: _copy(name, tensor) for name, tensor in state.tensors.items()})
        contents = schema.contents(data)
        about = {name: contents[name] for name in state.tensors}
        digest = sha256(data).hexdigest()
        text = schema.written(schema.Text(state.step, state.values, about, digest))
        schema.read(text)  # a violated limit is found now, not when the state is needed
    except (SafetensorError, KeyError, RuntimeError, TypeError, ValueError) as error:
        raise CheckpointError(f"A checkpoint cannot hold this state: {error}.") from error
    return {TENSORS: data, TEXT: text}


def _copy(name: str, tensor: Tensor) -> Tensor:
    """A tensor in memory of its own, in the order of its elements, on the CPU."""
    from torch import contiguous_format

    dtype = str(tensor.dtype).removeprefix("torch.")
    if dtype not in schema.DTYPES:
        known = ", ".join(sorted(schema.DTYPES))
        raise ValueError(f"tensor {name} has dtype {dtype}; the allowed ones are {known}")
    if tensor.is_meta or str(tensor.layout) != "torch.strided":
        raise ValueError(f"tensor {name} has no values in memory, or is sparse")
    own = tensor.detach().to("cpu", copy=True, memory_format=contiguous_format)
    return own.resolve_conj().resolve_neg()


def _content(path: str | Path, name: str, limit: int | None = None) -> bytes:
    try:
        return read_file(Path(path) / name, limit)
    except OSError as error:
        raise ValueError(f"{name}: {reason_of(error)}") from None


def _compare(found: dict[str, Any], saved: dict[str, Any]) -> None:
    wrong = [name for name in {**saved, **found} if found.get(name) != saved.get(name)]
    if wrong:
        names = ", ".join(wrong[:5]) + (", ..." if wrong[5:] else "")
        raise ValueError(f"these tensors are not those that were saved: {names}")


def _tensors(data: bytes) -> dict[str, Tensor]:
    from safetensors.torch import load

    try:
        return load(data)
    except Exception as error:  # whatever the library raises, the file is the cause
        raise ValueError(f"{TENSORS}: {type(error).__name__}: {error}") from None


def reason_of(error: BaseException) -> str:
    """Why a disk refuses, in the system's words: No space left on device."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
