"""Reads what `cargo llvm-cov --json` wrote: shares of lines by crate, lines that no test reaches, and error variants that none makes.

    python3 tests/coverage.py target/coverage.json [--lines]

Lines of modules called `tests` and below `#[cfg(test)]` are not counted. Fails below 90 % of all lines and 95 % of the readers and checkpoints.
"""

import collections
import json
import pathlib
import re
import sys

# What reads files of strangers, and what keeps a run.
READERS = re.compile(
    r"crates/(simclr-data/src|simclr-model/src/weights|simclr-files/src|simclr-train/src/run/|simclr-embed/src/(search/image_index|embedding/embedder_file|vectors)"
    r"|simclr-eval/src/classifier|simclr-explore/src/(server/request|labels/saved_lists))"
)
root = pathlib.Path(__file__).resolve().parent.parent


def counts_of(segments):
    """{line: executions} of the segments of a file, as llvm-cov counts lines."""
    counts, active, at = {}, None, 0
    for line, _, count, has_count, is_entry, is_gap in segments:
        if active is not None:
            for between in range(at + 1, line):
                counts[between] = max(counts.get(between, 0), active)
        if has_count and not is_gap:
            if is_entry or line not in counts:
                counts[line] = max(counts.get(line, 0), count)
            active = count
        else:
            active = None
        at = line
        if active is not None:
            counts[line] = max(counts.get(line, 0), active)
    return counts


def test_start(lines):
    """The line of `#[cfg(test)]` before a module in braces, with which all that follows is tests; else one after the end."""
    for number, text in enumerate(lines, 1):
        if text.strip() == "#[cfg(test)]" and number < len(lines) and re.match(r"\s*mod \w+ \{", lines[number]):
            return number
    return len(lines) + 1


def main():
    data = json.loads(pathlib.Path(sys.argv[1]).read_text())["data"][0]
    shares, made, missed = collections.defaultdict(lambda: [0, 0]), collections.Counter(), {}
    readers = [0, 0]
    for file in data["files"]:
        path = pathlib.Path(file["filename"])
        if root not in path.parents:
            continue
        name = str(path.relative_to(root))
        lines = path.read_text().splitlines()
        end = test_start(lines)
        counts = {line: count for line, count in counts_of(file["segments"]).items() if line < end}
        for line, count in counts.items():
            if count:
                for variant in re.findall(r"\b(\w+(?:Error|Fault|OutOfRange)::[A-Z]\w*|Self::[A-Z]\w*)", lines[line - 1]):
                    made[variant] += 1
        reached = sum(count > 0 for count in counts.values())
        crate = "/".join(name.split("/")[:2]) if name.startswith("crates/") else "facade and examples"
        for share in [shares[crate], shares["all"], *([readers] if READERS.search(name) else [])]:
            share[0] += reached
            share[1] += len(counts)
        missed[name] = sorted(line for line, count in counts.items() if not count)
    for crate, (reached, lines) in sorted(shares.items()) + [("readers and checkpoints", readers)]:
        print(f"{crate:32} {reached:6} of {lines:6} lines  {100 * reached / max(lines, 1):5.1f} %")
    print("\nfiles with the most lines that no test reaches:")
    for name, lines in sorted(missed.items(), key=lambda item: -len(item[1]))[:25]:
        print(f"{len(lines):5}  {name}")
    if "--lines" in sys.argv:
        for name, lines in sorted(missed.items()):
            if lines and READERS.search(name):
                print(f"{name}: {' '.join(map(str, lines))}")
    print("\nvariants of errors that no reached line makes:")
    for path in sorted(root.glob("crates/*/src/**/*.rs")):
        for enum, body in re.findall(r"pub enum (\w+(?:Error|Fault))\b[^{]*\{(.*?)\n\}", path.read_text(), re.S):
            # Variants begin at four blanks; those that `?` makes of another error have no line.
            for variant in re.findall(r"^    ([A-Z]\w*)(?:\(#\[from\].*?\)|\s*[,({])", body, re.M):
                by_question_mark = re.search(rf"^    {variant}\(#\[from\]", body, re.M) or re.search(
                    rf"^    {variant} ?\{{[^}}]*#\[from\]", body, re.M)
                if not by_question_mark and not made[f"{enum}::{variant}"] and not made[f"Self::{variant}"]:
                    print(f"  {enum}::{variant}")
    share = [100 * reached / max(lines, 1) for reached, lines in (shares["all"], readers)]
    sys.exit(0 if share[0] >= 90 and share[1] >= 95 else f"expected 90 % and 95 %, found {share[0]:.1f} and {share[1]:.1f}")


main()
