"""Writes scikit_learn.json: kNN, logistic regression and figures per class by scikit-learn on small random features.

    python3 -m venv venv && venv/bin/pip install scikit-learn numpy
    venv/bin/python crates/simclr-eval/tests/golden/generate.py
"""

import json
import pathlib

import numpy as np
import sklearn
from sklearn import metrics
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler


def features(seed, classes, train, test, size):
    """Overlapping blobs whose features differ in scale; three decimals, so that they are read back exactly."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(classes, size))
    scales = 10.0 ** random.uniform(-1, 1, size)
    labels = random.permutation(np.arange(train + test) % classes)
    x = (centres[labels] + 1.2 * random.normal(size=(len(labels), size))) * scales + 0.5 * scales
    x = np.round(x, 3).astype(np.float32)
    return x[:train], labels[:train], x[train:], labels[train:]


def knn(x, y, test_x, k, temperature):
    weights = lambda distances: np.exp((1.0 - distances) / temperature)
    model = KNeighborsClassifier(k, metric="cosine", algorithm="brute", weights=weights)
    model.fit(x.astype(np.float64), y)
    scores = model.predict_proba(test_x.astype(np.float64))
    return {
        "k": k,
        "temperature": temperature,
        "predicted": scores.argmax(1).tolist(),
        "scores": scores.round(6).ravel().tolist(),
    }


def logistic(x, y, test_x, c, standardize):
    x, test_x = x.astype(np.float64), test_x.astype(np.float64)
    if standardize:
        scaler = StandardScaler().fit(x)
        x, test_x = scaler.transform(x), scaler.transform(test_x)
    model = LogisticRegression(C=c, tol=1e-10, max_iter=100_000).fit(x, y)
    objective = metrics.log_loss(y, model.predict_proba(x)) + 0.5 * (model.coef_**2).sum() / (c * len(y))
    scores = model.predict_proba(test_x)
    return {
        "c": c,
        "standardize": standardize,
        "objective": objective,
        "predicted": scores.argmax(1).tolist(),
        "scores": scores.round(6).ravel().tolist(),
    }


def figures(scores, labels):
    predicted = scores.argmax(1)
    classes = scores.shape[1]
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        labels, predicted, labels=range(classes), zero_division=0
    )
    return {
        "top1": metrics.accuracy_score(labels, predicted),
        "top2": metrics.top_k_accuracy_score(labels, scores, k=2, labels=range(classes)) if classes > 2 else 1.0,
        "balanced_accuracy": metrics.balanced_accuracy_score(labels, predicted),
        "macro_f1": metrics.f1_score(labels, predicted, average="macro"),
        "precision": precision.tolist(),
        "recall": recall.tolist(),
        "f1": f1.tolist(),
        "support": support.tolist(),
        "confusion": metrics.confusion_matrix(labels, predicted, labels=range(classes)).tolist(),
    }


def case(name, seed, classes, train, test, size):
    x, y, test_x, labels = features(seed, classes, train, test, size)
    by_knn = [knn(x, y, test_x, k, t) for k, t in [(1, 0.1), (5, 0.1), (20, 0.07), (train, 0.5)]]
    reference = by_knn[2]
    return {
        "name": name,
        "classes": classes,
        "size": size,
        "train": [float(v) for v in np.char.mod("%.3f", x.ravel()).astype(float)],
        "train_labels": y.tolist(),
        "test": [float(v) for v in np.char.mod("%.3f", test_x.ravel()).astype(float)],
        "test_labels": labels.tolist(),
        "knn": by_knn,
        "logistic": [logistic(x, y, test_x, c, s) for c in (0.1, 1.0, 10.0) for s in (True, False)],
        "figures_of_knn_2": figures(np.array(reference["scores"]).reshape(-1, classes), labels),
    }


def main():
    cases = [
        case("five classes", 0, 5, 90, 60, 6),
        case("two classes", 1, 2, 50, 30, 4),
        case("more features than images", 2, 3, 24, 30, 30),
    ]
    path = pathlib.Path(__file__).with_name("scikit_learn.json")
    content = {"scikit_learn": sklearn.__version__, "cases": cases}
    path.write_text(json.dumps(content, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
