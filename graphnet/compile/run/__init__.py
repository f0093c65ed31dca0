"""What `graph.compile` returns: programs that are made at their first use, and run.

| file | what it holds |
|---|---|
| `compiled` | what a step and a prediction share; the prediction |
| `step`, `step_outputs` | the training step; one that returns other nodes too |
| `step_across`: `weighted`, `update` | one that several processes make: its two halves |
| `bystander` | what a process does whose rows do not count in such a step |
| `cached_step`: `settings` | when a program that was made still holds |
| `runner` | a program as a function, and the time of each of its lines |
| `batches`, `bursts` | the batches of several steps, and many steps in one call |
| `native` | in which call native code takes over |
| `take_over` | whether native code is faster, in that call |
| `quick` | a step of native code like the last one |
"""
