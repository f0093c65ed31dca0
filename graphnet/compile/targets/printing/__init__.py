"""What the printers of loops share, whatever language they print.

| file | contents |
|---|---|
| `lines` | lines of text in blocks, and the heads of loops |
| `expressions` | scalars as text: what is read twice becomes a local variable |
| `identifiers` | names of nodes as names of variables |
"""
