"""torch as a target: straight-line Python over torch's own kernels, in three phases.

| file | contents |
|---|---|
| `fuse` | before: finds several operations that torch does in one, by its rule |
| `fused_ops`: `fused_base`, `fused_sums` | these operations, each with its kernel |
| `select`: `values` | select: for each node a call of a kernel, with its slots |
| `kernel_table`: `kernel` | the kernel of each operation |
| `lowerings`: `products`, `updates`, `scattering` | several calls, or several candidates |
| `convolution`: `memory_format`, `images` | the same for images |
| `as_products`: `pointwise`, `im2col`, `batch_last` | convolutions as matrix products |
| `tuning` | which of several candidates is fastest here |
| `allocate` | place: what is written over what, and where buffers lie; the plan as tensors |
| `printer` | print: the lines, their names, and the time of each line |
| `assemble`, `execution` | all three; the lines as a function |
| `functional` | the list as a pure function, for torch.compile and CUDA graphs |
"""
