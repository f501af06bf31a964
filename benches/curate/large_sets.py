#!/usr/bin/env python3
"""How near the approximate neighbours of `simclr odd` are to the exact ones, on a set of 20,000 images and more.

    cargo build --release -p simclr-cli
    python3 benches/curate/large_sets.py DATA WORK --weights run/encoder.safetensors

Compares the mean distances to the ten nearest images with those that NumPy computes from the vectors of `simclr embed`: they are equal where all ten neighbours are exact. Needs NumPy.
"""

import argparse
import csv
import pathlib
import subprocess

import numpy

NEIGHBOURS = 10
ROUNDING = 2e-6


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("--weights", required=True, help="encoder.safetensors")
    parser.add_argument("--simclr", default="target/release/simclr")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    source = ["--weights", options.weights, "--data", options.data]
    out, table = options.work / "vectors.npy", options.work / "odd.csv"
    subprocess.run([options.simclr, "embed", *source, "--out", out], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([options.simclr, "odd", *source, "--out", table], check=True, stdout=subprocess.DEVNULL)
    vectors = numpy.load(out)
    vectors /= numpy.linalg.norm(vectors, axis=1, keepdims=True)
    with open(table, newline="") as rows:
        found = {row["name"]: float(row["distance"]) for row in csv.DictReader(rows)}
    with open(out.with_suffix(".labels.csv"), newline="") as rows:
        ours = numpy.array([found[row["name"]] for row in csv.DictReader(rows)])
    exact = numpy.empty(len(vectors))
    for start in range(0, len(vectors), 1000):
        cosines = vectors[start : start + 1000] @ vectors.T
        cosines[numpy.arange(len(cosines)), numpy.arange(start, start + len(cosines))] = -2
        nearest = numpy.partition(cosines, -NEIGHBOURS, axis=1)[:, -NEIGHBOURS:]
        exact[start : start + 1000] = numpy.maximum(1 - nearest, 0).mean(1)
    oddest = [set(numpy.argsort(-scores)[:100]) for scores in (ours, exact)]
    print(f"{len(vectors)} images; all {NEIGHBOURS} neighbours exact for {(abs(ours - exact) < ROUNDING).mean():.4f} of them")
    print(f"distances larger by {((ours - exact) / exact).mean():.2e} of themselves; of the 100 oddest {len(oddest[0] & oddest[1])} are the same")


if __name__ == "__main__":
    main()
