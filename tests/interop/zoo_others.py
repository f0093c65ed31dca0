"""Models of other kinds, and habits of writing them, small."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - everybody calls it so
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm, weight_norm


def mlp():
    return nn.Sequential(
        nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 2)
    )


class TiedAutoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Linear(6, 3)
        self.bias = nn.Parameter(torch.zeros(6))

    def forward(self, x):
        code = torch.sigmoid(self.encoder(x))
        return F.linear(code, self.encoder.weight.t(), self.bias), code


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc21, self.fc22 = nn.Linear(6, 5), nn.Linear(5, 2), nn.Linear(5, 2)
        self.fc3, self.fc4 = nn.Linear(2, 5), nn.Linear(5, 6)

    def forward(self, x, noise):
        h = F.relu(self.fc1(x.view(-1, 6)))
        mu, logvar = self.fc21(h), self.fc22(h)
        z = mu + noise * torch.exp(0.5 * logvar)
        y = torch.sigmoid(self.fc4(F.relu(self.fc3(z))))
        kl = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
        return {"reconstruction": y, "mu": mu, "loss": F.mse_loss(y, x, reduction="sum") + kl}


class Siamese(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3))

    def forward(self, first, second):
        a, b = self.body(first), self.body(second)
        return F.cosine_similarity(a, b), (a - b).norm(dim=1)


class MixtureOfExperts(nn.Module):
    def __init__(self, count=3):
        super().__init__()
        self.gate = nn.Linear(4, count)
        self.experts = nn.ModuleList([nn.Linear(4, 4) for _ in range(count)])

    def forward(self, x):
        weights = self.gate(x).softmax(-1)
        outputs = torch.stack([expert(x) for expert in self.experts], dim=1)
        return torch.einsum("be,bed->bd", weights, outputs)


class Recommender(nn.Module):
    def __init__(self):
        super().__init__()
        self.user, self.item = nn.Embedding(7, 3), nn.Embedding(9, 3)
        self.user_bias, self.item_bias = nn.Embedding(7, 1), nn.Embedding(9, 1)

    def forward(self, user, item):
        score = (self.user(user) * self.item(item)).sum(1)
        return score + self.user_bias(user).squeeze(1) + self.item_bias(item).squeeze()


class GraphConvolution(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(3, 4))
        self.bias = nn.Parameter(torch.randn(4))
        adjacency = (torch.rand(5, 5) > 0.5).float() + torch.eye(5)
        self.register_buffer("adjacency", adjacency / adjacency.sum(1, keepdim=True))

    def forward(self, x):
        return F.relu(torch.matmul(self.adjacency, x @ self.weight) + self.bias).amax(dim=1)


class Frozen(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5), nn.ReLU())
        self.head = nn.Linear(5, 2)
        for parameter in self.backbone.parameters():
            parameter.requires_grad_(False)

    def train(self, mode=True):
        super().train(mode)
        self.backbone.eval()
        return self

    def forward(self, x):
        with torch.no_grad():
            features = self.backbone(x)
        return self.head(features)


class WeightNorm(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = weight_norm(nn.Linear(4, 3))
        self.conv = weight_norm(nn.Conv1d(1, 2, 3))

    def forward(self, x):
        return self.conv(self.fc(x).relu().unsqueeze(1)).squeeze(-1)


class SpectralNorm(nn.Module):
    """A critic of images, as for adversarial training."""

    def __init__(self):
        super().__init__()
        self.conv = spectral_norm(nn.Conv2d(1, 3, 2))
        self.up = spectral_norm(nn.ConvTranspose2d(3, 2, 2), n_power_iterations=2)
        self.fc = spectral_norm(nn.Linear(8, 1))

    def forward(self, x):
        h = self.conv(x.view(-1, 1, 2, 2))
        return self.fc(self.up(F.leaky_relu(h, 0.2)).flatten(1))


class DictOutputs(nn.Module):
    def __init__(self):
        super().__init__()
        self.shared, self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 2), nn.Linear(4, 3)

    def forward(self, batch):
        h = torch.relu(self.shared(batch["x"]) + batch["y"])
        return {"a": self.a(h), "pair": (self.b(h), h)}


class InPlace(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 6)

    def forward(self, x):
        x = self.fc(x)
        x += 1
        x.mul_(2).clamp_(-3, 3)
        y = x.clone()
        y[:, 0] = 0.5
        y[:, 1:3] += x[:, :2]
        y[..., -1].mul_(x[:, 2])
        view = y.view(-1, 2, 3)
        view[:, 1].add_(1)
        return y.sub_(x.detach()).exp_().log1p()


class Functional(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.randn(5, 4))

    def forward(self, x):
        y = torch.addmm(self.w[:, 0], x, self.w.T)
        a, b = y.split([2, 3], dim=1)
        z = torch.cat([a.cos(), b.sin(), y.abs().sqrt()], dim=-1)
        z = torch.where(z > 0.5, z, z * 0.1) / (1 + z.std(dim=1, keepdim=True))
        return torch.stack((z.min(1).values, z.argmax(1).to(z.dtype), z.prod(1)), 1).cumsum(1)


class OwnNorm(nn.Module):
    def __init__(self):
        super().__init__()
        self.bn = nn.BatchNorm1d(3)
        self.other = nn.BatchNorm1d(3, track_running_stats=False, affine=False)
        self.last = nn.BatchNorm1d(3, momentum=None)

    def forward(self, x):
        return self.other(self.bn(self.bn(x) + 1)) * self.last(x)


class Residuals(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(4, 4) for _ in range(3)])
        self.scale = nn.ParameterList([nn.Parameter(torch.ones(1)) for _ in range(3)])

    def forward(self, x):
        for layer, scale in zip(self.layers, self.scale, strict=True):
            x = x + scale * F.softplus(layer(F.layer_norm(x, (4,))))
        return x


class Shared(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.Linear(4, 4)

    def forward(self, x):
        for _ in range(3):
            x = torch.tanh(self.cell(x))
        return x


class AlwaysDropping(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 4)

    def forward(self, x):
        x = F.dropout(self.fc(x), 0.4, training=self.training)
        return F.dropout(x, 0.2)


class Masks(nn.Module):
    def forward(self, x):
        b, t = x.shape
        mask = torch.arange(t).expand(b, t) < torch.full((b, 1), 2)
        positions = torch.arange(b).unsqueeze(1) * torch.ones(b, t, dtype=torch.long)
        return x.masked_fill(mask, 0.0) + positions.float().to(x.dtype) / b


class LossInside(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 3)
        self.loss = nn.CrossEntropyLoss(label_smoothing=0.1)

    def forward(self, x, labels):
        logits = self.fc(x)
        return logits, self.loss(logits, labels)


class Parallel(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleDict({"left": nn.Linear(4, 3), "right": nn.Bilinear(4, 4, 3)})
        self.act = nn.ModuleDict({"left": nn.SELU(), "right": nn.PReLU()})

    def forward(self, x):
        return self.act["left"](self.layers["left"](x)), self.act["right"](
            self.layers["right"](x, x)
        )


def four(n):
    return (torch.randn(n, 4),)


OTHERS = {
    "mlp": (mlp, four),
    "tied autoencoder": (TiedAutoencoder, lambda n: (torch.randn(n, 6),)),
    "vae": (VAE, lambda n: (torch.rand(n, 6), torch.randn(n, 2))),
    "siamese": (Siamese, lambda n: (torch.randn(n, 4), torch.randn(n, 4))),
    "mixture of experts": (MixtureOfExperts, four),
    "recommender": (Recommender, lambda n: (torch.randint(7, (n,)), torch.randint(9, (n,)))),
    "graph convolution": (GraphConvolution, lambda n: (torch.randn(n, 5, 3),)),
    "frozen parts": (Frozen, four),
    "weight norm": (WeightNorm, four),
    "spectral norm": (SpectralNorm, four),
    "dict outputs": (DictOutputs, lambda n: ({"x": torch.randn(n, 4), "y": torch.randn(n, 4)},)),
    "in-place code": (InPlace, four),
    "functional": (Functional, four),
    "own normalizations": (OwnNorm, lambda n: (torch.randn(n, 3),)),
    "residuals": (Residuals, four),
    "shared layer": (Shared, four),
    "dropout in both modes": (AlwaysDropping, four),
    "masks": (Masks, four),
    "loss inside": (LossInside, lambda n: (torch.randn(n, 4), torch.randint(3, (n,)))),
    "parallel": (Parallel, four),
}
"""The models by name: how to make one, and inputs for a batch."""
