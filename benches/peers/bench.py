"""What the comparisons share: our side, the benches of the workspace, and how either side is run."""

import json
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).parents[2]


def build(name):
    """Compiles a bench before anything is timed, and returns its path."""
    command = ["cargo", "bench", "--workspace", "--bench", name, "--no-run", "--message-format", "json"]
    output = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    messages = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    return next(m["executable"] for m in messages if m.get("executable") and m["target"]["name"] == name)


def measure(command, threads=None):
    """Runs one side's program, whose last line is JSON, with ours on `threads` threads if they are given."""
    environment = os.environ if threads is None else os.environ | {"RAYON_NUM_THREADS": str(threads)}
    output = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
    return json.loads(output.splitlines()[-1])  # Libraries may greet before.
