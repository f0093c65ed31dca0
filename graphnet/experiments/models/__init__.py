"""Well-known networks with their losses, to draw, to summarize, and to try things out on.

| file | contents |
|---|---|
| `images` | LeNet, ResNet-18, ResNet-50, U-Net |
| `sequences` | an LSTM classifier, a transformer |
| `generative` | a variational autoencoder, a generative adversarial pair |
| `siamese` | one branch for two images |

>>> from graphnet.experiments.models import MODELS
>>> MODELS["LeNet"]()["x"]
<input 0 'x' (?, 1, 28, 28)>
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphnet.experiments.models.generative import gan_graph, vae_graph
from graphnet.experiments.models.images import (
    lenet_graph,
    resnet18_graph,
    resnet50_graph,
    unet_graph,
)
from graphnet.experiments.models.sequences import lstm_classifier_graph, transformer_graph
from graphnet.experiments.models.siamese import siamese_graph

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphnet.graph import Graph

__all__ = ["MODELS"]

MODELS: dict[str, Callable[[], Graph]] = {
    "LeNet": lenet_graph,
    "ResNet-18": resnet18_graph,
    "U-Net": unet_graph,
    "LSTM classifier": lstm_classifier_graph,
    "transformer": transformer_graph,
    "VAE": vae_graph,
    "GAN": gan_graph,
    "siamese": siamese_graph,
    "ResNet-50": resnet50_graph,
}
"""What builds the list of each network, with its loss."""
