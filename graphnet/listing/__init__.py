"""The list in words and numbers.

| file | contents |
|---|---|
| `table`: `rails` | `print(graph)`: one line for each node |
| `summary`: `costs`, `flops` | `graph.summary()`: settings, shapes, arithmetic, memory of modules |
| `norm` | how large a tensor is, in one number |
"""
