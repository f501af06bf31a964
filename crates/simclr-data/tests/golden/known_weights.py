"""Writes known_weights.json: what torchvision and timm say of the weights that `known_weights()` lists.

    pip install torch torchvision timm
    python3 known_weights.py ADDRESS... > known_weights.json

The addresses are those of `simclr weights list`. Sizes are in MiB: those that torchvision publishes, and of timm's weights the bytes of
their tensors.
"""

import json
import sys

import timm
from torchvision.models import get_model_weights


def of_torchvision(name):
    model, weights = name.split("@")
    entry = get_model_weights(model)[weights]
    transforms = entry.transforms()
    return {
        "file": entry.url.removeprefix("https://download.pytorch.org/models/"),
        "is_default": entry == get_model_weights(model).DEFAULT,
        "image_size": transforms.crop_size[0],
        "mebibytes": entry.meta["_file_size"],
        "mean": transforms.mean,
        "std": transforms.std,
    }


def of_timm(repository):
    name = repository.removeprefix("timm/")
    config = timm.get_pretrained_cfg(name)
    assert config.hf_hub_id == repository, config.hf_hub_id
    network = timm.create_model(name, num_classes=config.num_classes)
    sizes = [tensor.nbytes for tensor in network.state_dict().values()]
    return {
        "image_size": config.input_size[-1],
        "licence": config.license,
        "mebibytes": sum(sizes) / 2**20,
        "mean": list(config.mean),
        "std": list(config.std),
    }


def of(address):
    kind, name = address.split(":")
    return {"address": address} | (of_timm(name) if kind == "hf" else of_torchvision(name))


print("[\n  " + ",\n  ".join(json.dumps(of(address)) for address in sys.argv[1:]) + "\n]")
