"""Models of images, as people write them with torch.nn, small."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - everybody calls it so
from torch import nn


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 4, 3)
        self.conv2 = nn.Conv2d(4, 6, 3)
        self.fc1 = nn.Linear(6 * 2 * 2, 10)
        self.fc2 = nn.Linear(10, 5)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), (2, 2))
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = x.view(-1, 6 * 2 * 2)
        return F.log_softmax(self.fc2(F.relu(self.fc1(x))), dim=1)


class BasicBlock(nn.Module):
    def __init__(self, inside, outside, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(inside, outside, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outside)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(outside, outside, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outside)
        self.downsample = None
        if stride != 1 or inside != outside:
            self.downsample = nn.Sequential(
                nn.Conv2d(inside, outside, 1, stride, bias=False), nn.BatchNorm2d(outside)
            )

    def forward(self, x):
        identity = x if self.downsample is None else self.downsample(x)
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += identity
        return self.relu(out)


class ResNet(nn.Module):
    def __init__(self, blocks=(1, 1), width=4, classes=3):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self.layer1 = nn.Sequential(*[BasicBlock(width, width) for _ in range(blocks[0])])
        self.layer2 = nn.Sequential(BasicBlock(width, 2 * width, 2))
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(2 * width, classes)

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer2(self.layer1(x))
        return self.fc(torch.flatten(self.avgpool(x), 1))


class Depthwise(nn.Module):
    def __init__(self):
        super().__init__()
        layers = []
        for inside, outside, stride in ((3, 4, 2), (4, 6, 1)):
            layers += [
                nn.Conv2d(inside, inside, 3, stride, 1, groups=inside, bias=False),
                nn.BatchNorm2d(inside),
                nn.ReLU6(inplace=True),
                nn.Conv2d(inside, outside, 1, bias=False),
                nn.BatchNorm2d(outside),
                nn.Hardswish(),
            ]
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(6, 3))

    def forward(self, x):
        return self.classifier(self.features(x).mean((2, 3)))


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down1, self.down2 = self.block(1, 4), self.block(4, 8)
        self.pool = nn.MaxPool2d(2)
        self.up = nn.ConvTranspose2d(8, 4, 2, stride=2)
        self.out = self.block(8, 4)
        self.head = nn.Conv2d(4, 2, 1)

    @staticmethod
    def block(inside, outside):
        return nn.Sequential(
            nn.Conv2d(inside, outside, 3, padding=1), nn.BatchNorm2d(outside), nn.ReLU(True)
        )

    def forward(self, x):
        skip = self.down1(x)
        x = self.up(self.down2(self.pool(skip)))
        return self.head(self.out(torch.cat([skip, x], dim=1)))


class Upsampling(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 3, 3, padding=1)
        self.up = nn.Upsample(scale_factor=2, mode="nearest")

    def forward(self, x):
        x = self.up(F.elu(self.conv(x)))
        return F.interpolate(x, scale_factor=2, mode="nearest").tanh()


class SuperResolution(nn.Module):
    def __init__(self, scale=2):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 3, padding="same")
        self.conv2 = nn.Conv2d(6, scale * scale, 3, padding="same")
        self.scale = scale

    def forward(self, x):
        x = self.conv2(F.gelu(self.conv1(x)))
        b, _, h, w = x.shape
        s = self.scale
        return x.view(b, 1, s, s, h, w).permute(0, 1, 4, 2, 5, 3).reshape(b, 1, h * s, w * s)


class ViT(nn.Module):
    def __init__(self, size=8, patch=4, width=8, heads=2, depth=2):
        super().__init__()
        self.patch = nn.Conv2d(3, width, patch, patch)
        self.cls = nn.Parameter(torch.randn(1, 1, width) * 0.1)
        self.pos = nn.Parameter(torch.randn(1, 1 + (size // patch) ** 2, width) * 0.1)
        layer = nn.TransformerEncoderLayer(
            width, heads, 16, 0.1, "gelu", batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, depth, enable_nested_tensor=False)
        self.head = nn.Linear(width, 3)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls.expand(x.shape[0], -1, -1), x], 1) + self.pos
        return self.head(self.encoder(x)[:, 0])


class ConvNeXtBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.dwconv = nn.Conv2d(width, width, 3, padding=1, groups=width)
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.pwconv1 = nn.Linear(width, 4 * width)
        self.act = nn.GELU()
        self.pwconv2 = nn.Linear(4 * width, width)
        self.gamma = nn.Parameter(0.5 * torch.ones(width))

    def forward(self, x):
        y = self.dwconv(x).permute(0, 2, 3, 1)
        y = self.gamma * self.pwconv2(self.act(self.pwconv1(self.norm(y))))
        return x + y.permute(0, 3, 1, 2)


class ConvNeXt(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 2, 2)
        self.blocks = nn.ModuleList([ConvNeXtBlock(4) for _ in range(2)])
        self.head = nn.Linear(4, 3)

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.head(x.mean([-2, -1]))


class Mixer(nn.Module):
    def __init__(self, tokens=4, width=6):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.tokens = nn.Sequential(nn.Linear(tokens, 8), nn.GELU(), nn.Linear(8, tokens))
        self.channels = nn.Sequential(nn.Linear(width, 8), nn.GELU(), nn.Linear(8, width))

    def forward(self, x):
        x = x + self.tokens(self.norm1(x).mT).mT
        return x + self.channels(self.norm2(x))


class DenseBlock(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(
            [
                nn.Sequential(
                    nn.BatchNorm2d(n), nn.ReLU(), nn.Conv2d(n, 2, 3, padding=1, bias=False)
                )
                for n in (2, 4, 6)
            ]
        )
        self.transition = nn.Sequential(nn.Conv2d(8, 4, 1), nn.AvgPool2d(2, 2))

    def forward(self, x):
        features = [x]
        for layer in self.layers:
            features.append(layer(torch.cat(features, 1)))
        return self.transition(torch.cat(features, 1))


class GroupNormNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 4, 3, bias=False)
        self.instance = nn.InstanceNorm2d(4, affine=True)
        self.norm = nn.GroupNorm(2, 4)

    def forward(self, x):
        return self.norm(F.silu(self.instance(self.conv(x))))


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(
            nn.ConvTranspose2d(5, 4, 3, 1, 0, bias=False),
            nn.BatchNorm2d(4),
            nn.ReLU(True),
            nn.ConvTranspose2d(4, 1, 4, 2, 1, bias=False),
            nn.Tanh(),
        )

    def forward(self, z):
        return self.main(z[:, :, None, None])


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(1, 4, 4, 2, 1, bias=False),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(4, 1, 3, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, x):
        return self.main(x).view(-1)


class SqueezeExcite(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 4, 3, padding=1)
        self.reduce, self.expand = nn.Linear(4, 2), nn.Linear(2, 4)

    def forward(self, x):
        x = F.relu_(self.conv(x)) + 0.1
        s = F.adaptive_avg_pool2d(x, 1).flatten(1)
        s = torch.sigmoid(self.expand(F.relu(self.reduce(s))))
        return x.add_(s[:, :, None, None]).mean(dim=(2, 3))


IMAGES = {
    "lenet": (LeNet, lambda n: (torch.randn(n, 1, 14, 14),)),
    "resnet": (ResNet, lambda n: (torch.randn(n, 3, 8, 8),)),
    "depthwise": (Depthwise, lambda n: (torch.randn(n, 3, 6, 6),)),
    "u-net": (UNet, lambda n: (torch.randn(n, 1, 6, 6),)),
    "upsampling": (Upsampling, lambda n: (torch.randn(n, 2, 3, 4),)),
    "super-resolution": (SuperResolution, lambda n: (torch.randn(n, 1, 4, 5),)),
    "vit": (ViT, lambda n: (torch.randn(n, 3, 8, 8),)),
    "convnext": (ConvNeXt, lambda n: (torch.randn(n, 3, 6, 6),)),
    "mixer": (Mixer, lambda n: (torch.randn(n, 4, 6),)),
    "dense block": (DenseBlock, lambda n: (torch.randn(n, 2, 4, 4),)),
    "group norm": (GroupNormNet, lambda n: (torch.randn(n, 2, 5, 5),)),
    "dcgan generator": (Generator, lambda n: (torch.randn(n, 5),)),
    "dcgan discriminator": (Discriminator, lambda n: (torch.randn(n, 1, 6, 6),)),
    "squeeze and excite": (SqueezeExcite, lambda n: (torch.randn(n, 2, 4, 4),)),
}
"""The models by name: how to make one, and inputs for a batch."""
