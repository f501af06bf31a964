"""Writes known_weights.json: what torchvision and timm say of the weights that `known_weights()` lists.

    pip install torch torchvision timm transformers
    python3 known_weights.py ADDRESS... > known_weights.json

The addresses are those of `simclr weights list`. Sizes are in MiB: those that torchvision publishes, and of others the bytes of their tensors,
which for facebook's are those of the network in `transformers`. What facebook's image processors do is in files on the hub: it is copied here.
"""

import json
import sys

import timm
import transformers
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


def of_facebook(repository):
    """Each takes 224 pixels, normalised by ImageNet's mean and deviation."""
    name = repository.removeprefix("facebook/")
    is_base = "base" in name or "vitb" in name
    sizes = {"hidden_size": 768 if is_base else 384, "num_attention_heads": 12 if is_base else 6}
    if name.startswith("dinov3"):
        config = transformers.DINOv3ViTConfig(
            intermediate_size=4 * sizes["hidden_size"], num_register_tokens=4, key_bias=False, **sizes)
        network = transformers.DINOv3ViTModel
    elif "registers" in name:
        network = transformers.Dinov2WithRegistersModel
        config = transformers.Dinov2WithRegistersConfig(image_size=518, patch_size=14, **sizes)
    elif name.startswith("dinov2"):
        network, config = transformers.Dinov2Model, transformers.Dinov2Config(image_size=518, patch_size=14, **sizes)
    else:
        network = transformers.ViTModel
        config = transformers.ViTConfig(
            patch_size=int(name[len("dino-vits"):]), intermediate_size=4 * sizes["hidden_size"], **sizes)
    network = network(config)
    return {
        "image_size": 224,
        "mebibytes": sum(tensor.nbytes for tensor in network.state_dict().values()) / 2**20,
        "mean": [0.485, 0.456, 0.406],
        "std": [0.229, 0.224, 0.225],
    }


def of(address):
    kind, name = address.split(":")
    if kind == "torchvision":
        return {"address": address} | of_torchvision(name)
    return {"address": address} | (of_facebook if name.startswith("facebook/") else of_timm)(name)


print("[\n  " + ",\n  ".join(json.dumps(of(address)) for address in sys.argv[1:]) + "\n]")
