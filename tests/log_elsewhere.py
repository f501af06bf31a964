"""Sends a run to Weights and Biases and to MLflow by the scripts of docs/logging, and finds its figures there again.

    python3 tests/log_elsewhere.py RUN

Needs tensorboard, wandb and mlflow (`pip install tensorboard wandb mlflow`), and no network: W&B is in its offline mode, MLflow in an SQLite file.
What is found is compared with the run's TensorBoard files, as `read_tensorboard.py` reads them without the scripts. The same
is done with a copy of the run that has a hostile name, a loss that is NaN, and a last line that was cut off.
"""

import importlib.util
import json
import math
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

from read_tensorboard import scalars

SCRIPTS = pathlib.Path(__file__).parent.parent / "docs" / "logging"


def in_tensorboard(run):
    """{(name, step): value} of the run's event file, by TensorBoard's own reader."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(run / "tensorboard"), size_guidance={"scalars": 0})
    events.Reload()
    tags = events.Tags()["scalars"]
    return {(tag, event.step): event.value for tag in tags for event in events.Scalars(tag)}


def in_wandb(run, folder):
    """{(name, step): value} that `to_wandb.py` writes to W&B's offline file."""
    send("to_wandb.py", run, {"WANDB_MODE": "offline", "WANDB_DIR": str(folder), "WANDB_SILENT": "true"})
    from wandb.proto import wandb_internal_pb2

    (path,) = folder.glob("wandb/offline-run-*/*.wandb")
    found = {}
    for body in records(path.read_bytes()):
        record = wandb_internal_pb2.Record.FromString(body)
        for item in record.history.item:
            name = "/".join(item.nested_key) or item.key
            found[name, record.history.step.num] = json.loads(item.value_json)
    return found


def records(data):
    """The records of W&B's file: LevelDB's log format after seven bytes. A record may be in several parts."""
    block, at, record = 32768, 7, b""
    while at + 7 <= len(data):
        if block - at % block < 7:
            at += block - at % block  # No header fits: zeros up to the block's end.
            continue
        _, length, part = struct.unpack_from("<IHB", data, at)
        record += data[at + 7 : at + 7 + length]
        at += 7 + length
        if part in (1, 4):  # Whole, or the last part.
            yield record
            record = b""


def in_mlflow(run, folder):
    """{(name, step): value} that `to_mlflow.py` writes to MLflow."""
    store = f"sqlite:///{folder / 'mlflow.db'}"
    send("to_mlflow.py", run, {"MLFLOW_TRACKING_URI": store})
    import mlflow

    client = mlflow.MlflowClient(store)
    (sent,) = client.search_runs([client.get_experiment_by_name("simclr").experiment_id])
    assert sent.info.run_name == run.name, sent.info.run_name
    assert "train.epochs" in sent.data.params, sent.data.params
    names = sent.data.metrics
    points = (point for name in names for point in client.get_metric_history(sent.info.run_id, name))
    return {(point.key, point.step): point.value for point in points}


def send(script, run, variables):
    """Runs one of the scripts in the folder of its results."""
    command = [sys.executable, SCRIPTS / script, run]
    folder = pathlib.Path(variables.get("WANDB_DIR", run.parent))
    result = subprocess.run(command, cwd=folder, env=os.environ | variables, capture_output=True, text=True)
    assert result.returncode == 0, f"{script} {run}:\n{result.stdout}{result.stderr}"


def compare(where, expected, found):
    """All of the expected must be found. Event files hold single precision, the others double."""
    missing = expected.keys() - found.keys()
    assert not missing, f"{where} lacks {sorted(missing)[:5]}"
    for key, value in expected.items():
        assert math.isclose(found[key], value, rel_tol=1e-6), f"{where} has {found[key]} for {key}, expected {value}"
    broken = [key for key, value in found.items() if isinstance(value, float) and not math.isfinite(value)]
    assert not broken, f"{where} has numbers that are not finite: {broken[:5]}"
    print(f"{where}: {len(expected)} figures found")


def hostile_copy(run, folder):
    """A copy of the run by another name, with a loss that is NaN in its last step, and what a killed run may leave."""
    copy = folder / "a \"run\" $HOME; ü 'x' [1]\n2"
    copy.mkdir()
    shutil.copy(run / "config.toml", copy)
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    steps = [line for line in lines if line["event"] == "step"]
    steps[-1]["loss"] = None
    reason = 'cannot decode "\N{SNOWMAN}\u202e\x07<b>.jpg": \\ NaN'
    lines.append({"event": "skipped", "epoch": 1, "index": 3, "reason": reason})
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (copy / "metrics.jsonl").write_text(text + '{"event":"step","epoch":1,"st', encoding="utf-8")
    return copy, ("step/loss", len(steps))


def refuses(script, folder):
    """A folder that is no run ends the script with a message, not with a traceback."""
    command = [sys.executable, SCRIPTS / script, folder]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert result.returncode != 0 and "expected the folder of a run" in result.stderr, result.stderr
    assert "Traceback" not in result.stderr and not list(folder.iterdir()), result.stderr


def main(run):
    modules = [name for name in ("tensorboard", "wandb", "mlflow") if not importlib.util.find_spec(name)]
    if modules:
        sys.exit(f"missing: pip install {' '.join(modules)}")
    (events,) = (run / "tensorboard").glob("events.out.tfevents.*")
    expected = {(tag, step): value for step, tag, value in scalars(events)}
    compare("TensorBoard", expected, in_tensorboard(run))
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        places = [folder / "run", folder / "hostile", folder / "empty"]
        for place in places:
            place.mkdir()
        compare("W&B", expected, in_wandb(run, places[0]))
        compare("MLflow", expected, in_mlflow(run, places[0]))
        copy, lost = hostile_copy(run, places[1])
        del expected[lost]
        for where, found in [("W&B", in_wandb(copy, places[1])), ("MLflow", in_mlflow(copy, places[1]))]:
            compare(f"{where}, of a hostile run", expected, found)
            assert lost not in found, f"{where} has {found[lost]} for a loss that was NaN"
        for script in ("to_wandb.py", "to_mlflow.py"):
            refuses(script, places[2])


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(pathlib.Path(sys.argv[1]).resolve())
