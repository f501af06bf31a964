"""Every GPU backend, of the library and of the command, has Burn's fusion and autotune and our kernels in the features that
Cargo resolves. Without autotune convolutions take a kernel without tensor cores; nothing says so at run time."""

import json
import subprocess
import sys

BACKENDS = {"Cargo.toml": ["wgpu", "vulkan", "metal", "cuda"], "crates/simclr-cli/Cargo.toml": ["wgpu", "vulkan", "metal", "cuda"]}
EXPECTED = {
    "burn": {"fusion", "autotune"},
    "simclr-augment": {"cube", "fusion"},
    "simclr-loss": {"cube", "fusion"},
    "simclr-nn": {"cube", "fusion"},
}


def resolved(manifest, backend):
    command = ["cargo", "metadata", "--format-version", "1", "--manifest-path", manifest, "--features", backend]
    metadata = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    names = {package["id"]: package["name"] for package in metadata["packages"]}
    return {names[node["id"]]: set(node["features"]) for node in metadata["resolve"]["nodes"]}


failures = [
    f"{manifest}, {backend}: {package} lacks {', '.join(sorted(missing))}"
    for manifest, backends in BACKENDS.items()
    for backend in backends
    for features in [resolved(manifest, backend)]
    for package, expected in EXPECTED.items()
    if (missing := expected - features.get(package, set()))
]
print("\n".join(failures) or "fusion, autotune and our kernels are in every GPU backend")
sys.exit(bool(failures))
