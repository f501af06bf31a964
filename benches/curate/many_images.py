#!/usr/bin/env python3
"""A hundred thousand images for a page, or a search, of a large set: all 60,000 of CIFAR-10, and 40,000 of them changed.

    python3 benches/curate/many_images.py CIFAR many.tar
    python3 tests/drive_explore.py target/release/simclr --photos many.tar --run RUN --pace

CIFAR is the folder of the binary files. The copies are mirrored, shifted by up to 4 pixels, and made lighter or darker. Writes PNG files in a tar archive, each in the folder of its class. Needs NumPy and Pillow.
"""

import argparse
import io
import pathlib
import tarfile

import numpy
from PIL import Image

COPIES = 40_000


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cifar", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    options = parser.parse_args()
    files = sorted(options.cifar.glob("*_batch*.bin"))
    records = numpy.concatenate([numpy.fromfile(file, numpy.uint8).reshape(-1, 3073) for file in files])
    classes, images = records[:, 0], records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    chance = numpy.random.default_rng(0)
    with tarfile.open(options.out, "w") as archive:
        for number, image in enumerate(images):
            add(archive, f"{classes[number]}/{number:06}.png", image)
        for number in chance.permutation(len(images))[:COPIES]:
            across, down = chance.integers(-4, 5, 2)
            image = numpy.roll(images[number, :, ::-1], (down, across), (0, 1))
            image = numpy.clip(image * chance.uniform(0.7, 1.3), 0, 255).astype(numpy.uint8)
            add(archive, f"{classes[number]}/{number:06}-changed.png", image)


def add(archive, name, image):
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG", compress_level=1)
    about = tarfile.TarInfo(name)
    about.size = file.tell()
    file.seek(0)
    archive.addfile(about, file)


if __name__ == "__main__":
    main()
