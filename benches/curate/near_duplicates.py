#!/usr/bin/env python3
"""Precision and recall of `simclr duplicates` on copies that are made here, among photos that have copies of their own.

    cargo build --release -p simclr-cli
    python3 benches/curate/near_duplicates.py PHOTOS WORK --weights run/encoder.safetensors --own own.csv

Draws --photos of the images below PHOTOS (jpg and png), and for each of --copies of them makes one copy, of eight kinds in turn. All lie in
WORK/photos, whose `simclr duplicates` is asked. --own is a table `a,b` of pairs, by their names in WORK/photos, that are copies among the photos themselves: made by
looking at WORK/pairs, a picture of each pair that was found and is neither made here nor in the table. Pairs are those of whole groups. Without --own, all such pairs count
as wrong. Needs Pillow.
"""

import argparse
import csv
import itertools
import json
import pathlib
import random
import shutil
import subprocess
import time

from PIL import Image, ImageOps


def crop(image, left, top, right, bottom):
    """Without these shares of a side."""
    width, height = image.size
    box = (round(left * width), round(top * height), width - round(right * width), height - round(bottom * height))
    return image.crop(box)


def scaled(image, factor):
    return image.resize([max(1, round(side * factor)) for side in image.size], Image.Resampling.BICUBIC)


def twentieth(image):
    return crop(image, 0.05, 0.05, 0.05, 0.05)


# What becomes of an image, and the quality of the JPEG.
KINDS = {
    "same bytes": None,
    "half as large": (lambda image: scaled(image, 0.5), 90),
    "one and a half as large": (lambda image: scaled(image, 1.5), 90),
    "recompressed, quality 40": (lambda image: image, 40),
    "cropped by 5 % at each edge": (twentieth, 90),
    "cropped by 5 % at two edges": (lambda image: crop(image, 0.05, 0, 0, 0.05), 90),
    "mirrored": (ImageOps.mirror, 90),
    "mirrored, cropped, 3/4 as large, quality 60": (lambda image: scaled(twentieth(ImageOps.mirror(image)), 0.75), 60),
}


def make(photos, work, count, copies, seed):
    """Fills WORK/photos; returns for each copy its kind, its name and its photo's."""
    folder = work / "photos"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    files = sorted(path for end in ("jpg", "jpeg", "png") for path in photos.rglob(f"*.{end}"))
    drawn = random.Random(seed)
    files = sorted(drawn.sample(files, min(count, len(files))))
    names = []
    for number, file in enumerate(files):
        names.append(f"{number:05}-{file.stem[:8]}{file.suffix}")
        shutil.copyfile(file, folder / names[-1])
    made = []
    for name, kind in zip(drawn.sample(names, copies), itertools.cycle(KINDS)):
        copy = f"copy-{len(made):05}.jpg"
        if KINDS[kind] is None:
            shutil.copyfile(folder / name, folder / copy)
        else:
            change, quality = KINDS[kind]
            with Image.open(folder / name) as image:
                change(image.convert("RGB")).save(folder / copy, quality=quality)
        made.append((kind, copy, name))
    return folder, made


def pairs(groups):
    return {tuple(sorted(pair)) for group in groups for pair in itertools.combinations(group, 2)}


def closure(edges):
    """The groups that pairs make."""
    group_of = {}
    for a, b in edges:
        joined = group_of.get(a, {a}) | group_of.get(b, {b})
        group_of.update((name, joined) for name in joined)
    return list({id(group): group for group in group_of.values()}.values())


def show(folder, found, into):
    """A picture of each pair, side by side."""
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir()
    for number, pair in enumerate(sorted(found)):
        images = [ImageOps.contain(Image.open(folder / name).convert("RGB"), (256, 256)) for name in pair]
        sheet = Image.new("RGB", (520, 256), "white")
        sheet.paste(images[0], (0, 0))
        sheet.paste(images[1], (264, 0))
        sheet.save(into / f"{number:03} {pair[0]} {pair[1]}.png")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=pathlib.Path)
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("--weights", required=True, help="encoder.safetensors")
    parser.add_argument("--own", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--copies", type=int, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--simclr", default="target/release/simclr")
    options = parser.parse_args()
    folder, made = make(options.photos, options.work, options.count, options.copies, options.seed)
    begun = time.time()
    command = [options.simclr, "duplicates", "--weights", options.weights, "--data", folder, "--json"]
    answer = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    print(f"{answer['images']} images, {options.copies} of them copies; {time.time() - begun:.0f} s")

    groups = [[image["name"] for image in group["images"]] for group in answer["groups"]]
    found = pairs(groups)
    own = set()
    if options.own:
        own = {tuple(row) for row in list(csv.reader(options.own.open()))[1:]}
    true = pairs(closure(own | {(copy, name) for _, copy, name in made}))
    right = found & true
    for kind in KINDS:
        of_kind = {tuple(sorted((copy, name))) for made_as, copy, name in made if made_as == kind}
        print(f"  {kind:<44} {len(of_kind & found):>4} of {len(of_kind)}")
    print(f"precision {len(right) / len(found):.4f} ({len(right)} of {len(found)} pairs)")
    print(f"recall    {len(right) / len(true):.4f} ({len(right)} of {len(true)} pairs)")
    wrong = found - true
    show(folder, wrong, options.work / "pairs")
    (options.work / "pairs.csv").write_text("a,b\n" + "".join(f"{a},{b}\n" for a, b in sorted(wrong)))
    print(f"{len(wrong)} pairs in {options.work / 'pairs'}")


if __name__ == "__main__":
    main()
