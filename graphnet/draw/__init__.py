"""Pictures of the list: as it is, as it is walked, and of how it learns.

| file | what it holds |
|---|---|
| `scene`, `building` | boxes and arrows, made from a list |
| `walk` | both walks, one event at a time |
| `plots` | curves, boundaries and matrices of a training, by matplotlib |
"""
