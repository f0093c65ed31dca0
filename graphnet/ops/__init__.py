"""Every operation as a function under torch's name: tensors give a tensor, nodes append a node.

| file | contents |
|---|---|
| `arithmetic` | + - × ÷, absolute value, sign |
| `powers` | xᵖ, bʸ and xʸ |
| `scaled` | sums with a scaled term, as updates have them |
| `functions` | exp, log, roots, squares, 1/x, sin, cos, erf |
| `rounding` | floor, ceil, round, trunc |
| `trigonometry` | tan, inverse and hyperbolic functions |
| `activations` | identity, tanh, sigmoid, relu and its relatives |
| `prelu` | prelu |
| `smooth` | softplus, silu, mish, gelu |
| `softmaxes` | softmax, log_softmax |
| `comparison`, `branchless` | = ≠ < ≤ > ≥, where, masked_fill; how large tensors choose |
| `limits` | maximum, minimum, clamp |
| `logic` | and, or, not |
| `products` | matmul, mm, bmm, addmm, linear |
| `einsum` | sums of products by an equation of letters |
| `reductions` | sum, mean, var, std |
| `extremes` | amax, amin, max, min, argmax, argmin |
| `cumulative` | cumsum, prod |
| `recurrent`, `recurrent_steps` | recurrent networks along a sequence of any length |
| `weight_norms` | weights divided by their length, or by their largest singular value |
| `norms` | norm, logsumexp |
| `shapes` | reshape, flatten, transpose, permute, squeeze, unsqueeze, tril, triu |
| `indexing` | x[...], select, narrow |
| `gathering` | gather, scatter_add, index_select |
| `series` | pooling and transposed convolution of series |
| `volumes` | convolution and pooling of volumes |
| `adaptive` | pooling to a given number of windows, but for adaptive_avg_pool2d |
| `channels` | channel_shuffle, local_response_norm |
| `resampling` | interpolate, pixel_shuffle, pixel_unshuffle |
| `feature_dropout`, `alpha_dropout` | dropout1d to 3d, alpha_dropout, rrelu |
| `rearranging` | flip, roll, repeat, repeat_interleave |
| `sorting`, `selected` | sort, argsort, topk; elements and their indices |
| `diagonals` | diagonal |
| `ranges` | arange |
| `joining` | cat, stack, split, chunk, unbind |
| `borders`, `padding` | pad |
| `unfolding` | unfold and fold, windows that slide along a dimension |
| `broadcasting` | expand, sums that undo it, sizes, zeros and ones |
| `losses` | mse_loss, l1_loss, smooth_l1_loss, huber_loss |
| `binary_losses` | binary_cross_entropy with and without logits, hinge_loss |
| `classification` | cross_entropy, nll_loss |
| `margin_losses` | soft_margin_loss, multi_margin_loss, multilabel_margin_loss |
| `ranking_losses` | losses of triplets and pairs, gaussian_nll_loss, pairwise_distance |
| `distances` | kl_div, cosine_similarity |
| `dtypes`, `arguments` | detach, conversions; refusals of wrong dtypes and arguments |
| `normalization` | layer_norm, group_norm, rms_norm |
| `batch_norm` | batch_norm, instance_norm |
| `running`, `moments` | the training mode, running statistics, and what they scale |
| `processes` | all_reduce, the sum over several processes |
| `random` | dropout, rand_like, randn_like, bernoulli |
| `embedding`, `embedding_bag` | embedding, one_hot, embedding_bag |
| `attention` | scaled_dot_product_attention |
| `convolution`, `transposed` | conv1d, conv2d, conv_transpose2d |
| `pooling`, `mean_pooling` | max_pool2d, max_unpool2d, avg_pool2d, adaptive_avg_pool2d |
| `columns`, `image_windows`, `window_options` | helpers of convolution and pooling |
| `sizes` | shapes made of sizes that are unknown until they are fed |
| `unflatten` | one dimension split into several |
| `keys` | what stands in the brackets of x[...] |
| `dims` | dimensions and sizes in normal form |
"""

from graphnet.ops.activations import *
from graphnet.ops.adaptive import *
from graphnet.ops.alpha_dropout import *
from graphnet.ops.arithmetic import *
from graphnet.ops.attention import *
from graphnet.ops.batch_norm import *
from graphnet.ops.binary_losses import *
from graphnet.ops.borders import *
from graphnet.ops.broadcasting import *
from graphnet.ops.channels import *
from graphnet.ops.classification import *
from graphnet.ops.comparison import *
from graphnet.ops.convolution import *
from graphnet.ops.cumulative import *
from graphnet.ops.diagonals import *
from graphnet.ops.distances import *
from graphnet.ops.dtypes import *
from graphnet.ops.einsum import *
from graphnet.ops.embedding import *
from graphnet.ops.embedding_bag import *
from graphnet.ops.extremes import *
from graphnet.ops.feature_dropout import *
from graphnet.ops.functions import *
from graphnet.ops.gathering import *
from graphnet.ops.indexing import *
from graphnet.ops.joining import *
from graphnet.ops.limits import *
from graphnet.ops.logic import *
from graphnet.ops.losses import *
from graphnet.ops.margin_losses import *
from graphnet.ops.mean_pooling import *
from graphnet.ops.normalization import *
from graphnet.ops.norms import *
from graphnet.ops.pooling import *
from graphnet.ops.powers import *
from graphnet.ops.prelu import *
from graphnet.ops.processes import *
from graphnet.ops.products import *
from graphnet.ops.random import *
from graphnet.ops.ranges import *
from graphnet.ops.ranking_losses import *
from graphnet.ops.rearranging import *
from graphnet.ops.reductions import *
from graphnet.ops.resampling import *
from graphnet.ops.rounding import *
from graphnet.ops.running import *
from graphnet.ops.series import *
from graphnet.ops.shapes import *
from graphnet.ops.smooth import *
from graphnet.ops.softmaxes import *
from graphnet.ops.sorting import *
from graphnet.ops.transposed import *
from graphnet.ops.trigonometry import *
from graphnet.ops.unflatten import *
from graphnet.ops.unfolding import *
from graphnet.ops.volumes import *
