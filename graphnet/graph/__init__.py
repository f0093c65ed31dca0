"""The graph: nodes in a list, walked forward for values and in reverse for gradients.

| file | contents |
|---|---|
| `nodelist` | the list itself: three ways to append, indices and names |
| `graph` | the list with its walks: forward, backward, gradients |
| `front_doors`: `programs` | methods that lead to later rooms: draw, summary; check, compile |
| `entry` | what the list stores for each node |
| `node`, `methods` | a node, and the operators and methods that it shares with other symbols |
| `casts` | the methods that change the dtype |
| `constants` | tensors among the arguments of an operation |
| `nodes` | inputs and operations |
| `parameter` | parameters, which may be in several graphs |
| `flat_parameters` | the flat buffers in which parameters live |
| `shape_inference` | how the shape of a node is inferred |
| `walks` | the forward and the backward walk |
| `guards` | one walk at a time, and Ctrl-C between steps |
| `edges` | how a gradient flows through one input of one operation |
| `derivatives` | the backward walk as nodes |
| `feed`, `naming`, `location` | checks feeds, keeps names unique, finds the user's line |
| `roles` | which node is the loss; inputs, parameters, buffers, derivatives |
| `finite` | where the first NaN or infinity came from |
| `error_messages` | the text of error messages |
"""

from graphnet.graph.graph import Graph
from graphnet.graph.node import Node
from graphnet.graph.nodes import Input, Operation
from graphnet.graph.parameter import Parameter

__all__ = ["Graph", "Input", "Node", "Operation", "Parameter"]
