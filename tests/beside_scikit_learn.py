"""kNN and logistic regression on an encoder's features, ours beside scikit-learn's.

    python3 -m venv venv && venv/bin/pip install scikit-learn numpy
    venv/bin/python tests/beside_scikit_learn.py --run RUN --data DIR --images 10000

The example `evaluate` embeds the images with the run's encoder (without --run, random weights), and writes the
features and what our probes say; scikit-learn learns from the same features. It prints both top-1 figures and on how
many images the two differ, and fails where logistic regression is more than half a point apart, or kNN names another
class without a tie.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

ROOT = pathlib.Path(__file__).parents[1]
TYPES = {"F32": np.float32, "U64": np.uint64}


def read(path):
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header, body = json.loads(data[8 : 8 + length]), data[8 + length :]
    settings = {name: float(value) for name, value in header.pop("__metadata__").items()}
    tensors = {}
    for name, tensor in header.items():
        start, end = tensor["data_offsets"]
        tensors[name] = np.frombuffer(body[start:end], TYPES[tensor["dtype"]]).reshape(tensor["shape"])
    return tensors, settings


def knn_scores(tensors, settings):
    weights = lambda distances: np.exp((1.0 - distances) / settings["temperature"])
    model = KNeighborsClassifier(int(settings["k"]), metric="cosine", algorithm="brute", weights=weights)
    model.fit(tensors["train.features"].astype(np.float64), tensors["train.labels"])
    return model.predict_proba(tensors["test.features"].astype(np.float64))


def logistic_scores(tensors, settings):
    train, test = (tensors[f"{name}.features"].astype(np.float64) for name in ("train", "test"))
    scaler = StandardScaler().fit(train)
    model = LogisticRegression(C=settings["c"], max_iter=10_000)
    return model.fit(scaler.transform(train), tensors["train.labels"]).predict_proba(scaler.transform(test))


def main():
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "features.safetensors"
        command = ["cargo", "run", "--release", "--example", "evaluate", "--", *sys.argv[1:], "--features", path]
        subprocess.run(command, cwd=ROOT, check=True)
        tensors, settings = read(path)
    labels, failed = tensors["test.labels"], False
    print(f"\n{tensors['train.features'].shape} features, {len(labels)} test images")
    for name, scores in [("knn", knn_scores), ("logistic_regression", logistic_scores)]:
        ours, scores = tensors[name], scores(tensors, settings)
        theirs = scores.argmax(axis=1)
        top1 = [100 * (said == labels).mean() for said in (ours, theirs)]
        differ = np.flatnonzero(ours != theirs)
        # How much likelier scikit-learn finds its own class than ours.
        margin = max((scores[i, theirs[i]] - scores[i, ours[i]] for i in differ), default=0.0)
        print(
            f"{name:<20} ours {top1[0]:.2f} %, scikit-learn {top1[1]:.2f} %, "
            f"{len(differ)} images differ, by {margin:.1e} of probability at most"
        )
        failed |= abs(top1[0] - top1[1]) > 0.5 or (name == "knn" and margin > 1e-4)
    return failed


if __name__ == "__main__":
    sys.exit(main())
