"""Measurements, printed as ratios: `python -m graphnet.bench [NAME ...]`.

The names are `table`, `walk`, `list`, `import` and `conv`. `table`, which runs where nothing is
named, trains networks with the walk, the compiled program and the big frameworks, side by side:

| file | what it holds |
|---|---|
| `networks` | what is trained |
| `contestants`, `jax_step` | who trains it: a training step in the words of each framework |
| `limit` | what the machine can do at most |
| `worker` | the process of a framework, which makes turns when it is asked |
| `turns` | the contestants take turns; times and parameters of each |
| `costs` | memory of a training, and time of compiling, each in a process of its own |
| `report`, `table` | the table, and what is asked for on the command line |

A single graph beside torch's autograd, node by node, is `graph.compare_with_torch()`:
`autograd` runs both, `differences` is the table.

The others are in `single`: they compare within one process.
"""
