"""Networks that make images: a variational autoencoder, and a generative adversarial pair."""

from __future__ import annotations

from typing import TYPE_CHECKING

import graphnet as gn

if TYPE_CHECKING:
    from graphnet.graph import Node

# variational autoencoder


class VAE(gn.Module):
    """Kingma and Welling 2013: an image as a sample of a few normal numbers, and back.

    Shapes: x (n, pixels), noise (n, codes) -> the image (n, pixels), mean and log variance
    (n, codes).
    """

    def __init__(self, pixels: int = 784, hidden: int = 256, codes: int = 16) -> None:
        super().__init__()
        self.encoder = gn.Sequential(gn.Linear(pixels, hidden), gn.ReLU())
        self.mean = gn.Linear(hidden, codes)
        self.log_variance = gn.Linear(hidden, codes)
        self.decoder = gn.Sequential(
            gn.Linear(codes, hidden), gn.ReLU(), gn.Linear(hidden, pixels), gn.Sigmoid()
        )

    def build(self, x: Node, noise: Node) -> tuple[Node, Node, Node]:
        """Append the network; the noise is scaled, so that gradients flow through the sample."""
        hidden = self.encoder(x)
        mean, log_variance = self.mean(hidden), self.log_variance(hidden)
        sample = mean + (log_variance * 0.5).exp() * noise
        return self.decoder(sample), mean, log_variance


def vae_graph() -> gn.Graph:
    """The autoencoder, and the sum of both of its losses."""
    with gn.Graph() as graph:
        x = gn.Input((None, 784), name="x")
        noise = gn.Input((None, 16), name="noise")
        image, mean, log_variance = VAE()(x, noise)
        reconstruction = gn.LossBCE()(image, x)
        divergence = (mean * mean + log_variance.exp() - log_variance - 1).mean() * 0.5
        reconstruction + divergence  # appended to the list
    return graph


# generative adversarial networks


def generator(codes: int = 32, pixels: int = 784) -> gn.Sequential:
    """From random codes to images: (n, codes) -> (n, pixels)."""
    return gn.Sequential(
        gn.Linear(codes, 128), gn.LeakyReLU(0.2), gn.Linear(128, pixels), gn.Tanh()
    )


def discriminator(pixels: int = 784) -> gn.Sequential:
    """A score of how real an image is: (n, pixels) -> (n, 1)."""
    return gn.Sequential(
        gn.Linear(pixels, 128), gn.LeakyReLU(0.2), gn.Dropout(0.3), gn.Linear(128, 1)
    )


class GAN(gn.Module):
    """Goodfellow et al. 2014: one network makes images, the other one judges them and real ones.

    Shapes: codes (n, 32), real (n, 784) -> the scores of both kinds of image, (n, 1) each.
    """

    def __init__(self) -> None:
        super().__init__()
        self.generator, self.discriminator = generator(), discriminator()

    def build(self, codes: Node, real: Node) -> tuple[Node, Node]:
        """Append the generator, and the discriminator twice."""
        return self.discriminator(self.generator(codes)), self.discriminator(real)


def gan_graph() -> gn.Graph:
    """Both networks, and the loss of the discriminator."""
    with gn.Graph() as graph:
        codes = gn.Input((None, 32), name="codes")
        real = gn.Input((None, 784), name="real")
        made, known = GAN()(codes, real)
        loss = gn.LossBCEWithLogits()
        loss(made, made * 0) + loss(known, known * 0 + 1)  # appended to the list
    return graph
