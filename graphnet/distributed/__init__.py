"""Several processes, on one machine or many, that train one model together.

| file | contents |
|---|---|
| `group` | the processes as one of them sees them: sums, and what they tell each other |
| `joining` | how a process finds the others: torchrun, or a launcher that sets the same variables |
| `heartbeat` | what each says about itself, for the messages when one does not come |
| `forks` | why the workers of a loader are started between two calls |
| `packet` | gradients and a few numbers, summed in one call |

`torch.distributed` carries the bytes, gloo between processors and nccl between GPUs.
"""

from graphnet.distributed.group import Group
from graphnet.distributed.joining import join

__all__ = ["Group", "join"]
