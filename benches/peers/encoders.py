"""Every family of encoders against PyTorch: seconds of a forward pass and of a training step.

Peers: torchvision's networks without their classifiers, and timm's vision transformers. Needs: pip install torch
torchvision timm

Both sides run on 2 threads, in float32, PyTorch's in the faster of its two orders in memory, each case in a process of its own, ours and the peer's in turn. `table` prints
docs/encoders.md's: parameters, multiply-adds for one image, and the times.
"""

import json
import re
import sys
import time

from bench import build, measure

THREADS = 2
REPEATS = 5
# Our name, pixels and images.
CASES = [
    ("resnet18", 96, 16),
    ("resnet50", 96, 16),
    ("efficientnet_b0_d0", 96, 16),
    ("efficientnet_b0_d0", 224, 16),
    ("efficientnet_b3_d0", 96, 16),
    ("efficientnet_b3_d0", 224, 4),
    ("vit_tiny_p16_i96", 96, 32),
    ("vit_small_p16_i96", 96, 32),
    ("vit_tiny_p16", 224, 4),
    ("vit_small_p16", 224, 4),
    ("mlp_i32_1024_512", 32, 256),
]


def rows(options):
    bench = build("encoders")
    for encoder, pixels, images in CASES:
        case = [encoder, str(pixels), str(images)]
        ours, peer = measure([bench, *case], THREADS), measure([sys.executable, __file__, *case], THREADS)
        if ours["parameters"] != peer["parameters"]:
            raise SystemExit(f"{encoder}: {ours['parameters']} parameters, the peer {peer['parameters']}")
        for key in ["forward", "step"]:
            yield {
                "work": "encoders",
                "case": f"{encoder} {pixels}px n={images} {key}",
                "ours": ours[key],
                "peer": peer[key],
                "peer_name": "torch",
                "ratio": peer[key] / ours[key],
                "unit": "s",
                "parameters": ours["parameters"],
                "multiply_adds": peer["multiply_adds"],
            }


def network(encoder, pixels):
    import timm
    import torch
    import torchvision

    if encoder.startswith("resnet"):
        net = getattr(torchvision.models, encoder)()
        net.fc = torch.nn.Identity()
    elif encoder.startswith("efficientnet"):
        net = getattr(torchvision.models, encoder.removesuffix("_d0"))(stochastic_depth_prob=0.0)
        net.classifier = torch.nn.Identity()
    elif encoder.startswith("vit"):
        size, patch, family = re.fullmatch(r"vit_(\w+?)_p(\d+)(_(?:reg4_)?dinov\d)?(?:_i\d+)?", encoder).groups()
        name = f"vit_{size}_patch{patch}{family or '_224'}"
        net = timm.create_model(name, num_classes=0, img_size=pixels)
    elif encoder.startswith("convnext"):
        net = timm.create_model(encoder.removesuffix("_d0"), num_classes=0)
    else:
        image_size, *sizes = (int(number) for number in encoder.removeprefix("mlp_i").split("_"))
        mlp = torchvision.ops.MLP(3 * image_size**2, sizes, norm_layer=torch.nn.BatchNorm1d, bias=False)
        net = torch.nn.Sequential(torch.nn.Flatten(), mlp)
    return net


def multiply_adds(net, pixels):
    """Multiplications of weights with values for one image, and those of queries with keys and of their mix."""
    import torch

    total = 0

    def convolution(layer, inputs, output):
        nonlocal total
        total += output.numel() * layer.weight[0].numel()

    def linear(layer, inputs, output):
        nonlocal total
        total += output.numel() * layer.in_features

    def attention(layer, inputs, output):
        nonlocal total
        _, tokens, width = inputs[0].shape
        total += 2 * tokens * tokens * width

    hooks = {torch.nn.Conv2d: convolution, torch.nn.Linear: linear}
    for layer in net.modules():
        hook = hooks.get(type(layer), attention if type(layer).__name__.endswith("Attention") else None)
        if hook:
            layer.register_forward_hook(hook)
    with torch.no_grad():
        net.eval()(torch.zeros(1, 3, pixels, pixels))
    return total


def peer(encoder, pixels, images):
    import torch

    torch.set_num_threads(THREADS)
    x = torch.randn(images, 3, pixels, pixels)

    def forward(net):
        with torch.no_grad():
            net.eval()(x)

    def step(net):
        net.train()
        net.zero_grad()
        net(x).square().mean().backward()

    def fastest(run, net):
        run(net)
        seconds = []
        for _ in range(REPEATS):
            start = time.perf_counter()
            run(net)
            seconds.append(time.perf_counter() - start)
        return min(seconds)

    times = {"forward": [], "step": []}
    for order in [torch.contiguous_format, torch.channels_last]:
        net, x = network(encoder, pixels).to(memory_format=order), x.contiguous(memory_format=order)
        times["forward"].append(fastest(forward, net))
        times["step"].append(fastest(step, net))
    return {
        "forward": min(times["forward"]),
        "step": min(times["step"]),
        "parameters": sum(p.numel() for p in net.parameters()),
        "multiply_adds": multiply_adds(network(encoder, pixels), pixels),
    }


def table(rows):
    """Two rows a network become a line of Markdown."""
    print("| encoder | images | parameters | multiply-adds | forward, step | PyTorch's | ratio |\n|---|---|---|---|---|---|---|")
    for forward, step in zip(rows[::2], rows[1::2]):
        encoder, pixels, images, _ = forward["case"].split()
        times = [f"{1000 * a[side]:.0f}, {1000 * b[side]:.0f} ms" for side in ("ours", "peer") for a, b in [(forward, step)]]
        print(
            f"| `{encoder}` | {images.removeprefix('n=')} of {pixels} | {forward['parameters'] / 1e6:.2f} M"
            f" | {forward['multiply_adds'] / 1e9:.2f} G | {times[0]} | {times[1]} | {forward['ratio']:.2f}, {step['ratio']:.2f} |"
        )


if __name__ == "__main__":
    if len(sys.argv) == 1:
        table(list(rows(None)))
    else:
        print(json.dumps(peer(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
