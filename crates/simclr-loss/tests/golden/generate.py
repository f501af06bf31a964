"""Golden values and gradients of contrastive losses, from implementations that share no code with ours.

    python3 -m venv venv
    venv/bin/pip install torch==2.15.0 lightly==1.6.0 pytorch-metric-learning==2.9.0
    venv/bin/python generate.py > peers.json

Everything is computed in float64 and written with 9 digits. Peers:

    nt_xent    lightly's NTXentLoss, pytorch-metric-learning's NTXentLoss, and the formulation of
               google-research/simclr (objective.py: cross-entropy over [ab, aa] and [ba, bb] with 1e9
               subtracted from the self-pairs), written out below because it is TensorFlow code; it
               returns twice the mean over the anchors, and is stored as it returns it
    decoupled  lightly's DCLLoss
    sup_con    pytorch-metric-learning's SupConLoss, which leaves out anchors without a positive
"""

import json
import sys

import torch
import torch.nn.functional as F
from lightly.loss import DCLLoss, NTXentLoss
from pytorch_metric_learning.losses import NTXentLoss as PmlNTXentLoss
from pytorch_metric_learning.losses import SupConLoss


def google(z_a, z_b, temperature):
    z_a, z_b = F.normalize(z_a, dim=1), F.normalize(z_b, dim=1)
    n = len(z_a)
    labels = torch.arange(n)
    masks = torch.eye(n, dtype=z_a.dtype) * 1e9
    aa = z_a @ z_a.T / temperature - masks
    bb = z_b @ z_b.T / temperature - masks
    ab = z_a @ z_b.T / temperature
    ba = z_b @ z_a.T / temperature
    loss_a = F.cross_entropy(torch.cat([ab, aa], 1), labels)
    loss_b = F.cross_entropy(torch.cat([ba, bb], 1), labels)
    return loss_a + loss_b


def lightly_nt_xent(z_a, z_b, temperature):
    return NTXentLoss(temperature=temperature)(z_a, z_b)


def pml_nt_xent(z_a, z_b, temperature):
    labels = torch.arange(len(z_a)).repeat(2)
    return PmlNTXentLoss(temperature=temperature)(torch.cat([z_a, z_b]), labels)


def lightly_dcl(z_a, z_b, temperature):
    return DCLLoss(temperature=temperature)(z_a, z_b)


def sup_con(labels):
    def loss(z_a, z_b, temperature):
        rows = torch.cat([z_a, z_b])
        return SupConLoss(temperature=temperature)(rows, torch.tensor(labels).repeat(2))

    return loss


def sup_con_one_view(labels):
    def loss(z_a, _, temperature):
        return SupConLoss(temperature=temperature)(z_a, torch.tensor(labels))

    return loss


def digits(tensor):
    return [float(f"{x:.9g}") for x in tensor.flatten().tolist()]


def case(name, loss, n, d, temperature, seed, labels=None, factor=1):
    generator = torch.Generator().manual_seed(seed)
    # Rounded to float32, so that both sides start from the same numbers; of very different lengths.
    lengths = torch.logspace(-1, 2, n).unsqueeze(1)
    z_a = (torch.randn(n, d, generator=generator) * lengths).float().double().requires_grad_()
    z_b = (z_a.detach() + lengths * torch.randn(n, d, generator=generator)).float().double().requires_grad_()
    value = loss(z_a, z_b, temperature)
    value.backward()
    zeros = torch.zeros_like(z_b)
    return {
        "peer": name,
        "factor": factor,
        "temperature": temperature,
        "shape": [n, d],
        "labels": labels,
        "z_a": digits(z_a),
        "z_b": digits(z_b),
        "value": value.item(),
        "gradient_a": digits(z_a.grad),
        "gradient_b": digits(zeros if z_b.grad is None else z_b.grad),
    }


def main():
    two_view_peers = [("lightly", lightly_nt_xent, 1), ("pytorch-metric-learning", pml_nt_xent, 1), ("google", google, 2)]
    shapes = [(2, 1, 0.5), (5, 7, 0.5), (6, 16, 0.1), (12, 8, 1.0), (4, 5, 0.05)]
    cases = {"nt_xent": [], "decoupled": [], "sup_con": [], "sup_con_one_view": []}
    for seed, (n, d, temperature) in enumerate(shapes):
        for name, loss, factor in two_view_peers:
            cases["nt_xent"].append(case(name, loss, n, d, temperature, seed, factor=factor))
        cases["decoupled"].append(case("lightly", lightly_dcl, n, d, temperature, seed))
        labels = [i * i % 4 for i in range(n)]
        cases["sup_con"].append(case("pytorch-metric-learning", sup_con(labels), n, d, temperature, seed, labels))
        # With one view, some labels occur once.
        if len(set(labels)) < n:
            labels = [*labels[:-1], 99]
            peer = sup_con_one_view(labels)
            cases["sup_con_one_view"].append(
                case("pytorch-metric-learning", peer, n, d, temperature, seed, labels)
            )
    json.dump(cases, sys.stdout, separators=(",", ":"))


if __name__ == "__main__":
    main()
