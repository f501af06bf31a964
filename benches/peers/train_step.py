"""A training step of an encoder against PyTorch: seconds and peak memory by network and batch.

Peers: torchvision's or timm's network with a linear layer of 128 outputs, forward, mean of the squares, backward, in the
faster of PyTorch's two orders in memory; and the same ResNet with Burn's own layers instead of ours. Needs: pip install
torch torchvision timm

Both sides run on 2 threads. Every case runs in a process of its own, ours and the peers' in turn.
"""

import json
import pathlib
import sys
import time

from bench import build, measure

THREADS = 2
# Encoder, width, stem, pixels and batches.
CASES = [
    ("resnet18", 64, "cifar", 32, [32, 128]),
    ("resnet18", 16, "cifar", 32, [32, 128, 256]),
    ("resnet18", 64, "standard", 96, [32, 128]),
    ("resnet18", 16, "standard", 96, [32, 128, 256]),
    ("resnet50", 64, "standard", 96, [32]),
]
# Encoders without a width and a stem: name, pixels and batches.
NAMED = [
    ("efficientnet_b0", 96, [32]),
    ("efficientnet_b0", 224, [16]),
    ("efficientnet_b3", 96, [32]),
    ("efficientnet_b3", 224, [8]),
    ("vit_tiny_p16_i96", 96, [32]),
    ("vit_small_p16_i96", 96, [32]),
    ("vit_tiny_p16", 224, [16]),
    ("vit_small_p16", 224, [16]),
]
QUICK = 32


def rows(options):
    bench = build("train_step")
    for encoder, width, stem, pixels, batches in CASES:
        for images in batches:
            if options.quick and images > QUICK:
                continue
            case = [encoder, str(width), stem, str(pixels), str(images)]
            ours = measure([bench, "ours", *case], THREADS)
            torch = measure([sys.executable, __file__, *case], THREADS)
            others = {"torch": torch, "burn": measure([bench, "burn", *case], THREADS)}
            for name, peer in others.items():
                for key, unit, what in [("fastest", "s", "time"), ("peak_mib", "MiB", "memory")]:
                    # Memory is compared with Burn's own layers; torch's process holds libraries of its own.
                    if key == "peak_mib" and name == "torch":
                        continue
                    yield {
                        "work": "train_step",
                        "case": f"{encoder} width={width} {pixels}px n={images} {what}",
                        "ours": ours[key],
                        "peer": peer[key],
                        "peer_name": name,
                        "ratio": peer[key] / ours[key],
                        "unit": unit,
                    }


    for encoder, pixels, batches in NAMED:
        for images in batches:
            case = [encoder, str(pixels), str(images)]
            ours = measure([bench, "ours", *case], THREADS)
            torch = measure([sys.executable, __file__, *case], THREADS)
            for key, unit, what in [("fastest", "s", "time"), ("peak_mib", "MiB", "memory")]:
                yield {
                    "work": "train_step",
                    "case": f"{encoder} {pixels}px n={images} {what}",
                    "ours": ours[key],
                    "peer": torch[key],
                    "peer_name": "torch",
                    "ratio": torch[key] / ours[key],
                    "unit": unit,
                }


def named(encoder, pixels):
    import torch

    if encoder.startswith("vit"):
        import timm

        size = encoder.split("_")[1]
        return timm.create_model(f"vit_{size}_patch16_224", num_classes=128, img_size=pixels)
    import torchvision

    net = getattr(torchvision.models, encoder)()
    net.classifier = torch.nn.Linear(net.classifier[-1].in_features, 128)
    return net


def network(encoder, width, stem):
    import torch
    import torchvision

    # torchvision fixes the first width at 64, and takes a wider or slimmer network's from `width_per_group` in
    # bottlenecks only: so every channel count is scaled after the fact.
    net = getattr(torchvision.models, encoder)(num_classes=128)
    if stem == "cifar":
        net.conv1 = torch.nn.Conv2d(3, 64, 3, 1, 1, bias=False)
        net.maxpool = torch.nn.Identity()
    if width != 64:
        slim(net, width / 64)
    return net


def slim(module, factor):
    """Replaces every layer by one with `factor` times the channels, but for 3 inputs and 128 outputs."""
    import torch

    for name, layer in module.named_children():
        if isinstance(layer, torch.nn.Conv2d):
            channels_in = layer.in_channels if layer.in_channels == 3 else int(layer.in_channels * factor)
            channels_out = int(layer.out_channels * factor)
            sizes = (layer.kernel_size, layer.stride, layer.padding)
            setattr(module, name, torch.nn.Conv2d(channels_in, channels_out, *sizes, bias=False))
        elif isinstance(layer, torch.nn.BatchNorm2d):
            setattr(module, name, torch.nn.BatchNorm2d(int(layer.num_features * factor)))
        elif isinstance(layer, torch.nn.Linear):
            setattr(module, name, torch.nn.Linear(int(layer.in_features * factor), layer.out_features))
        else:
            slim(layer, factor)


def peer(network, pixels, images):
    import torch

    torch.set_num_threads(THREADS)
    torch.manual_seed(0)
    x = torch.rand(images, 3, pixels, pixels)
    orders = [torch.contiguous_format, torch.channels_last]
    seconds = []
    for order in orders:
        seconds += steps(network().to(memory_format=order), x.contiguous(memory_format=order))
    result = {"fastest": min(s for s, _ in seconds), "forward": min(f for _, f in seconds), "peak_mib": peak_mib()}
    print(json.dumps(result))


def steps(net, x):
    def step():
        net.zero_grad()
        start = time.perf_counter()
        loss = (net(x) ** 2).mean()
        forward = time.perf_counter() - start
        loss.backward()
        return time.perf_counter() - start, forward

    first, _ = step()
    return [step() for _ in range(int(min(max(4 / first, 2), 30)))]


def peak_mib():
    status = pathlib.Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024


if __name__ == "__main__":
    encoder, *sizes, pixels, images = sys.argv[1:]
    build_network = (
        (lambda: network(encoder, int(sizes[0]), sizes[1])) if sizes else (lambda: named(encoder, int(pixels)))
    )
    peer(build_network, int(pixels), int(images))
