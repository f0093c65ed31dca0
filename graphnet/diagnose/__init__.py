"""What values and gradients say about the health of a network: `graph.doctor()`.

| file | contents |
|---|---|
| `health` | all that is looked for, in the order of its report |
| `findings` | what was found: sentences, and marks for a picture |
| `slopes` | gradients that vanish or explode |
| `units` | dead and saturated units |
"""
