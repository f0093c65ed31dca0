"""Training: in one call, watched, kept, and repeated with honest statistics.

| file | what it holds |
|---|---|
| `fit`: `run`, `updates` | a training from its arguments to its history; its steps, its updates |
| `dataset`, `task` | rows of inputs and targets; model, losses and list of nodes |
| `means`, `learnable` | how much each batch counts in a loss; that nothing is left out in silence |
| `history`, `metrics`, `evaluation` | what happened, and what is measured |
| `callbacks`, `progress`, `logs` | what looks at a training, or stops it |
| `checkpoints`: `capture`, `trees`, `store`; `signals` | a training that is never lost |
| `identity`: `digests` | by what one training is told from another |
| `rounds`: `rounds_once`, `_files`, `_table` | the same again with other seeds, in parallel |
"""

from graphnet.train import metrics
from graphnet.train.callbacks import BestModel, Callback, DeadLayers, EarlyStopping
from graphnet.train.checkpoints import Checkpoints
from graphnet.train.evaluation import evaluate
from graphnet.train.fit import fit
from graphnet.train.history import History
from graphnet.train.logs import CSVLog, JSONLog, TensorBoard
from graphnet.train.rounds import rounds

__all__ = [
    "BestModel",
    "CSVLog",
    "Callback",
    "Checkpoints",
    "DeadLayers",
    "EarlyStopping",
    "History",
    "JSONLog",
    "TensorBoard",
    "evaluate",
    "fit",
    "metrics",
    "rounds",
]
