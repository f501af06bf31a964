"""JPEG files to two views each: decoding, views and loading, against torchvision (PIL) and albumentations (OpenCV).

Needs: pip install torch torchvision albumentations

The photos are made here: leaves of many sizes over each other ("dead leaves", whose edges and spectrum are those of photos) with
texture and a camera's noise, saved by PIL at quality 90 with 4:2:0. 200 are of 500 x 375 pixels, 12 of
4000 x 3000. The policy is that of `augment`; each case runs in a process of its own, ours and the peers' in turn. Photos
follow one another in rounds of a tenth of a second, of which the best of thirty counts, since whatever else the machine does only ever
takes time away.
"""

import json
import math
import os
import sys
import tempfile
import time

import augment
from bench import build, measure

SIZE, QUALITY = 224, 90
SMALL, LARGE = (500, 375, 200), (4000, 3000, 12)
ROUNDS, SECONDS_OF_A_ROUND = 30, 0.1
PEERS = ["torchvision", "albumentations"]


def rows(options):
    bench = build("decode")
    with tempfile.TemporaryDirectory() as folder:
        for width, height, count in [SMALL] if options.quick else [SMALL, LARGE]:
            photos = os.path.join(folder, str(width))
            make(photos, width, height, count)
            yield from of_photos(bench, photos, f"{width} x {height}")


def of_photos(bench, photos, name):
    """Views at the resolution that they need and at full resolution, beside the peers; threads; decoding alone."""
    rate = lambda *arguments: images_per_second([bench, arguments[0], photos, *arguments[1:]])
    scaled, full = rate("views", str(SIZE), "scaled", "1"), rate("views", str(SIZE), "full", "1")
    for peer in PEERS:
        theirs = peer_rate(peer, "views", photos)
        yield row(f"{name}, two views", scaled, theirs, peer)
        yield row(f"{name}, two views, full", full, theirs, peer)
    yield row(f"{name}, two views, 2 threads", rate("views", str(SIZE), "scaled", "2"), scaled, "our 1 thread")
    for divisor in [1, 2, 4, 8]:
        ours = rate("alone", str(divisor), "1")
        for peer in PEERS:
            yield row(f"{name}, decoded 1/{divisor}", ours, peer_rate(peer, str(divisor), photos), peer)


def row(case, ours, peer, name):
    return {
        "work": "decode",
        "case": case,
        "ours": 1e6 / ours,
        "peer": 1e6 / peer,
        "peer_name": name,
        "ratio": ours / peer,
        "unit": "us",
    }


def images_per_second(command):
    return measure(command)["images_per_second"]


def peer_rate(name, work, photos):
    return images_per_second([sys.executable, __file__, name, work, photos])


def make(folder, width, height, count):
    """Writes `count` photos of dead leaves, the same each time."""
    import numpy as np
    from PIL import Image

    os.makedirs(folder)
    for number in range(count):
        draw = np.random.default_rng(number)
        picture = leaves(draw, width, height)
        texture = sum(noise(draw, width, height, size, 9) for size in (2, 4, 8, 64))
        picture = picture + texture[..., None] + draw.normal(0, 2, (height, width, 1))
        image = Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))
        image.save(os.path.join(folder, f"{number:04}.jpg"), quality=QUALITY, subsampling=2)


def leaves(draw, width, height):
    """Discs over each other, their radii by a power law, as things of all sizes at all distances look."""
    import numpy as np

    picture = np.empty((height, width, 3), np.float32)
    picture[:] = draw.uniform(40, 215, 3)
    for _ in range(400):
        radius = min(width, height) * 0.012 / np.sqrt(draw.uniform(0.001, 1))
        x, y = draw.uniform(0, width), draw.uniform(0, height)
        left, right = max(0, int(x - radius)), min(width, int(x + radius) + 1)
        top, bottom = max(0, int(y - radius)), min(height, int(y + radius) + 1)
        rows, columns = np.ogrid[top:bottom, left:right]
        inside = (columns - x) ** 2 + (rows - y) ** 2 < radius**2
        shade = draw.uniform(-25, 25) * (columns - x) / radius
        color = np.clip(draw.normal(draw.uniform(40, 215), 30, 3), 0, 255)
        part = picture[top:bottom, left:right]
        part[inside] = (color + shade[..., None] * np.ones((bottom - top, 1, 1)))[inside]
    return picture


def noise(draw, width, height, size, strength):
    """Soft noise of one scale."""
    import numpy as np
    from PIL import Image

    coarse = draw.normal(0, strength, (height // size + 2, width // size + 2)).astype(np.float32)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.BICUBIC))


def peer(name, work, photos):
    import cv2
    import torch
    from PIL import Image

    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    paths = [os.path.join(photos, file) for file in sorted(os.listdir(photos))]

    def with_pil(path, divisor):
        image = Image.open(path)
        if divisor > 1:
            image.draft("RGB", (image.width // divisor, image.height // divisor))
        return image.convert("RGB")

    def with_opencv(path, divisor):
        flags = {1: cv2.IMREAD_COLOR, 2: cv2.IMREAD_REDUCED_COLOR_2, 4: cv2.IMREAD_REDUCED_COLOR_4}
        return cv2.cvtColor(cv2.imread(path, flags.get(divisor, cv2.IMREAD_REDUCED_COLOR_8)), cv2.COLOR_BGR2RGB)

    if name == "torchvision":
        policy = augment.pil_policy(SIZE)
        decode, view = with_pil, policy
    else:
        policy = augment.albumentations_policy(SIZE)
        decode, view = with_opencv, lambda image: policy(image=image)

    def run(path):
        if work == "views":
            image = decode(path, 1)
            view(image), view(image)
        else:
            decode(path, int(work))

    def rate(images):
        start = time.perf_counter()
        for number in range(images):
            run(paths[(rate.done + number) % len(paths)])
        rate.done += images
        return images / (time.perf_counter() - start)

    rate.done = 0
    rate(16)
    images = math.ceil(SECONDS_OF_A_ROUND * rate(16))
    print(json.dumps({"images_per_second": max(rate(images) for _ in range(ROUNDS))}))


if __name__ == "__main__":
    peer(*sys.argv[1:])
