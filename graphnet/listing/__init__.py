"""The list in words: `print(graph)` and `graph.summary()`."""
