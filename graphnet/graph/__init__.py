"""The graph: nodes in a list, walked forward for values and in reverse for gradients.

| file | what lives there |
|---|---|
| `nodelist` | the list itself: three ways in, places and names |
| `graph` | the list that is walked: forward, backward, gradients, checks |
| `entry` | what the list keeps for each node |
| `node` | what can be written on a node: operators and methods |
| `methods` | how a function of nodes becomes a method, for type checkers |
| `kinds` | inputs and operations |
| `parameter` | parameters, which may stand in several graphs |
| `home` | the flat buffers in which parameters live |
| `trials` | how the shape of a node is found |
| `passes` | the forward and the backward walk |
| `guards` | one walk at a time, and Ctrl-C between steps |
| `uses` | how a gradient flows through one input of one operation |
| `derivatives` | the backward walk as nodes |
| `feed`, `naming`, `location` | feeds checked, names kept unique, the user's line found |
| `finite` | where the first NaN or infinity came from |
| `complaints` | errors as texts |
"""

from graphnet.graph.graph import Graph
from graphnet.graph.kinds import Input, Operation
from graphnet.graph.node import Node
from graphnet.graph.parameter import Parameter

__all__ = ["Graph", "Input", "Node", "Operation", "Parameter"]
