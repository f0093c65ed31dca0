"""Training: in one call, observed, saved, and repeated with honest statistics.

| file | contents |
|---|---|
| `fit`: `run`, `settings`, `updates` | a run from arguments to history; its steps and updates |
| `across`: `updates_across`, `parts` | the same by several processes together |
| `several` | several steps in one call of native code |
| `sources`: `dataset`, `items`, `streams` | what gives rows: tensors, a data set, a loader |
| `batches`, `feeding`: `ahead`, `examples` | the batches, read ahead; some rows to look at |
| `random_states` | the random numbers of torch, Python and numpy |
| `training_graph`: `model_graph` | model, losses, and what is learned |
| `in_words_of_data` | errors of a list, as errors of the data |
| `prediction` | the outputs of a model, batch by batch |
| `means` | how much each batch counts in a loss |
| `history`, `metrics`, `evaluation`: `measuring` | what happened, and what is measured |
| `callbacks`, `logs`, `averaging` | what observes a training run, or stops it |
| `live`: `live_picture` | shows it while it goes on |
| `checkpoints`: `store`, `checkpoint_file`, `schema` | runs that are not lost, and their files |
| `capture` | the state of a run; a checkpoint is checked, and restored or refused |
| `signals` | Ctrl-C and SIGTERM wait for the end of a step |
| `workers` | the processes of loaders, which these signals do not reach |
| `identity`: `digests` | what distinguishes one training run from another |
| `rounds`: `rounds_once`, `rounds_files`, `rounds_table` | the same, reseeded |
| `plots` | curves, boundaries and matrices of a training run, by matplotlib |
"""

from graphnet.train import metrics
from graphnet.train.averaging import EMA
from graphnet.train.callbacks import BestModel, Callback, DeadLayers, EarlyStopping
from graphnet.train.checkpoints import Checkpoints
from graphnet.train.evaluation import evaluate
from graphnet.train.fit import fit
from graphnet.train.history import History
from graphnet.train.live import Live
from graphnet.train.logs import CSVLog, JSONLog, TensorBoard
from graphnet.train.prediction import predict
from graphnet.train.rounds import rounds

__all__ = [
    "EMA",
    "BestModel",
    "CSVLog",
    "Callback",
    "Checkpoints",
    "DeadLayers",
    "EarlyStopping",
    "History",
    "JSONLog",
    "Live",
    "TensorBoard",
    "evaluate",
    "fit",
    "metrics",
    "predict",
    "rounds",
]
