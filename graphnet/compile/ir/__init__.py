"""The program as a list of nodes: built from a graph, and rewritten by passes.

| file | what it holds |
|---|---|
| `build` | a graph with every size known; gradients and the optimizer's update appended as nodes |
| `program` | the list that results |
| `rewrite` | a copy of it in which operations are replaced |
"""
