#!/usr/bin/env python3
"""Runs the programs of docs/onnx.md, as they stand there, on a graph that the tests left.

    python3 tests/onnx_page.py target/tmp/onnx      (needs numpy, pillow and onnxruntime; node with npm; cargo)

A language whose tool is not here is passed over, and the last line says so.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image

PAGE = Path(__file__).parent.parent / "docs" / "onnx.md"
SIDE = 96
MOST = 1e-4
ORT = '{ version = "=2.0.0-rc.15", default-features = false, features = ["std", "load-dynamic", "api-22"] }'


def program(language):
    """The page's program in a language."""
    found = re.findall(rf"```{language}(?:,ignore)?\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(found) == 1, f"expected one program in {language}, found {len(found)}"
    return found[0]


def run(command, folder):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def python(folder):
    (folder / "page.py").write_text(program("python") + 'features.tofile("python.f32")\n')
    run([sys.executable, "page.py"], folder)


def javascript(folder):
    ends = 'fs.writeFileSync("javascript.f32", new Uint8Array(features.data.slice().buffer));\n'
    begins = 'import fs from "fs";\nconst rgb = new Uint8Array(fs.readFileSync("photo.rgb"));\n'
    (folder / "page.mjs").write_text(begins + program("js") + ends)
    run(["npm", "install", "--silent", "--no-audit", "--no-fund", "onnxruntime-web"], folder)
    run(["node", "page.mjs"], folder)


def rust(folder):
    library = next((Path(onnxruntime.__file__).parent / "capi").glob("libonnxruntime.so*"))
    shutil.copy(library, folder / "libonnxruntime.so")
    (folder / "src").mkdir()
    manifest = '[package]\nname = "page"\nversion = "0.1.0"\nedition = "2024"\n[workspace]\n[dependencies]\n'
    (folder / "Cargo.toml").write_text(f"{manifest}ort = {ORT}\n")
    body = program("rust").replace('"libonnxruntime.so"', '"./libonnxruntime.so"')
    (folder / "src" / "main.rs").write_text(
        "fn main() -> Result<(), Box<dyn std::error::Error>> {\n"
        'let rgb = std::fs::read("photo.rgb")?;\n'
        f"{body}"
        "assert_eq!(shape[1] as usize, features.len());\n"
        "let bytes: Vec<u8> = features.iter().flat_map(|x| x.to_le_bytes()).collect();\n"
        'std::fs::write("rust.f32", bytes)?;\nOk(())\n}\n'
    )
    run(["cargo", "run", "--quiet", "--target-dir", "built"], folder)


def main():
    left = Path(sys.argv[1]) / "resnet18"
    pixels = np.fromfile(left / "pixels.u8", np.uint8)[: SIDE * SIDE * 3]
    expected = np.fromfile(left / "features.f32", np.float32)
    expected = expected[: expected.size // 5]
    passed, missing = 0, []
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        shutil.copy(left / "pixels.onnx", folder / "encoder.onnx")
        (folder / "photo.rgb").write_bytes(pixels.tobytes())
        # Without loss, whatever its name says: a library looks at what a file holds.
        Image.fromarray(pixels.reshape(SIDE, SIDE, 3)).save(folder / "photo.jpg", "PNG")
        for name, tool, works in [
            ("python", sys.executable, python),
            ("javascript", "npm", javascript),
            ("rust", "cargo", rust),
        ]:
            if shutil.which(tool) is None:
                missing.append(name)
                continue
            works(folder)
            found = np.fromfile(folder / f"{name}.f32", np.float32)
            difference = np.abs(found - expected).max() / np.abs(expected).max()
            assert found.shape == expected.shape and difference <= MOST, f"{name}: {difference}"
            print(f"{name:<12} {difference:.1e}")
            passed += 1
    print(f"{passed} passed, 0 failed" + "".join(f", {name} is not here" for name in missing))


main()
