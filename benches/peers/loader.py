"""Pairs of 224 px views from JPEG files in batches of 64, through the loaders: ours on 2 threads, PyTorch's DataLoader with 2 workers.

Needs: pip install torch torchvision albumentations

The photos are the smaller ones of `decode`, eight times over. PyTorch's workers are kept from one pass to the next, and what they start
with is not timed: a pass is from its first batch that is asked for to its last. The best of the passes counts.
"""

import json
import os
import shutil
import sys
import tempfile
import time

import augment
import decode
from bench import build, measure

BATCH, COPIES, PASSES, WORKERS = 64, 8, 3, 2


def rows(options):
    bench = build("decode")
    with tempfile.TemporaryDirectory() as folder:
        once, photos = os.path.join(folder, "once"), os.path.join(folder, "photos")
        decode.make(once, *decode.SMALL)
        for copy in range(1 if options.quick else COPIES):
            shutil.copytree(once, os.path.join(photos, str(copy)))
        ours = measure([bench, "loader", photos, str(decode.SIZE), str(BATCH)], WORKERS)["images_per_second"]
        for name in decode.PEERS:
            peer = measure([sys.executable, __file__, name, photos])["images_per_second"]
            yield {
                "work": "loader",
                "case": f"500 x 375, {WORKERS} threads or workers",
                "ours": 1e6 / ours,
                "peer": 1e6 / peer,
                "peer_name": name,
                "ratio": ours / peer,
                "unit": "us",
            }


class Pairs:
    """Two views of each photo, channels first."""

    def __init__(self, name, photos):
        self.name = name
        self.paths = sorted(os.path.join(at, file) for at, _, files in os.walk(photos) for file in files)
        make = augment.pil_policy if name == "torchvision" else augment.albumentations_policy
        self.policy = make(decode.SIZE)

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        import cv2
        import torch
        from PIL import Image

        if self.name == "torchvision":
            image = Image.open(self.paths[index]).convert("RGB")
            return self.policy(image), self.policy(image)
        cv2.setNumThreads(1)
        image = cv2.cvtColor(cv2.imread(self.paths[index]), cv2.COLOR_BGR2RGB)
        view = lambda: torch.from_numpy(self.policy(image=image)["image"].transpose(2, 0, 1).copy())
        return view(), view()


def peer(name, photos):
    import torch

    torch.set_num_threads(1)
    pairs = Pairs(name, photos)
    loader = torch.utils.data.DataLoader(
        pairs, BATCH, shuffle=True, drop_last=True, num_workers=WORKERS, persistent_workers=True
    )

    def rate():
        start = time.perf_counter()
        images = sum(len(a) for a, _ in loader)
        return images / (time.perf_counter() - start)

    rate()  # Starts the workers.
    print(json.dumps({"images_per_second": max(rate() for _ in range(PASSES))}))


if __name__ == "__main__":
    peer(*sys.argv[1:])
