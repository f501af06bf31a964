"""The work of `simclr doctor` in PyTorch, for benches/gpu/run: a training step, embedding, NT-Xent.

The definitions are the doctor's: a step has n images, each in two views; ResNet, a head of two layers with batch norm after the
first, NT-Xent at 0.5, SGD with Nesterov's momentum; embedding is without gradients and with the running statistics; the loss is
with the gradient of both views, d = 128. Each figure is the median of up to five measurements after two repetitions that don't
count, and a measurement waits for the device once, at its end. Eager mode; cuDNN chooses its kernels (`cudnn.benchmark`).

    python3 pytorch.py [--small] [--seconds 190] [--out pytorch.json]

It takes the first CUDA device, or else the CPU, where the sizes should be small.
"""

import argparse
import json
import os
import re
import statistics
import time

import torch
import torch.nn.functional as F
from torch import nn

TEMPERATURE = 0.5
D = 128
SIZES = {"encoder": "resnet50", "size": 224, "images": 256, "loss_n": [4096, 8192, 16384, 32768, 65536]}
SMALL = {"encoder": "resnet18x0.125_cifar", "size": 32, "images": 8, "loss_n": [64, 256]}


class Block(nn.Module):
    """A residual block: two 3x3 convolutions, or 1x1, 3x3 and 1x1 with four times the channels (torchvision's)."""

    def __init__(self, inputs, channels, stride, bottleneck):
        super().__init__()
        if bottleneck:
            outputs = 4 * channels
            layers = [(inputs, channels, 1, 1), (channels, channels, 3, stride), (channels, outputs, 1, 1)]
        else:
            outputs = channels
            layers = [(inputs, channels, 3, stride), (channels, channels, 3, 1)]
        self.convolutions = nn.ModuleList(
            nn.Conv2d(a, b, kernel, step, kernel // 2, bias=False) for a, b, kernel, step in layers
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(b) for _, b, _, _ in layers)
        self.shortcut = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = x
        for i, (convolution, norm) in enumerate(zip(self.convolutions, self.norms)):
            y = norm(convolution(y))
            if i + 1 < len(self.norms):
                y = F.relu(y, inplace=True)
        return F.relu(y + self.shortcut(x), inplace=True)


class ResNet(nn.Module):
    """The networks that `simclr` calls resnet18, resnet50, resnet18x0.25_cifar, ..."""

    def __init__(self, name):
        super().__init__()
        depth, factor, cifar = re.fullmatch(r"resnet(18|34|50)(?:x([\d.]+))?(_cifar)?", name).groups()
        width = int(64 * float(factor or 1))
        blocks = {"18": [2, 2, 2, 2], "34": [3, 4, 6, 3], "50": [3, 4, 6, 3]}[depth]
        bottleneck = depth == "50"
        kernel, stride = (3, 1) if cifar else (7, 2)
        layers = [nn.Conv2d(3, width, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
        if not cifar:
            layers.append(nn.MaxPool2d(3, 2, 1))
        inputs = width
        for stage, count in enumerate(blocks):
            channels = width << stage
            for i in range(count):
                layers.append(Block(inputs, channels, 2 if stage > 0 and i == 0 else 1, bottleneck))
                inputs = 4 * channels if bottleneck else channels
        self.layers = nn.Sequential(*layers)
        self.feature_size = inputs

    def forward(self, x):
        return self.layers(x).mean((2, 3))


def nt_xent(z_a, z_b):
    """The plain matrix form: all similarities, the diagonal left out, cross entropy with the partner as the class."""
    n = z_a.shape[0]
    z = F.normalize(torch.cat([z_a, z_b]), dim=1)
    similarities = z @ z.T / TEMPERATURE
    similarities.fill_diagonal_(float("-inf"))
    partners = torch.arange(2 * n, device=z.device).roll(n)
    return F.cross_entropy(similarities, partners)


def wait(device):
    if device.type == "cuda":
        torch.cuda.synchronize()


def speed(device, seconds, work):
    """The time of one repetition, measured as `simclr doctor` does it."""
    started = time.perf_counter()

    def measure(repetitions):
        start = time.perf_counter()
        for _ in range(repetitions):
            result = work()
        wait(device)
        elapsed = (time.perf_counter() - start) / repetitions
        del result
        return elapsed

    first = measure(1)
    typical = max(measure(1), 1e-6)
    deadline = started + 0.8 * seconds
    affordable = int(max((deadline - time.perf_counter()) / typical, 1))
    measurements = min(affordable, 5)
    repetitions = min(max(min(int(0.5 / typical), affordable // measurements), 1), 50)
    times = [measure(repetitions)]
    # The second repetition may have been quicker than the others are.
    while len(times) < measurements and time.perf_counter() + repetitions * times[-1] < deadline:
        times.append(measure(repetitions))
    return {
        "seconds": statistics.median(times),
        "measurements": len(times),
        "repetitions": repetitions,
        "first_seconds": first,
    }


def training(device, sizes, seconds, bf16):
    torch.manual_seed(0)
    encoder = ResNet(sizes["encoder"])
    size = encoder.feature_size
    head = nn.Sequential(nn.Linear(size, size, bias=False), nn.BatchNorm1d(size), nn.ReLU(inplace=True), nn.Linear(size, D))
    model = nn.Sequential(encoder, head).to(device)
    views = torch.randn(2 * sizes["images"], 3, sizes["size"], sizes["size"], device=device)
    if bf16:
        model, views = model.to(memory_format=torch.channels_last), views.to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9, nesterov=True, weight_decay=1e-4)

    def step():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
            features = encoder(views)
        z_a, z_b = head(features.float()).chunk(2)
        loss = nt_xent(z_a, z_b)
        loss.backward()
        optimizer.step()
        return loss

    return speed(device, seconds, step)


def embedding(device, sizes, seconds):
    torch.manual_seed(0)
    encoder = ResNet(sizes["encoder"]).to(device).eval()
    images = torch.randn(sizes["images"], 3, sizes["size"], sizes["size"], device=device)
    with torch.inference_mode():
        return speed(device, seconds, lambda: encoder(images))


def loss(device, n, seconds):
    torch.manual_seed(0)
    z_a, z_b = (torch.randn(n, D, device=device, requires_grad=True) for _ in range(2))

    def step():
        z_a.grad = z_b.grad = None
        value = nt_xent(z_a, z_b)
        value.backward()
        return value

    return speed(device, seconds, step)


def cases(device, sizes):
    """What is measured: its fields in the result, whether TF32 is on, and the work for so many seconds."""
    images = {"images": sizes["images"]}
    for tf32 in [True, False]:
        numbers = {"numbers": "f32, TF32 on" if tf32 else "f32, TF32 off"}
        yield {"work": "training", **numbers, **images}, tf32, lambda s: training(device, sizes, s, bf16=False)
    numbers = {"numbers": "bf16 autocast, channels last"}
    yield {"work": "training", **numbers, **images}, True, lambda s: training(device, sizes, s, bf16=True)
    for tf32 in [True, False]:
        numbers = {"numbers": "f32, TF32 on" if tf32 else "f32, TF32 off"}
        yield {"work": "embedding", **numbers, **images}, tf32, lambda s: embedding(device, sizes, s)
    for n in sizes["loss_n"]:
        for tf32 in [True, False]:
            numbers = {"numbers": "f32, TF32 on" if tf32 else "f32, TF32 off"}
            yield {"work": "loss", **numbers, "n": n, "d": D}, tf32, lambda s, n=n: loss(device, n, s)


def outcome(work, seconds):
    """The result of a case, or why there is none."""
    if seconds < 1:
        return {"outcome": "out-of-time", "reason": "no time was left"}
    try:
        return {"outcome": "ok", **work(seconds)}
    except (RuntimeError, MemoryError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        words = reason.lower()
        no_room = isinstance(error, (torch.cuda.OutOfMemoryError, MemoryError)) or "can't allocate memory" in words
        return {"outcome": "out-of-memory" if no_room else "failed", "reason": reason}


def write(path, result):
    """Replaces the file as a whole: whoever stops this program finds what it had."""
    part = f"{path}.part"
    with open(part, "w") as file:
        json.dump(result, file, indent=1)
    os.replace(part, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="sizes for a CPU")
    parser.add_argument("--seconds", type=float, default=190, help="what is left after them is not measured")
    parser.add_argument("--out", default="pytorch.json")
    options = parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    on_gpu = device.type == "cuda"
    sizes = SMALL if options.small else SIZES
    result = {
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "device": torch.cuda.get_device_name() if on_gpu else "CPU",
        "threads": torch.get_num_threads(),
        "encoder": sizes["encoder"],
        "size": sizes["size"],
        "rows": [],
    }
    if not on_gpu and not options.small:
        result["reason"] = "PyTorch finds no CUDA device"
        write(options.out, result)
        return
    torch.backends.cudnn.benchmark = True
    deadline = time.perf_counter() + options.seconds
    everything = list(cases(device, sizes))
    for i, (fields, tf32, work) in enumerate(everything):
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32
        left = deadline - time.perf_counter()
        # Each case its share of the time; one that is quick leaves the others more.
        result["rows"].append({**fields, **outcome(work, min(left, 2 * left / (len(everything) - i)))})
        write(options.out, result)
        if on_gpu:
            torch.cuda.empty_cache()


if __name__ == "__main__":
    main()
