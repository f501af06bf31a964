#!/usr/bin/env python3
"""Maps of vectors beside those of scikit-learn's t-SNE and umap-learn: CPU seconds, and the share of neighbours that a map keeps.

    simclr embed --run run --data PHOTOS --out vectors.npy
    cargo bench --workspace --bench map --no-run
    python3 benches/curate/map.py vectors.npy WORK --count 5000 --bench target/release/deps/map-…

Draws --count of the vectors, at length 1. Kept is the share of the 10 nearest in the vectors' space that are among the 10 nearest on the map, of 2,000 vectors. Everybody
has their defaults, a start by PCA (umap-learn: its spectral one) and two threads. User seconds include the neighbours, and for Python not the compilation by Numba. Needs NumPy, SciPy, scikit-learn and
umap-learn.
"""

import argparse
import json
import os
import pathlib
import resource
import subprocess

NEIGHBOURS = 10
QUERIES = 2000
THREADS = "2"


def user_seconds(work):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    result = work()
    return result, resource.getrusage(resource.RUSAGE_SELF).ru_utime - before


def ours(vectors, options):
    raw, out = options.work / "vectors.f32", options.work / "places.npy"
    vectors.astype("<f4").tofile(raw)
    command = [options.bench, raw, str(vectors.shape[1]), out]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    seconds = json.loads(said)
    return numpy.load(out), seconds["graph"] + seconds["components"] + seconds["layout"]


def scikit_learn(vectors, options):
    from sklearn.manifold import TSNE

    return user_seconds(lambda: TSNE(init="pca", random_state=0, n_jobs=int(THREADS)).fit_transform(vectors))


def umap_learn(vectors, options):
    import umap

    with_seed = lambda: umap.UMAP(random_state=0, metric="cosine", n_jobs=1)
    with_seed().fit_transform(vectors[:500])
    return user_seconds(lambda: with_seed().fit_transform(vectors))


def kept(vectors, places):
    from scipy.spatial import cKDTree

    queries = numpy.random.default_rng(1).permutation(len(vectors))[:QUERIES]
    cosines = vectors[queries] @ vectors.T
    cosines[numpy.arange(len(queries)), queries] = -2
    near = numpy.argpartition(-cosines, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
    on_map = cKDTree(places).query(places[queries], NEIGHBOURS + 1)[1]
    pairs = zip(near, on_map, queries)
    hits = sum(len(set(a) & set([row for row in b if row != query][:NEIGHBOURS])) for a, b, query in pairs)
    return hits / (NEIGHBOURS * len(queries))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vectors", type=pathlib.Path)
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--bench", required=True, help="the built bench map")
    parser.add_argument("--only", help="ours, scikit_learn or umap_learn")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    vectors = numpy.load(options.vectors)
    vectors = vectors[numpy.random.default_rng(0).permutation(len(vectors))[: options.count]]
    vectors /= numpy.linalg.norm(vectors, axis=1, keepdims=True)
    print(f"| {len(vectors)} vectors of {vectors.shape[1]} | user s | neighbours kept |\n|---|---|---|")
    for layout in [ours, scikit_learn, umap_learn]:
        if options.only in (None, layout.__name__):
            places, seconds = layout(vectors, options)
            print(f"| {layout.__name__} | {seconds:.0f} | {kept(vectors, places):.3f} |", flush=True)


if __name__ == "__main__":
    for name in ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS", "RAYON_NUM_THREADS"]:
        os.environ[name] = THREADS
    import numpy

    main()
