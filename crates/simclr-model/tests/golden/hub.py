"""What vision transformers compute by the code of those who publish their files: golden values for
`tests/hub_files.rs`.

    python3 hub.py --dinov3 CHECKOUT   # writes hub.json: torch 2.15, transformers 5.24, facebookresearch/dinov3 in CHECKOUT

The files have the names that models have on the Hugging Face hub, or those of facebookresearch's own checkpoints. Weights and images come
from the formulas of `generate.py`; what a file holds in each of its blocks is listed for the first one alone.
"""

import argparse
import json
import pathlib
import sys
import tempfile

import torch
import transformers
from safetensors.torch import load_file, save_file

import generate

HERE = pathlib.Path(__file__).parent
SIZES = {"hidden_size": 192, "num_hidden_layers": 12, "num_attention_heads": 3, "patch_size": 8}
DINOV3 = {"intermediate_size": 768, "num_register_tokens": 4, "layer_norm_eps": 1e-5, "layerscale_value": 1.0}


def of_transformers(network, config):
    """The network, with the formula's weights by way of a file as it is on the hub, and what is in that file."""
    with tempfile.TemporaryDirectory() as folder:
        network(config).save_pretrained(folder)
        path = pathlib.Path(folder) / "model.safetensors"
        tensors = {name: formula(name, tensor.shape) for name, tensor in load_file(path).items()}
        save_file(tensors, path, {"format": "pt"})
        net, said = network.from_pretrained(folder, output_loading_info=True)
        assert not said["missing_keys"] and not said["unexpected_keys"], said
    net = net.double().eval()

    def compute(images):
        tokens = net(pixel_values=images).last_hidden_state
        return tokens[:, 0], tokens[:, 1 + getattr(config, "num_register_tokens", 0):]

    return compute, tensors


def of_meta(checkout):
    """facebookresearch's own DINOv3, with its own arguments of a ViT-S, but narrower."""
    sys.path.insert(0, checkout)
    from dinov3.models.vision_transformer import DinoVisionTransformer

    net = DinoVisionTransformer(
        patch_size=8, embed_dim=192, depth=12, num_heads=3, ffn_ratio=4, qkv_bias=True, layerscale_init=1e-5,
        norm_layer="layernormbf16", ffn_layer="mlp", n_storage_tokens=4, mask_k_bias=True, pos_embed_rope_base=100,
        pos_embed_rope_normalize_coords="separate", pos_embed_rope_rescale_coords=2, pos_embed_rope_dtype="fp32")
    net.init_weights()
    fixed = (".bias_mask", ".periods")
    tensors = {name: tensor if name.endswith(fixed) else formula(name, tensor.shape)
               for name, tensor in net.state_dict().items()}
    net.load_state_dict(tensors)
    net = net.double().eval()

    def compute(images):
        features = net.forward_features(images)
        return features["x_norm_clstoken"], features["x_norm_patchtokens"]

    return compute, tensors


def formula(name, shape):
    return torch.from_numpy(generate.weights(name, tuple(shape)).astype("float32"))


def case(name, library, size, averages, made):
    compute, tensors = made
    with torch.no_grad():
        token, patches = compute(generate.images(size))
    features = patches.mean(1) if averages else token
    first = {key: list(tensor.shape) for key, tensor in tensors.items() if ".0." in key or not is_of_block(key)}
    return {
        "name": name, "library": library, "image_size": size, "shapes": first,
        "features": [float(value) for value in features[0, :32]],
        "all_features": generate.summary(features), "patches": generate.summary(patches),
    }


def is_of_block(key):
    return any(part.isdigit() for part in key.split("."))


def cases(checkout):
    t = transformers
    hub = of_transformers
    return [
        # timm's and torchvision's eps, which its weights were trained with; the default of `transformers` is 1e-12.
        ("vit_tiny_p8_i24", "transformers", 24, False, hub(
            t.ViTModel, t.ViTConfig(image_size=24, intermediate_size=768, layer_norm_eps=1e-6, **SIZES))),
        ("vit_tiny_p8_dinov2_i24", "transformers", 24, False, hub(
            t.Dinov2Model, t.Dinov2Config(image_size=24, **SIZES))),
        ("vit_tiny_p8_reg4_dinov2_i24", "transformers", 24, False, hub(
            t.Dinov2WithRegistersModel, t.Dinov2WithRegistersConfig(image_size=24, **SIZES))),
        ("vit_tiny_p8_dinov3_qkvb_i40", "transformers", 40, True, hub(
            t.DINOv3ViTModel, t.DINOv3ViTConfig(image_size=40, key_bias=False, **SIZES, **DINOV3))),
        ("vit_tiny_p8_dinov3_qkvb_i40", "dinov3", 40, True, of_meta(checkout)),
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--dinov3", required=True, help="a checkout of facebookresearch/dinov3")
    lines = [json.dumps(generate.rounded(case(*found))) for found in cases(parser.parse_args().dinov3)]
    (HERE / "hub.json").write_text("[\n" + ",\n".join(lines) + "\n]\n")
