"""Watches a long run from outside, and one whose clock jumps: see `.ci/long/long_run`.

    python3 tests/long_run.py target/release/simclr FOLDER STEPS LIBFAKETIME
"""

import json
import os
import pathlib
import subprocess
import sys
import time

import read_tensorboard

SMALL = ["--images=64", "--image-size=8", "--encoder=mlp_i8_16", "--batch-size=4"]


def state(pid):
    """Anonymous memory in KiB, and the number of open files."""
    process = pathlib.Path(f"/proc/{pid}")
    lines = (process / "status").read_text().splitlines()
    memory = next(int(line.split()[1]) for line in lines if line.startswith("RssAnon:"))
    return memory, len(list((process / "fd").iterdir()))


def pretrain(simclr, run, epochs, steps, environment, watch):
    """A run of so many epochs of so many steps, which is asked every fifth of a second how it does."""
    arguments = [*SMALL, f"--out={run}", f"--epochs={epochs}", f"--steps-per-epoch={steps}", "--monitor-every=10"]
    log = run.with_suffix(".log")
    with open(log, "w") as out:
        process = subprocess.Popen([simclr, "pretrain", *arguments], stdout=out, stderr=out, env=os.environ | environment)
        while process.poll() is None:
            time.sleep(0.2)
            try:
                watch(process.pid)
            except (OSError, StopIteration):
                break
    if process.wait() != 0:
        sys.exit(log.read_text())
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def long(simclr, run, steps):
    epochs = 100 if steps >= 10_000 else 10
    start, seen = time.monotonic(), []
    lines = pretrain(simclr, run, epochs, steps // epochs, {}, lambda pid: seen.append(state(pid)))
    logged = [line for line in lines if line["event"] == "step"]
    done = sum(1 + line.get("left_out", 0) for line in logged)
    assert done == steps // epochs * epochs, done
    seen = seen[len(seen) // 10 :]
    memory, files = [first for first, _ in seen], [second for _, second in seen]
    half = len(memory) // 2
    early, late = sorted(memory[:half])[half // 2], sorted(memory[half:])[half // 2]
    logs = (run / "metrics.jsonl").stat().st_size
    events = sum(path.stat().st_size for path in (run / "tensorboard").iterdir())
    print(f"{done} steps in {time.monotonic() - start:.0f} s; anonymous memory, median of the first half and of the second: "
          f"{early / 1024:.1f} and {late / 1024:.1f} MiB, at most {max(memory) / 1024:.1f}; open files {min(files)} to {max(files)}; "
          f"metrics.jsonl {logs / 2**20:.1f} MiB with {len(logged)} steps, TensorBoard's file {events / 2**20:.1f} MiB")
    read_tensorboard.main(run)
    assert late <= 1.01 * early, "memory grows"
    # A checkpoint that is being written has a file open.
    assert max(files) <= min(files) + 4, "files stay open"
    assert logs <= 17 * 2**20 and events <= 40 * 2**20, "logs grow"


def jumping_clock(simclr, run, faketime):
    clock = run.with_suffix(".clock")
    environment = {"LD_PRELOAD": faketime, "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_NO_CACHE": "1",
                   "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    clock.write_text("+0")
    jumps = []

    def jump(_):
        done = len((run / "metrics.jsonl").read_text().splitlines()) if run.exists() else 0
        if done > 1000 * (len(jumps) + 1) and len(jumps) < 2:
            jumps.append(done)
            clock.write_text(["-400d", "+3650d"][len(jumps) - 1])

    start = time.monotonic()
    lines = pretrain(simclr, run, 10, 400, environment, jump)
    seconds = time.monotonic() - start
    assert len(jumps) == 2, jumps
    for line in lines:
        if line["event"] == "step":
            assert 0 < line["images_per_second"] < 1e9 and 0 <= line["waiting_share"] <= 1, line
        if line["event"] == "epoch" and line.get("monitor"):
            assert 0 <= line["monitor"]["seconds"] <= seconds, line
    # It goes on in the year to come, when the clock is right again.
    clock.write_text("+0")
    resumed = [simclr, "pretrain", f"--resume={run}", "--epochs=11", "--restart-schedule"]
    subprocess.run(resumed, check=True, capture_output=True, env=os.environ | environment)
    read_tensorboard.main(run)
    print(f"the clock went back by 400 days after {jumps[0]} lines and forward by 4050 after {jumps[1]}: all rates are those of the monotonic clock, and the run goes on")


def main(simclr, folder, steps, faketime):
    folder = pathlib.Path(folder)
    jumping_clock(simclr, folder / "jumping", faketime)
    long(simclr, folder / "long", int(steps))


main(*sys.argv[1:])
