"""Joins what `simclr doctor` and pytorch.py measured: FOLDER/result.json, and FOLDER/result.md with ratios.

    python3 table.py FOLDER

It needs nothing but Python's own library, and takes either file missing.
"""

import json
import pathlib
import sys


def read(path):
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return None


def figures(number):
    return f"{number:.3g}" if number < 1000 else f"{number:,.0f}"


def cell(row, unit):
    """A figure in images/s or ms, or why there is none."""
    if row is None:
        return "-"
    if row["outcome"] != "ok":
        return row["outcome"].replace("-", " ")
    if unit == "images/s":
        return f"{figures(row['images'] / row['seconds'])} images/s"
    return f"{figures(1000 * row['seconds'])} ms"


def ratio(ours, peer):
    """How many times as fast ours is, for the same number of images."""
    if ours is None or peer is None or not ours["outcome"] == peer["outcome"] == "ok":
        return "-"
    of_an_image = [row["seconds"] / row.get("images", row.get("n")) for row in (peer, ours)]
    return f"{of_an_image[0] / of_an_image[1]:.2f}"


def table(doctor, pytorch):
    peers = {(row["work"], row["numbers"], row.get("n")): row for row in (pytorch or {}).get("rows", [])}
    lines = ["| work | simclr | PyTorch | its numbers | ratio |", "|---|---|---|---|---|"]

    def rows(what, ours, work, unit, numbers, n=None):
        for each in numbers:
            peer = peers.get((work, each, n))
            if peer is not None:
                lines.append(f"| {what} | {cell(ours, unit)} | {cell(peer, unit)} | {each} | {ratio(ours, peer)} |")
        if not any((work, each, n) in peers for each in numbers):
            lines.append(f"| {what} | {cell(ours, unit)} | - | | - |")

    f32 = ["f32, TF32 on", "f32, TF32 off"]
    for row in doctor["training"]:
        numbers = f32 if row["precision"] == "f32" else ["bf16 autocast, channels last"]
        what = f"training step, {row['precision']}, {row['images']} images"
        rows(what, row, "training", "images/s", numbers)
    row = doctor["embedding"]
    rows(f"embedding, f32, {row['images']} images", row, "embedding", "images/s", f32)
    for row in doctor["loss"]:
        rows(f"NT-Xent and gradient, n = {row['n']:,}", row, "loss", "ms", f32, row["n"])
    return lines


def about(doctor, pytorch):
    device, parity = doctor["device"], doctor["parity"]
    passed = sum(check["passes"] for check in parity["checks"])
    lines = [
        f"- simclr {doctor['simclr']} on `{device['name']}`: {device['adapter'] or 'no GPU'}, {device['target'] or 'CPU'}; "
        f"{doctor['encoder']}, {doctor['size']} px",
        f"- compared with the CPU: {passed} of {len(parity['checks'])} checks pass ({parity['outcome']}); products of f32 in "
        f"{parity['products']}",
    ]
    largest = doctor["largest_batch"]
    if largest["outcome"] == "ok":
        lines.append(f"- largest batch in f32: {largest['images']} images, limited by {largest['limited_by']}")
    if pytorch:
        lines.append(f"- PyTorch {pytorch['torch']} (CUDA {pytorch['cuda']}) on {pytorch['device']}"
                     + (f": {pytorch['reason']}" if "reason" in pytorch else ""))
    return lines


def main():
    folder = pathlib.Path(sys.argv[1])
    doctor, pytorch = read(folder / "doctor.json"), read(folder / "pytorch.json")
    said = folder / "doctor.txt"
    text = said.read_text() if said.exists() else ""
    result = {"kit": 1, "doctor": doctor, "pytorch": pytorch}
    if doctor is None:
        result["doctor_said"] = text
        lines = ["`simclr doctor` left no result. It said:", "", "```text", text.rstrip(), "```"]
    else:
        lines = [*about(doctor, pytorch), "", *table(doctor, pytorch), ""]
        lines.append("A ratio above 1 says that simclr is faster. n images are 2n views on both sides.")
    (folder / "result.json").write_text(json.dumps(result, indent=1) + "\n")
    (folder / "result.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
