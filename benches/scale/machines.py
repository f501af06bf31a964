#!/usr/bin/env python3
"""What devices of other processes cost: bytes a step and an image, and images a second, for 1, 2 and 3 processes.

    cargo build --release --features remote --example stl10_pretrain --example device_server
    python3 benches/scale/machines.py --json machines.json

Each process beyond the first is a `device_server` on loopback, which lends its CPU. The bytes are those that the
loopback device has sent meanwhile (Linux alone), so nothing else may use it. The cores are shared: what is computed at
the same time is not faster on one machine; the figures of interest are the bytes, and what a process costs.
"""

import argparse
import json
import os
import pathlib
import socket
import subprocess
import tempfile

SENT = pathlib.Path("/sys/class/net/lo/statistics/tx_bytes")
TOKEN = "a token of this bench"


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    def __init__(self, binary, folder, number):
        arguments = ["--address", "127.0.0.1", "--port", str(free_port()), "--key", folder / f"{number}.key"]
        environment = os.environ | {"SIMCLR_REMOTE_TOKEN": TOKEN}
        self.process = subprocess.Popen(
            [binary, *arguments], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.name = self.process.stdout.readline().strip()
        if not self.name.startswith("remote:"):
            raise SystemExit(f"expected the name of a device from {binary}, found {self.name!r}")

    def stop(self):
        self.process.kill()
        self.process.wait()


def run(binary, folder, devices, encoder, size, batch, steps):
    """One run: the bytes that were sent, and the images a second of all steps but the first."""
    out = pathlib.Path(tempfile.mkdtemp(dir=folder)) / "run"
    before = int(SENT.read_text())
    subprocess.run(
        [binary, "--images", str(batch * steps), "--batch-size", str(batch), "--epochs", "1", "--image-size", str(size)]
        + ["--encoder", encoder, "--device", ",".join(devices), "--out", out],
        env=os.environ | {"SIMCLR_REMOTE_TOKEN": TOKEN},
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    sent = int(SENT.read_text()) - before
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    rates = [line["images_per_second"] for line in lines if line["event"] == "step"][1:]
    seconds = sum(batch / rate for rate in rates)
    return sent, batch * len(rates) / seconds


def measure(options, folder, processes):
    servers = [Server(options.server, folder, number) for number in range(1, processes)]
    devices = ["flex", *(server.name for server in servers)]
    try:
        def bytes_of_step(batch):
            more, less = (run(options.train, folder, devices, options.encoder, options.size, batch, steps)
                          for steps in (options.steps, 2))
            return (more[0] - less[0]) / (options.steps - 2), more[1]

        small, large = options.batch, 2 * options.batch
        (of_small, _), (of_large, rate) = bytes_of_step(small), bytes_of_step(large)
        of_image = (of_large - of_small) / (large - small)
        return {
            "processes": processes,
            "bytes_a_step": round(of_small - of_image * small),
            "bytes_an_image": round(of_image),
            "images_per_second": round(rate, 1),
        }
    finally:
        for server in servers:
            server.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    examples = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", "target")) / "release/examples"
    parser.add_argument("--train", type=pathlib.Path, default=examples / "stl10_pretrain")
    parser.add_argument("--server", type=pathlib.Path, default=examples / "device_server")
    parser.add_argument("--encoder", default="resnet18x0.25_cifar")
    parser.add_argument("--size", type=int, default=48, help="pixels of a view")
    parser.add_argument("--batch", type=int, default=48, help="images of the smaller batch; the larger has twice as many")
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = [measure(options, pathlib.Path(folder), processes) for processes in (1, 2, 3)]
    print("| processes | bytes a step | bytes an image | images/s |")
    print("|---|---|---|---|")
    for row in rows:
        print("| {processes} | {bytes_a_step:,} | {bytes_an_image:,} | {images_per_second} |".format(**row))
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
