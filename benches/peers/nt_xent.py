"""NT-Xent, forward and backward, against PyTorch: seconds and memory of a step by batch size.

Peers: lightly's NTXentLoss; the formulation of google-research/simclr's objective.py, halved to the mean over
the anchors; and the matrix form that tutorials show. Needs: pip install torch lightly

Every case runs in a process of its own, ours and the peers' in turn.
"""

import json
import pathlib
import statistics
import sys
import time

from bench import build, measure

D = 128
TEMPERATURE = 0.5
PEERS = ["lightly", "google", "matrix"]
BATCHES = [64, 256, 1024, 2048, 4096, 8192]
QUICK = [64, 256, 1024]
# lightly and the matrix form hold several (2n)² matrices: beyond this they need more than 4 GiB.
LARGEST_OF_A_PEER = {"lightly": 8192, "google": 8192, "matrix": 4096}


def rows(options):
    bench = build("nt_xent")
    for n in QUICK if options.quick else BATCHES:
        ours = measure([bench, "nt_xent", str(n), str(D)])
        for name in PEERS:
            if n > LARGEST_OF_A_PEER[name]:
                continue
            peer = measure([sys.executable, __file__, name, str(n), str(D)])
            for key, unit, what in [("seconds", "s", "time"), ("extra_mib", "MiB", "memory")]:
                yield {
                    "work": "nt_xent",
                    "case": f"n={n} d={D} {what}",
                    "ours": ours[key],
                    "peer": peer[key],
                    "peer_name": name,
                    "ratio": peer[key] / max(ours[key], 1e-9),
                    "unit": unit,
                }


def peer(name, n, d):
    import torch
    import torch.nn.functional as F

    def google(z_a, z_b):
        z_a, z_b = F.normalize(z_a, dim=1), F.normalize(z_b, dim=1)
        labels = torch.arange(n)
        masks = torch.eye(n) * 1e9
        aa = z_a @ z_a.T / TEMPERATURE - masks
        bb = z_b @ z_b.T / TEMPERATURE - masks
        ab = z_a @ z_b.T / TEMPERATURE
        ba = z_b @ z_a.T / TEMPERATURE
        loss_a = F.cross_entropy(torch.cat([ab, aa], 1), labels)
        loss_b = F.cross_entropy(torch.cat([ba, bb], 1), labels)
        return (loss_a + loss_b) / 2

    def matrix(z_a, z_b):
        z = F.normalize(torch.cat([z_a, z_b]), dim=1)
        similarity = z @ z.T
        positives = torch.cat([similarity.diagonal(n), similarity.diagonal(-n)])
        negatives = ~torch.eye(2 * n, dtype=torch.bool)
        denominators = (negatives * torch.exp(similarity / TEMPERATURE)).sum(1)
        return -torch.log(torch.exp(positives / TEMPERATURE) / denominators).mean()

    def lightly():
        from lightly.loss import NTXentLoss

        return NTXentLoss(temperature=TEMPERATURE)

    loss = {"google": lambda: google, "matrix": lambda: matrix, "lightly": lightly}[name]()
    torch.manual_seed(0)
    z_a = torch.randn(n, d, requires_grad=True)
    z_b = torch.randn(n, d, requires_grad=True)

    def step():
        z_a.grad = z_b.grad = None
        start = time.perf_counter()
        loss(z_a, z_b).backward()
        return time.perf_counter() - start

    before = peak_mib()
    first = step()
    repetitions = 2 if first > 2 else max(5, min(200, int(1 / first)))
    seconds = [step() for _ in range(repetitions)]
    result = {"seconds": statistics.median(seconds), "extra_mib": peak_mib() - before}
    print(json.dumps(result))


def peak_mib():
    status = pathlib.Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024


if __name__ == "__main__":
    peer(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
