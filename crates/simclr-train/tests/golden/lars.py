"""Golden values of LARS, computed in float64 by a transcription of the formula that shares no code with ours.

    python3 -m venv venv
    venv/bin/pip install numpy
    venv/bin/python lars.py > lars.json

The formula is that of google-research/simclr, lars_optimizer.py, with its defaults (classic momentum, no Nesterov):

    g'    = g + weight_decay * w                         unless the parameter is excluded
    trust = eeta * |w| / |g'|  if |w| > 0 and |g'| > 0, else 1; 1 if the parameter is excluded
    v     = momentum * v + rate * trust * g'
    w     = w - v

Inputs are rounded to float32, so that both sides start from the same numbers.
"""

import json
import sys

import numpy as np

EETA = 0.001
MOMENTUM = 0.9


def step(w, v, g, rate, weight_decay, excluded):
    if not excluded:
        g = g + weight_decay * w
    trust = 1.0
    if not excluded:
        w_norm, g_norm = np.sqrt((w * w).sum()), np.sqrt((g * g).sum())
        if w_norm > 0 and g_norm > 0:
            trust = EETA * w_norm / g_norm
    v = MOMENTUM * v + rate * trust * g
    return w - v, v


def numbers(array):
    return [float(f"{x:.9g}") for x in array.ravel()]


def case(name, seed, shape, weight_decay, excluded=False, w_scale=1.0, g_scale=1.0, rates=(0.0, 1.2, 4.8, 2.4, 0.3)):
    random = np.random.default_rng(seed)
    single = lambda scale: (scale * random.standard_normal(shape)).astype(np.float32).astype(np.float64)
    w, v = single(w_scale), np.zeros(shape)
    start, gradients, after = w, [], []
    for rate in rates:
        g = single(g_scale)
        w, v = step(w, v, g, rate, weight_decay, excluded)
        gradients.append(numbers(g))
        after.append(numbers(w))
    return {
        "name": name,
        "shape": list(shape),
        "weight_decay": weight_decay,
        "excluded": excluded,
        "rates": list(rates),
        "start": numbers(start),
        "gradients": gradients,
        "after": after,
    }


def main():
    cases = [
        case("a fully connected layer", 1, (4, 3), 1e-6),
        case("a convolution with a strong decay", 2, (3, 2, 2, 2), 0.1),
        case("small gradients", 3, (3, 4), 1e-4, g_scale=1e-6),
        case("large gradients", 4, (3, 4), 1e-4, g_scale=1e4),
        case("an excluded vector", 5, (6,), 0.1, excluded=True, g_scale=1e-2),
        case("an excluded vector that starts at zero", 6, (6,), 0.1, excluded=True, w_scale=0.0, g_scale=1e-2),
        case("a weight that starts at zero", 7, (2, 3), 0.1, w_scale=0.0, g_scale=1e-2),
        case("no gradient, no decay", 8, (2, 3), 0.0, g_scale=0.0),
        case("no gradient but decay", 9, (2, 3), 0.1, g_scale=0.0),
    ]
    json.dump({"momentum": MOMENTUM, "trust_coefficient": EETA, "cases": cases}, sys.stdout, separators=(",", ":"))


if __name__ == "__main__":
    main()
