"""The rules of operations written out: as formulas, and as a derivation of the backward pass."""
