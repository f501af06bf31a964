"""Golden loss curves: 50 steps of SimCLR in PyTorch, from weights and images that a formula gives to both sides.

    python3 -m venv venv
    venv/bin/pip install torch==2.15.0 numpy
    venv/bin/python simclr_steps.py > simclr_steps.json

ResNet-18 of width 16 with the CIFAR stem, the two-layer head, NT-Xent at temperature 0.5, 16 images of 32 pixels a step,
5 steps of linear warm-up and a cosine; AdamW, Adam, SGD with Nesterov momentum, and LARS. Each is run in float64 and in
float32: the golden curve is the float64 one, and the distance between the two says what rounding alone does.

Weights and images are integers of 20 bits hashed from a counter and scaled in float64, so that no file has to hold them.
"""

import json
import math
import sys

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

STEPS, WARMUP = 50, 5
IMAGES, SIDE, POOL = 16, 32, 64
TEMPERATURE = 0.5
WIDTH, PROJECTION = 16, 128
WEIGHT_STREAM, PATTERN_STREAM, NOISE_STREAM = 0, 1 << 20, 1 << 21


def uniform(stream, count):
    """`count` multiples of 2^-19 in [-1, 1): splitmix64 of (stream, index), its top 20 bits."""
    with np.errstate(over="ignore"):
        x = (np.uint64(stream) << np.uint64(32)) + np.arange(count, dtype=np.uint64)
        x = (x + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        x = x ^ (x >> np.uint64(31))
    return (x >> np.uint64(44)).astype(np.float64) / 2.0**19 - 1.0


def single(values):
    """As float32 holds them, in float64."""
    return torch.from_numpy(values.astype(np.float32).astype(np.float64))


def views(step):
    """Images 16 * step .. of 64 in turn, in two views: a coarse pattern of 8 x 8 tiles, under noise."""
    batch = []
    for view in range(2):
        for i in range(IMAGES):
            image = (IMAGES * step + i) % POOL
            pattern = uniform(PATTERN_STREAM + image, 3 * 8 * 8).reshape(3, 8, 8)
            pattern = pattern.repeat(SIDE // 8, axis=1).repeat(SIDE // 8, axis=2)
            stream = NOISE_STREAM + (step * 2 + view) * IMAGES + i
            noise = uniform(stream, 3 * SIDE * SIDE).reshape(3, SIDE, SIDE)
            batch.append(pattern + 0.5 * noise)
    return single(np.stack(batch))


class Block(nn.Module):
    def __init__(self, channels_in, channels, stride):
        super().__init__()
        self.first = nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False)
        self.first_norm = nn.BatchNorm2d(channels)
        self.second = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.second_norm = nn.BatchNorm2d(channels)
        self.shortcut = None
        if stride != 1 or channels_in != channels:
            conv = nn.Conv2d(channels_in, channels, 1, stride, bias=False)
            self.shortcut = nn.Sequential(conv, nn.BatchNorm2d(channels))

    def forward(self, x):
        shortcut = x if self.shortcut is None else self.shortcut(x)
        x = F.relu(self.first_norm(self.first(x)))
        return F.relu(self.second_norm(self.second(x)) + shortcut)


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.stem_norm = nn.Conv2d(3, WIDTH, 3, 1, 1, bias=False), nn.BatchNorm2d(WIDTH)
        blocks, channels_in = [], WIDTH
        for stage in range(4):
            channels = WIDTH << stage
            for index in range(2):
                blocks.append(Block(channels_in, channels, 2 if stage > 0 and index == 0 else 1))
                channels_in = channels
        self.blocks = nn.Sequential(*blocks)
        self.hidden = nn.Linear(channels_in, channels_in, bias=False)
        self.hidden_norm = nn.BatchNorm1d(channels_in)
        self.output = nn.Linear(channels_in, PROJECTION)

    def forward(self, images):
        x = F.relu(self.stem_norm(self.stem(images)))
        h = self.blocks(x).mean(dim=(2, 3))
        return self.output(F.relu(self.hidden_norm(self.hidden(h))))


def fill(network):
    """Parameter number k takes stream k: weights by their fan, gammas around 1, betas around 0.

    The last gamma of a block is small, as SimCLR starts it at 0: a new block is nearly the identity.
    """
    for stream, (name, parameter) in enumerate(network.named_parameters()):
        u = uniform(WEIGHT_STREAM + stream, parameter.numel()).reshape(parameter.shape)
        if parameter.dim() == 4:
            fan_out = parameter.shape[0] * parameter.shape[2] * parameter.shape[3]
            values = u * math.sqrt(6.0 / fan_out)
        elif parameter.dim() == 2:
            values = u * math.sqrt(1.0 / parameter.shape[1])
        elif name == "output.bias":
            values = u * math.sqrt(1.0 / network.output.in_features)
        elif name.endswith("second_norm.weight"):
            values = 0.25 * u
        elif name.endswith("weight"):
            values = 1.0 + 0.25 * u
        else:
            values = 0.125 * u
        with torch.no_grad():
            parameter.copy_(single(values))


def nt_xent(z):
    z = F.normalize(z, dim=1)
    n = len(z) // 2
    similarities = (z @ z.T / TEMPERATURE).masked_fill(torch.eye(2 * n, dtype=torch.bool), -math.inf)
    return F.cross_entropy(similarities, (torch.arange(2 * n) + n) % (2 * n))


class Lars:
    """google-research/simclr, lars_optimizer.py with its defaults, norms and biases left out."""

    def __init__(self, network, weight_decay, trust_coefficient):
        self.trust_coefficient = trust_coefficient
        self.parameters = list(network.parameters())
        self.velocities = [torch.zeros_like(p) for p in self.parameters]
        self.weight_decay = weight_decay

    @torch.no_grad()
    def step(self, rate):
        for w, v in zip(self.parameters, self.velocities):
            g, trust = w.grad, 1.0
            if w.dim() > 1:
                g = g + self.weight_decay * w
                if w.norm() > 0 and g.norm() > 0:
                    trust = self.trust_coefficient * w.norm() / g.norm()
            v.mul_(0.9).add_(rate * trust * g)
            w.sub_(v)
            w.grad = None


class OfPyTorch:
    def __init__(self, optimizer):
        self.optimizer = optimizer

    def step(self, rate):
        self.optimizer.param_groups[0]["lr"] = rate
        self.optimizer.step()
        self.optimizer.zero_grad()


def adamw(network, weight_decay):
    return OfPyTorch(torch.optim.AdamW(network.parameters(), lr=1.0, weight_decay=weight_decay))


def adam(network, weight_decay):
    return OfPyTorch(torch.optim.Adam(network.parameters(), lr=1.0, weight_decay=weight_decay))


def nesterov(network, weight_decay):
    options = {"lr": 1.0, "momentum": 0.9, "nesterov": True, "weight_decay": weight_decay}
    return OfPyTorch(torch.optim.SGD(network.parameters(), **options))


def rate(step, peak):
    if step < WARMUP:
        return peak * step / WARMUP
    return peak * (1 + math.cos(math.pi * (step - WARMUP) / (STEPS - WARMUP))) / 2


def curve(optimizer, peak, dtype):
    network = Network().double()
    fill(network)
    network = network.to(dtype).train()
    optimizer = optimizer(network)
    losses = []
    for step in range(STEPS):
        loss = nt_xent(network(views(step).to(dtype)))
        loss.backward()
        losses.append(loss.item())
        optimizer.step(rate(step, peak))
    return losses


def main():
    torch.set_num_threads(1)
    curves = []
    # Rates at which rounding stays small: at ten times these, 50 steps of this untrained network turn the
    # last digit of a float32 into a percent of the loss, in PyTorch too, and a comparison means nothing.
    # LARS' norms and biases take plain steps of the same rate as its weights, so that a small rate needs a
    # large trust coefficient for the weights to move at all.
    for name, optimizer, peak, weight_decay, trust_coefficient in [
        ("adamw", lambda n: adamw(n, 0.05), 3e-4, 0.05, None),
        ("adam", lambda n: adam(n, 0.01), 3e-4, 0.01, None),
        ("nesterov", lambda n: nesterov(n, 1e-3), 1e-3, 1e-3, None),
        ("lars", lambda n: Lars(n, 1e-2, 0.1), 3e-3, 1e-2, 0.1),
    ]:
        golden = curve(optimizer, peak, torch.float64)
        rounded = curve(optimizer, peak, torch.float32)
        drift = max(abs(a - b) / a for a, b in zip(golden, rounded))
        print(f"{name}: {golden[0]:.4f} -> {golden[-1]:.4f}, float32 within {drift:.1e}", file=sys.stderr)
        curves.append({
            "optimizer": name,
            "peak": peak,
            "weight_decay": weight_decay,
            "trust_coefficient": trust_coefficient,
            "float32_drift": float(f"{drift:.2g}"),
            "losses": [float(f"{loss:.9g}") for loss in golden],
        })
    json.dump(curves, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
