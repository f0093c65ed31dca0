"""torch as a target: straight-line Python over torch's own kernels.

Three phases, each for the whole program; `assemble` has them in order, and a function of the lines:

| phase | file | what it holds |
|---|---|---|
| | `fuse`: `fused_ops` | several operations that torch does in one |
| choose | `select`: `values` | a list of nodes as a list of calls |
| | `kernels` | the call for each operation |
| | `lowerings`: `products`, `updates` | where there are several calls, or several ways |
| | `convolution`: `memory_format`, `images`, `im2col`, `batch_last` | the same for images |
| | `tuning` | which of several ways is fastest here |
| place | `place` | what is overwritten, and where buffers lie, by `graphnet.compile.plan` |
| print | `printer`: `namespace` | the lines, and their names |
| | `execution` | the lines as a function |

`functional` prints the list as a pure function instead, for torch.compile and CUDA graphs.
"""
