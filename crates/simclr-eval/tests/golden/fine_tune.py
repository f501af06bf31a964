"""Fine-tuning in PyTorch, in float64: writes fine_tune.json.

    python3 fine_tune.py > fine_tune.json        # needs torch

A convolution, batch normalisation, ReLU, the mean over all pixels and a linear layer that starts from zeros
learn twelve images of three classes: one step an epoch, of all images, the rate along a cosine. Each image is
its own mirror image, so that a flip changes nothing. `tests/fine_tuning_pytorch.rs` has the same formulas.
"""
import json
import math
import sys

import torch
from torch import nn
from torch.nn import functional as F

IMAGES, CLASSES, SIDE, CHANNELS, EPOCHS = 12, 3, 8, 6, 8


def pixel(image, channel, y, x):
    column = min(x, SIDE - 1 - x)
    return (37 * image + 11 * column * (channel + 1) + 23 * y * (image % CLASSES + 1)) % 256


def images():
    values = [
        [[[pixel(i, c, y, x) for x in range(SIDE)] for y in range(SIDE)] for c in range(3)]
        for i in range(IMAGES)
    ]
    return (torch.tensor(values, dtype=torch.float64) / 255 - 0.5) / 0.5


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, CHANNELS, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(CHANNELS)
        self.linear = nn.Linear(CHANNELS, CLASSES)
        count = self.conv.weight.numel()
        weights = torch.tensor([0.3 * math.sin(0.7 * k + 0.2) for k in range(count)])
        with torch.no_grad():
            self.conv.weight.copy_(weights.reshape(self.conv.weight.shape))
            self.norm.weight.copy_(torch.tensor([1 + 0.25 * math.sin(k) for k in range(CHANNELS)]))
            self.norm.bias.copy_(torch.tensor([0.1 * math.cos(k) for k in range(CHANNELS)]))
            self.linear.weight.zero_()
            self.linear.bias.zero_()

    def forward(self, x):
        return self.linear(F.relu(self.norm(self.conv(x))).mean(dim=(2, 3)))


def run(name, optimizer, peak):
    network = Network().double()
    optimizer = optimizer(network.parameters())
    x, labels = images(), torch.arange(IMAGES) % CLASSES
    losses = []
    for epoch in range(EPOCHS):
        optimizer.param_groups[0]["lr"] = 0.5 * peak * (1 + math.cos(math.pi * epoch / EPOCHS))
        loss = F.cross_entropy(network(x), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    with torch.no_grad():
        probabilities = network.eval()(x).softmax(dim=1)
    return {
        "optimizer": name,
        "peak": peak,
        "weight_decay": optimizer.param_groups[0]["weight_decay"],
        "losses": losses,
        "probabilities": probabilities.flatten().tolist(),
    }


def main():
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    golden = [
        run("adamw", lambda p: torch.optim.AdamW(p, lr=1.0, weight_decay=0.05), 0.1),
        run("nesterov", lambda p: torch.optim.SGD(p, lr=1.0, momentum=0.9, nesterov=True, weight_decay=0.01), 2.0),
    ]
    for case in golden:
        print(f"{case['optimizer']}: loss {case['losses'][0]:.4f} -> {case['losses'][-1]:.4f}", file=sys.stderr)
    json.dump(golden, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
