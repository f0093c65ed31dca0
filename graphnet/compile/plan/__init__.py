"""The plan of memory: in which buffer each value lies, and for how long.

| file | what it holds |
|---|---|
| `memory` | buffers, and who reads them until when |
| `placement` | values that are computed where they are needed at once |
"""
