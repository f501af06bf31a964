"""Reads a run's event file without TensorBoard, and compares it with metrics.jsonl.

    python3 tests/read_tensorboard.py RUN

Written from TensorFlow's format descriptions alone (record_writer.h, event.proto, summary.proto), so that it
shares nothing with the writer. Needs nothing but Python.
"""

import json
import pathlib
import struct
import sys


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def check(data, stored):
    crc = crc32c(data)
    masked = (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF
    assert masked == stored, f"expected checksum {masked:#x}, found {stored:#x}"


def records(data):
    while data:
        (length, crc) = struct.unpack_from("<QI", data)
        check(data[:8], crc)
        body = data[12 : 12 + length]
        check(body, *struct.unpack_from("<I", data, 12 + length))
        yield body
        data = data[16 + length :]


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at, value, shift = at + 1, value | (byte & 0x7F) << shift, shift + 7
        if byte < 0x80:
            return value, at


def fields(data):
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 0:
            value, at = varint(data, at)
        elif key & 7 == 1:
            value, at = struct.unpack_from("<d", data, at)[0], at + 8
        elif key & 7 == 2:
            length, at = varint(data, at)
            value, at = data[at : at + length], at + length
        elif key & 7 == 5:
            value, at = struct.unpack_from("<f", data, at)[0], at + 4
        else:
            raise ValueError(f"unknown wire type {key & 7}")
        yield key >> 3, value


def scalars(path):
    """(step, tag, value) of every scalar of an event file."""
    for number, record in enumerate(records(path.read_bytes())):
        event = dict(fields(record))
        if number == 0:
            assert event[3] == b"brain.Event:2", event
            continue
        for field, value in fields(event[5]):
            assert field == 1
            value = dict(fields(value))
            yield event[2], value[1].decode(), value[2]


def main(run):
    (path,) = (run / "tensorboard").glob("events.out.tfevents.*")
    found = list(scalars(path))
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    steps = [line for line in lines if line["event"] == "step"]
    losses = [(step, value) for step, tag, value in found if tag == "step/loss"]
    assert len(losses) == len(steps), (len(losses), len(steps))
    expected = 0
    for line, (step, value) in zip(steps, losses):
        expected += 1 + line.get("left_out", 0)
        assert step == expected, (step, expected)
        assert abs(value - line["loss"]) <= 1e-6 * abs(line["loss"]), (value, line)
    knn = [value for _, tag, value in found if tag == "epoch/knn_top1"]
    epochs = [line["knn_top1"] for line in lines if line["event"] == "epoch"]
    expected = [share for share in epochs if share is not None]
    assert all(abs(a - b) < 1e-6 for a, b in zip(knn, expected, strict=True)), (knn, expected)
    print(f"{len(found)} scalars of {len(steps)} steps agree with metrics.jsonl")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
