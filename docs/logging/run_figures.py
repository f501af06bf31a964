"""The figures of a run's folder, by the names and steps that its TensorBoard files have.

Needs nothing but Python 3.11. `to_wandb.py` and `to_mlflow.py` send what it reads.
"""

import json
import math
import pathlib
import sys
import tomllib


def arguments(usage):
    """The run's folder and the project, by default "simclr", of a command line. Ends the program if it is wrong."""
    if not 2 <= len(sys.argv) <= 3:
        sys.exit(usage)
    run = pathlib.Path(sys.argv[1])
    if not (run / "metrics.jsonl").is_file():
        sys.exit(f"expected the folder of a run, with its metrics.jsonl, found none in {run}")
    return run, sys.argv[2] if len(sys.argv) == 3 else "simclr"


def figures(run):
    """Yields (step, {name: value}) for each line of the run's metrics.jsonl that has figures, and for its summary.json.

    The step is the number of training steps so far: 0 before training. Values are finite; what was NaN or infinite
    is null in the file, and absent here.
    """
    step = 0
    with open(run / "metrics.jsonl", encoding="utf-8") as lines:
        for line in lines:
            if not line.endswith("\n"):
                break  # The run is writing it, or was killed while it was.
            line = json.loads(line)
            event = line.pop("event")
            if event == "step":
                step += 1 + line.pop("left_out", 0)
            if event in ("step", "epoch"):
                del line["epoch"]
                line.pop("step", None)
                line |= line.pop("representation", None) or {}
                monitor = line.pop("monitor", None) or {}
                monitor |= monitor.pop("shape", None) or {}
                for images in ("train_images", "test_images"):
                    monitor.pop(images, None)
                yield step, named(event, line) | named("monitor", monitor)
    if (run / "summary.json").exists():
        yield step, named("summary", json.loads((run / "summary.json").read_text(encoding="utf-8")))


def named(event, line):
    """The finite numbers of a line, as `event/name`."""
    numbers = {name: value for name, value in line.items() if type(value) in (int, float)}
    return {f"{event}/{name}": value for name, value in numbers.items() if math.isfinite(value)}


def settings(run):
    """The run's config.toml, as {"table.key": value}."""

    def flat(table, prefix):
        for key, value in table.items():
            if isinstance(value, dict):
                yield from flat(value, f"{prefix}{key}.")
            else:
                yield f"{prefix}{key}", value

    return dict(flat(tomllib.loads((run / "config.toml").read_text(encoding="utf-8")), ""))
