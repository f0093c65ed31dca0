"""The plan of memory: in which buffer each value lies, and for how long; for any target.

| file | what it holds |
|---|---|
| `slots` | buffers, and the parts of them that values lie in |
| `calls` | a chosen program: kernels, with the slots that they read and write |
| `placement` | values that are computed where they are needed at once |
| `liveness` | which call uses a buffer last |
| `overwrite` | results that are put where an operand lies |
| `memory` | where buffers lie in one arena |
"""
