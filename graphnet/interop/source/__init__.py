"""A model as a file of plain PyTorch.

| file | contents |
|---|---|
| `writing` | `torch_source` and `to_torch`: the whole file |
| `modules`, `layers` | its `__init__`, and a layer in it |
| `steps`, `returns` | its `forward`, for a model that was imported |
| `nodes` | its `forward`, for a model of graphnet's own layers |
| `expressions`, `losses`, `operations` | one call as Python: a step, a loss, a node |
| `variables` | the names of variables |
| `execution` | the text as a module |
"""

from graphnet.interop.source.writing import to_torch, torch_source

__all__ = ["to_torch", "torch_source"]
