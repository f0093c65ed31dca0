"""Measurements, printed as ratios: `python -m graphnet.bench [NAME ...]`.

The names are `table`, `walk`, `list`, `import` and `conv`. `table`, which runs if nothing is named,
trains networks with the walk, the compiled program and the big frameworks, side by side:

| file | contents |
|---|---|
| `networks` | what is trained, and from what values |
| `contestants`, `jax_step` | who trains it: a training step in each framework |
| `limit` | the most that the machine can do |
| `worker` | the process of a framework, which takes turns on request |
| `turns` | the contestants take turns; times and parameters of each |
| `costs` | memory of training, and compile time, each in a separate process |
| `report` | the table as text; `__main__` has its command-line options |
| `single` | the other measurements, within one process |
| `across` | several processes that train one model, beside torch's: `across` says how to start it |

A single graph beside torch's autograd, node by node, is `graph.compare_with_torch()`.
"""
