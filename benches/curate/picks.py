#!/usr/bin/env python3
"""What labels are worth on the images that `simclr pick` chooses, beside images by chance.

    cargo build --release -p simclr-cli
    python3 benches/curate/picks.py PHOTOS WORK --weights run/encoder.safetensors

PHOTOS has a folder for each class; its images get vectors by `simclr embed`. For each number of labels, the picked images get theirs, and each other image takes the class of the nearest of them by cosine. By chance
is the mean of 20 draws, with its standard deviation. Needs NumPy.
"""

import argparse
import csv
import json
import pathlib
import subprocess

import numpy


def accuracy(vectors, classes, chosen):
    others = numpy.setdiff1d(numpy.arange(len(classes)), chosen)
    nearest = (vectors[others] @ vectors[chosen].T).argmax(1)
    return (classes[chosen][nearest] == classes[others]).mean()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=pathlib.Path)
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("--weights", required=True, help="encoder.safetensors")
    parser.add_argument("--labels", type=int, nargs="+", default=[10, 20, 50, 100, 200])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--simclr", default="target/release/simclr")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    source = ["--weights", options.weights, "--data", options.photos]
    out = options.work / "vectors.npy"
    subprocess.run([options.simclr, "embed", *source, "--out", out], check=True, stdout=subprocess.DEVNULL)
    vectors = numpy.load(out)
    vectors /= numpy.linalg.norm(vectors, axis=1, keepdims=True)
    with open(out.with_suffix(".labels.csv"), newline="") as table:
        rows = list(csv.DictReader(table))
    names = {row["name"]: place for place, row in enumerate(rows)}
    classes = numpy.array([row["class"] for row in rows])
    print(f"{len(rows)} images of {len(set(classes))} classes")
    print("labels | picked: accuracy, classes | by chance: accuracy, classes")
    for labels in options.labels:
        picked = []
        for seed in range(options.seeds):
            command = [options.simclr, "pick", *source, "--count", str(labels), "--seed", str(seed), "--json"]
            answer = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
            chosen = numpy.array([names[name] for name in answer["picked"]])
            picked.append((accuracy(vectors, classes, chosen), len(set(classes[chosen]))))
        draws = []
        for seed in range(20):
            chosen = numpy.random.default_rng(seed).choice(len(rows), labels, replace=False)
            draws.append((accuracy(vectors, classes, chosen), len(set(classes[chosen]))))
        (ours, ours_classes), (chance, chance_classes) = numpy.mean(picked, 0), numpy.mean(draws, 0)
        spread = [numpy.std([found[0] for found in each]) for each in (picked, draws)]
        print(f"{labels:>6} | {ours:.3f} ± {spread[0]:.3f}, {ours_classes:.1f} | {chance:.3f} ± {spread[1]:.3f}, {chance_classes:.1f}")


if __name__ == "__main__":
    main()
