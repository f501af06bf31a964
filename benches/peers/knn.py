"""Weighted kNN (k = 200, temperature 0.1) against blocked products with top-k in PyTorch and NumPy.

Needs: pip install torch numpy

The peers compare a block of queries with the whole bank at a time, as lightly's and DINO's evaluations do, and take
the k largest of each row: torch.topk, or numpy.argpartition. Unit vectors are made inside the clock by all. Each
case runs in a process of its own, and the best of three rounds counts.
"""

import json
import pathlib
import sys
import time

from bench import build, measure

K, TEMPERATURE, CLASSES, ROUNDS = 200, 0.1, 10, 3
# Bank, features, queries.
CASES = [(10_000, 128, 2_000), (50_000, 128, 10_000), (100_000, 512, 10_000)]
QUICK = CASES[:1]
# Queries in a block: the fastest of 128, 512 and 1024 on the machine this was written on.
BLOCK = 512


def rows(options):
    bench = build("knn")
    for sizes in QUICK if options.quick else CASES:
        sizes = [str(size) for size in sizes]
        ours = measure([bench, *sizes, str(K)])
        for name in ["torch", "numpy"]:
            peer = measure([sys.executable, __file__, name, *sizes])
            for key, unit, what in [("seconds", "s", "time"), ("extra_mib", "MiB", "memory")]:
                yield {
                    "work": "knn",
                    "case": f"{' x '.join(sizes[:2])}, {sizes[2]} queries, {what}",
                    "ours": ours[key],
                    "peer": peer[key],
                    "peer_name": name,
                    "ratio": peer[key] / max(ours[key], 1e-9),
                    "unit": unit,
                }


def with_torch(bank, labels, queries):
    import torch
    import torch.nn.functional as F

    bank, labels, queries = map(torch.from_numpy, (bank, labels, queries))

    def search():
        unit = F.normalize(bank, dim=1).T
        found = []
        for block in F.normalize(queries, dim=1).split(BLOCK):
            cosines, rows = (block @ unit).topk(K, dim=1)
            votes = torch.zeros(len(block), CLASSES).scatter_add_(1, labels[rows], (cosines / TEMPERATURE).exp())
            found.append(votes)
        return torch.cat(found)

    return search


def with_numpy(bank, labels, queries):
    import numpy as np

    def normalize(x):
        return x / np.linalg.norm(x, axis=1, keepdims=True)

    def search():
        unit, found = normalize(bank).T, []
        asked = normalize(queries)
        for start in range(0, len(asked), BLOCK):
            cosines = asked[start : start + BLOCK] @ unit
            rows = np.argpartition(cosines, -K, axis=1)[:, -K:]
            weights = np.exp(np.take_along_axis(cosines, rows, 1) / TEMPERATURE)
            votes = [np.bincount(labels[r], w, CLASSES) for r, w in zip(rows, weights)]
            found.append(np.stack(votes))
        return np.concatenate(found)

    return search


def peer(name, bank, size, queries):
    import numpy as np

    random = np.random.default_rng(0)
    draw = lambda count: random.uniform(-1, 1, (count, size)).astype(np.float32)
    search = {"torch": with_torch, "numpy": with_numpy}[name](draw(bank), np.arange(bank) % CLASSES, draw(queries))
    before, seconds = peak_mib(), []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        search()
        seconds.append(time.perf_counter() - start)
    print(json.dumps({"seconds": min(seconds), "extra_mib": peak_mib() - before}))


def peak_mib():
    status = pathlib.Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024


if __name__ == "__main__":
    peer(sys.argv[1], *map(int, sys.argv[2:5]))
