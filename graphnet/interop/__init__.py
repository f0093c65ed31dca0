"""Models of PyTorch as lists of nodes, and back.

| file | contents |
|---|---|
| `importing` | `from_torch`, step by step |
| `capture`, `refusals` | what `torch.export` records in each mode, and what it cannot |
| `opening` | functions that would fix the batch size there, in another form |
| `composites` | operations that torch makes of others, taken apart |
| `settings`, `spectral` | the settings and hooks of modules; spectral norm |
| `functional`: `program`, `steps` | its program without writes |
| `modes` | training and evaluation as one list |
| `imported` | the module that appends the steps |
| `rules/` | what each of torch's operations is here |
| `sizes` | sizes that depend on the batch |
| `comparing` | `compare_with_torch` |
| `drawing`, `command` | `gn.draw` of a torch module; `python -m graphnet draw` |
| `source/` | the way back: `torch_source`, `to_torch` |
"""

from graphnet.interop.comparing import ModelComparison, compare_with_torch
from graphnet.interop.importing import from_torch
from graphnet.interop.source import to_torch, torch_source

__all__ = ["ModelComparison", "compare_with_torch", "from_torch", "to_torch", "torch_source"]
