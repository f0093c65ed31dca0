"""Scenes: boxes and arrows, and fewer of them, before their positions are known.

| file | contents |
|---|---|
| `scene` | a box, an arrow, a scene |
| `building`: `layers` | from a list to a scene; what a user calls a layer |
| `fold`: `grouping`, `repetitions` | layers, and what is too large to read, as fewer boxes |
| `parameters` | the same without parameters |
| `sharing` | parameters that are used more than once |
"""
