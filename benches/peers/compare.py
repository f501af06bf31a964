"""Side-by-side figures: our benches and their PyTorch peers, in turn, on this machine.

    python3 -m venv venv && venv/bin/pip install torch torchvision timm lightly kornia albumentations
    venv/bin/python benches/peers/compare.py nt_xent augment --json rows.json

Each WORK is a module beside this one whose `rows(options)` yields dictionaries with the keys work, case,
ours, peer, peer_name, ratio and unit. The ratio is peer / ours: above 1 we are faster, or smaller. Absolute
times move between machines and between runs; the ratios of one run are what to quote.
"""

import argparse
import json
import sys

import augment
import decode
import embed
import encoders
import knn
import loader
import nt_xent
import pretrain
import train_step

WORKS = {
    "nt_xent": nt_xent,
    "augment": augment,
    "decode": decode,
    "loader": loader,
    "train_step": train_step,
    "pretrain": pretrain,
    "encoders": encoders,
    "embed": embed,
    "knn": knn,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", nargs="+", choices=WORKS)
    parser.add_argument("--json", metavar="FILE", help="write the rows there")
    parser.add_argument("--quick", action="store_true", help="only the small cases")
    parser.add_argument("--data", metavar="FOLDER", help="CIFAR-10's binary files, for pretrain")
    options = parser.parse_args()

    rows = []
    for work in options.work:
        for row in WORKS[work].rows(options):
            rows.append(row)
            print(
                f"{row['work']}  {row['case']:<28} ours {row['ours']:>10.4f} {row['unit']:<4}"
                f" {row['peer_name']:>12} {row['peer']:>10.4f}   ratio {row['ratio']:.2f}",
                flush=True,
            )
    if options.json:
        with open(options.json, "w") as file:
            json.dump(rows, file, indent=1)


if __name__ == "__main__":
    sys.exit(main())
