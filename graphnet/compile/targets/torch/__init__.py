"""torch as a target: straight-line Python over torch's own kernels.

| file | what it holds |
|---|---|
| `fuse`: `pattern` | finds several operations that torch does in one, by its rule |
| `fused_ops`: `fused`, `fused_sums` | these operations, each with its kernel |
| `kernels` | the line for each operation |
| `lowerings`: `products`, `updates` | where there are several lines |
| `convolution`: `memory_format`, `im2col`, `batch_last` | the same for images |
| `printer`: `lines`, `namespace` | the lines, and their names |
| `tuning` | which of several lines is fastest here |
| `assemble`, `execution` | the lines as a function |
| `functional` | the list as a pure function, for torch.compile and CUDA graphs |
"""
