"""Our side of a comparison: the benches of the workspace."""

import json
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).parents[2]


def build(name):
    """Compiles a bench before anything is timed, and returns its path."""
    command = ["cargo", "bench", "--workspace", "--bench", name, "--no-run", "--message-format", "json"]
    output = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    messages = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    return next(m["executable"] for m in messages if m.get("executable") and m["target"]["name"] == name)
