"""The list in words and numbers.

| file | contents |
|---|---|
| `table`: `rails` | `print(graph)`: one line for each node |
| `summary`: `flops` | `graph.summary()`: parameters, operations and memory of each module |
| `norm` | how large a tensor is, in one number |
"""
