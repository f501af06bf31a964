"""An epoch of SimCLR on CIFAR-10, views included, against PyTorch: seconds.

    venv/bin/python benches/peers/compare.py pretrain --data FOLDER

FOLDER holds CIFAR-10's binary files (data_batch_1.bin and so on). The peer is torchvision's transforms on PIL images,
a ResNet-18, lightly's NTXentLoss and AdamW, all in one process, as the usual scripts have it. Needs:
pip install torch torchvision lightly pillow

Both sides run on 2 threads, on the first 10,000 images, with batches of 256.
"""

import argparse
import json
import os
import pathlib
import sys
import time

from bench import build, measure
from train_step import THREADS, network

IMAGES = 10_000
BATCH = 256
WIDTHS = [16]


def rows(options):
    if not options.data:
        sys.exit("pretrain needs --data FOLDER, the folder of CIFAR-10's binary files")
    bench = build("pretrain")
    images = 2048 if options.quick else IMAGES
    for width in WIDTHS:
        case = [os.path.abspath(options.data), str(width), str(images), str(BATCH)]
        ours = measure([bench, *case], THREADS)
        peer = measure([sys.executable, __file__, *case], THREADS)
        yield {
            "work": "pretrain",
            "case": f"resnet18 width={width} 32px images={images} batch={BATCH} epoch",
            "ours": ours["seconds"],
            "peer": peer["seconds"],
            "peer_name": "torch",
            "ratio": peer["seconds"] / ours["seconds"],
            "unit": "s",
        }


def epoch(folder, width, count, batch):
    import numpy
    import torch
    import torchvision.transforms as T
    from lightly.loss import NTXentLoss
    from PIL import Image

    torch.set_num_threads(THREADS)
    torch.manual_seed(0)
    views = T.Compose(
        [
            T.RandomResizedCrop(32, scale=(0.08, 1.0)),
            T.RandomHorizontalFlip(),
            T.RandomApply([T.ColorJitter(0.4, 0.4, 0.4, 0.1)], p=0.8),
            T.RandomGrayscale(p=0.2),
            T.ToTensor(),
            T.Normalize((0.4914, 0.4822, 0.4465), (0.247, 0.2435, 0.2616)),
        ]
    )
    files = [pathlib.Path(folder) / f"data_batch_{index}.bin" for index in range(1, 6)]
    records = numpy.concatenate([numpy.fromfile(f, dtype=numpy.uint8).reshape(-1, 3073) for f in files])[:count]
    pictures = [Image.fromarray(r[1:].reshape(3, 32, 32).transpose(1, 2, 0)) for r in records]

    class TwoViews(torch.utils.data.Dataset):
        def __len__(self):
            return len(pictures)

        def __getitem__(self, index):
            return views(pictures[index]), views(pictures[index])

    encoder = network("resnet18", width, "cifar")
    size = encoder.fc.in_features
    encoder.fc = torch.nn.Identity()
    head = torch.nn.Sequential(
        torch.nn.Linear(size, size, bias=False),
        torch.nn.BatchNorm1d(size),
        torch.nn.ReLU(),
        torch.nn.Linear(size, 128),
    )
    model = torch.nn.Sequential(encoder, head)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=1e-4)
    criterion = NTXentLoss(temperature=0.2)
    loader = torch.utils.data.DataLoader(TwoViews(), batch_size=batch, shuffle=True, drop_last=True)

    start = time.perf_counter()
    total = 0.0
    for view_a, view_b in loader:
        z = model(torch.cat([view_a, view_b]))
        loss = criterion(z[: len(view_a)], z[len(view_a) :])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
    print(json.dumps({"seconds": time.perf_counter() - start, "loss": total / len(loader)}))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    for size in ["width", "count", "batch"]:
        parser.add_argument(size, type=int)
    arguments = parser.parse_args()
    epoch(arguments.folder, arguments.width, arguments.count, arguments.batch)
