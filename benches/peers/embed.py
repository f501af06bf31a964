"""Inference at 224 pixels against PyTorch and ONNX Runtime: images a second by encoder and batch.

Peers: torchvision's networks without their classifiers and timm's vision transformers and ConvNeXts, evaluated without gradients, in
channels-last or channels-first order, whichever is faster; and the same networks exported to ONNX Runtime's CPU provider.
Needs: pip install torch torchvision timm onnx onnxruntime

Both sides run on 2 threads, in float32, with random weights. Every case runs in a process of its own.
"""

import json
import sys
import tempfile
import time

from bench import build, measure
from encoders import network

THREADS = 2
PIXELS = 224
SECONDS = 3
ENCODERS = [
    "resnet18",
    "resnet50",
    "efficientnet_b0_d0",
    "vit_small_p16",
    "vit_small_p14_dinov2",
    "vit_small_p16_dinov3",
    "convnext_tiny",
]
BATCHES = [1, 16, 64]


def rows(options):
    bench = build("embed")
    for encoder in ENCODERS:
        for images in BATCHES:
            if options.quick and images != 16:
                continue
            case = [encoder, str(PIXELS), str(images)]
            ours = images / measure([bench, *case], THREADS)["ready"]
            for name in ["torch", "onnxruntime"]:
                peer = images / measure([sys.executable, __file__, name, *case])["fastest"]
                yield {
                    "work": "embed",
                    "case": f"{encoder} {PIXELS}px n={images}",
                    "ours": ours,
                    "peer": peer,
                    "peer_name": name,
                    "ratio": ours / peer,
                    "unit": "/s",
                }


def fastest(run):
    run()
    best, start, batches = float("inf"), time.perf_counter(), 0
    while batches < 2 or time.perf_counter() - start < SECONDS:
        before = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - before)
        batches += 1
    return best


def torch_peer(net, x):
    import torch

    times = []
    with torch.no_grad():
        for order in [torch.contiguous_format, torch.channels_last]:
            moved, images = net.to(memory_format=order), x.to(memory_format=order)
            times.append(fastest(lambda: moved(images)))
    return min(times)


def onnxruntime_peer(net, x):
    import onnxruntime
    import torch

    with tempfile.NamedTemporaryFile(suffix=".onnx") as file:
        torch.onnx.export(net, (x,), file.name, input_names=["x"], dynamo=False)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = THREADS
        session = onnxruntime.InferenceSession(file.name, options, providers=["CPUExecutionProvider"])
    images = x.numpy()
    return fastest(lambda: session.run(None, {"x": images}))


if __name__ == "__main__":
    import torch

    torch.set_num_threads(THREADS)
    torch.manual_seed(0)
    peer = {"torch": torch_peer, "onnxruntime": onnxruntime_peer}[sys.argv[1]]
    pixels, images = int(sys.argv[3]), int(sys.argv[4])
    net = network(sys.argv[2], pixels).eval()
    print(json.dumps({"fastest": peer(net, torch.randn(images, 3, pixels, pixels))}))
