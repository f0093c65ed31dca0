"""A device that this machine need not have: what is left on the processor is an error, as on a GPU.

Tensors have shapes and a device here, but no numbers: torch's fake tensors, on its device "lazy".
Whoever mixes them with tensors of the processor gets the error that a GPU gives. Numbers that are
read, such as a loss, are 0.5 or 1.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from graphnet.compile.run import step

DEVICE = torch.device("lazy")


class Numbers(TorchDispatchMode):
    """Gives a number to whoever reads one."""

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        if function is torch.ops.aten._local_scalar_dense.default:
            dtype = args[0].dtype
            return 0.5 if dtype.is_floating_point else dtype is not torch.bool and 1
        if function is torch.ops.aten.equal.default:
            return True
        return function(*args, **(kwargs or {}))


@contextmanager
def other_device() -> Iterator[torch.device]:
    """Inside, tensors are fake, and may be on the other device."""
    made, mode, without = torch.tensor, torch.inference_mode, step.without_autograd

    def tensor(data, *, dtype=None, device=None):  # it would look for a driver of the device
        value = made(data, dtype=dtype)
        return value if device is None else value.to(device)

    with FakeTensorMode(allow_non_fake_inputs=True), Numbers(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Accessing the data pointer")
        # fake tensors of this device know no inference mode
        torch.tensor = tensor
        torch.inference_mode = lambda enabled=True: torch.no_grad() if enabled else mode(False)
        step.without_autograd = nullcontext
        try:
            yield DEVICE
        finally:
            torch.tensor, torch.inference_mode, step.without_autograd = made, mode, without
