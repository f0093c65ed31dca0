"""Names that PyTorch users look for in vain, and where to find what they mean."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches

_PLACES = {
    "nn": "layers are at the top level, such as graphnet.Linear",
    "optim": "optimizers are at the top level, such as graphnet.SGD",
    "functional": "functions of nodes and tensors are in graphnet.ops",
    "no_grad": "only what you append to a graph is recorded: just compute",
    "DataLoader": "graphnet.fit takes tensors; graphnet.data.batches cuts them into batches",
    "TensorDataset": "graphnet.fit takes tensors: (inputs, targets)",
    "save": "graphnet.save_weights(model, path)",
    "load": "graphnet.load_weights(model, path)",
    "lr_scheduler": "schedules are in graphnet.schedules",
    "tensor": "tensors are torch's: torch.tensor",
}
_PLACES["F"] = _PLACES["functional"]
_PLACES |= dict.fromkeys(("enable_grad", "inference_mode", "autograd"), _PLACES["no_grad"])
_PLACES |= dict.fromkeys(("Tensor", "zeros", "ones", "rand", "randn"), _PLACES["tensor"])


def way_to(name: str, known: Collection[str], operations: Collection[str]) -> str:
    """Where to find something that has another name in graphnet; empty if unknown.

    >>> way_to("MSELoss", ["LossMSE"], [])
    'losses are called graphnet.LossMSE'
    >>> way_to("relu", ["ReLU"], ["relu"]), way_to("Lineer", ["Linear"], [])
    ('a function of nodes and tensors: graphnet.ops.relu', 'did you mean graphnet.Linear?')
    """
    loss = f"Loss{name.removesuffix('Loss')}"
    if name in _PLACES:
        return _PLACES[name]
    if name.endswith("Loss") and loss in known:
        return f"losses are called graphnet.{loss}"
    if name in operations:
        return f"a function of nodes and tensors: graphnet.ops.{name}"
    near = get_close_matches(name, known, 1, 0.75)
    return f"did you mean graphnet.{near[0]}?" if near else ""
