"""The digit-pair study: is the first of two digits less than or equal to the second?

Eight networks learn it from 1,000 pairs of small images: with and without shared weights, with and
without auxiliary losses, and by reading the digits. `python -m graphnet.experiments.pairs` trains
them for several rounds, with fresh pairs and weights in each, and reports means and deviations.

| file | contents |
|---|---|
| `models` | the networks |
| `recipes` | how each is trained: one table |
| `augment` | more pairs from few |
| `study` | one round, and all rounds of one recipe |
| `report` | table, curves, drawn networks, record, page |
"""
