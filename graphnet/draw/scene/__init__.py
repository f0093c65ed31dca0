"""Scenes: boxes and arrows, and fewer of them, before their positions are known.

| file | contents |
|---|---|
| `scene` | a box, an arrow, a scene |
| `building` | from a list to a scene |
| `fold`: `grouping`, `repetitions` | what is too large to read is drawn as fewer boxes |
| `sharing` | parameters that are used more than once |
"""
