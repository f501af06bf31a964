"""What torchvision's, timm's and efficientnet_pytorch's networks compute: golden values for `tests/published_networks.rs`.

python3 generate.py                # writes networks.json and resampled_positions.json: torch 2.15, torchvision 0.29, timm 1.0.31, efficientnet_pytorch 0.7.1
python3 generate.py --full DIR     # full-size networks with PyTorch's own initial weights, for `full_size_networks`

`--only NAME...` computes some of them anew.

Weights and images of networks.json come from a formula that both sides know, so that no weights are kept. The networks
are in float64; ours, in float32, has to be within 1e-4 (outputs) and 1e-3 (gradients, statistics) of the largest value.
"""

import argparse
import json
import pathlib

import numpy as np
import timm
import torch
import torchvision
from efficientnet_pytorch import EfficientNet
from torch import nn

HERE = pathlib.Path(__file__).parent
CLASSIFIERS = ("fc.", "classifier.", "heads.", "head.")


def uniform(stream, count):
    """`count` multiples of 2^-19 in -1..1: splitmix64 of (stream, index), its top 20 bits."""
    with np.errstate(over="ignore"):
        x = (np.uint64(stream << 32) + np.arange(1, count + 1, dtype=np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        x = x ^ (x >> np.uint64(31))
    return (x >> np.uint64(44)).astype(np.float64) / (1 << 19) - 1


def stream_of(name):
    """The low 24 bits of the name's 32-bit FNV-1a hash."""
    value = 0x811C9DC5
    for byte in name.encode():
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value & 0xFFFFFF


def weights(name, shape):
    """Matrices and kernels by their fan-in, what scales around 1, what shifts around 0."""
    u = uniform(stream_of(name), int(np.prod(shape))).reshape(shape)
    last = name.rsplit(".", 1)[-1]
    if last == "running_var":
        return 1 + 0.5 * u
    if name.endswith(".bn3.weight"):
        # A bottleneck's last scale: at 1, a hundred layers turn float32's rounding into percents, PyTorch's as well.
        return 0.25 * u
    if last == "weight" and len(shape) == 1:
        return 1 + 0.25 * u
    if len(shape) in (2, 4):
        return u * np.sqrt(3 / np.prod(shape[1:]))
    return 0.125 * u


def fill(net):
    state = net.state_dict()
    for name, tensor in state.items():
        if name.endswith("num_batches_tracked"):
            continue
        # float32 is what a weight file holds.
        values = weights(name, tuple(tensor.shape)).astype(np.float32)
        state[name] = torch.from_numpy(values.astype(np.float64))
    net.load_state_dict(state)


class SlimResNet(torchvision.models.ResNet):
    """torchvision's network with every width multiplied by width / 64, which it has no argument for."""

    def __init__(self, block, layers, width, cifar):
        object.__setattr__(self, "width", width)
        super().__init__(block, layers)
        if cifar:
            self.conv1 = nn.Conv2d(3, width, 3, padding=1, bias=False)
            self.maxpool = nn.Identity()

    def __setattr__(self, name, value):
        if name == "inplanes" and "inplanes" not in self.__dict__:
            value = self.width
        super().__setattr__(name, value)

    def _make_layer(self, block, planes, *args, **kwargs):
        return super()._make_layer(block, planes * self.width // 64, *args, **kwargs)


def headless(net):
    """The network as an encoder: its classifier does nothing."""
    for name in ("fc", "classifier", "heads", "head", "_fc"):
        # A classifier of ConvNeXt has been taken away already, and a normalisation stays.
        if hasattr(net, name) and "ConvNeXt" not in type(net).__name__:
            setattr(net, name, nn.Identity())
    return net


BASIC = torchvision.models.resnet.BasicBlock
BOTTLENECK = torchvision.models.resnet.Bottleneck


def slim(block, layers, width, cifar=False):
    # The classifier is made for the full width.
    return headless(SlimResNet(block, layers, width, cifar))


def efficientnet_pytorch(name, image_size):
    """The package's network without its classifier. Its padding is fixed for one size of images."""
    net = EfficientNet.from_name(name, image_size=image_size, include_top=False, drop_connect_rate=0.0)
    for layer in net.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum = 0.1  # ours, PyTorch's default and timm's; the package has 0.01, for long runs
    return net


def convnext_of_torchvision():
    net = torchvision.models.convnext_tiny(stochastic_depth_prob=0.0)
    net.classifier[2] = nn.Identity()  # the normalisation before it is a part of the features
    return net


def slim_d(block, layers, width):
    """timm's ResNet-D with every width multiplied by width / 64."""
    channels = [width << stage for stage in range(4)]
    return timm.models.ResNet(
        block, layers, num_classes=0, stem_width=width // 2, stem_type="deep", avg_down=True, channels=channels)


TINY = {"embed_dim": 192, "depth": 12, "num_heads": 3, "num_classes": 0}


CASES = [
    ("resnet18x0.125", "torchvision", 40, lambda: slim(BASIC, [2, 2, 2, 2], 8)),
    ("resnet34x0.0625_cifar", "torchvision", 24, lambda: slim(BASIC, [3, 4, 6, 3], 4, True)),
    ("resnet50x0.125", "torchvision", 40, lambda: slim(BOTTLENECK, [3, 4, 6, 3], 8)),
    ("resnet101x0.0625_cifar", "torchvision", 16, lambda: slim(BOTTLENECK, [3, 4, 23, 3], 4, True)),
    # Sides that are odd before a pooling, and even.
    ("resnet18dx0.125", "timm", 40, lambda: slim_d(timm.models.resnet.BasicBlock, [2, 2, 2, 2], 8)),
    ("resnet50dx0.125", "timm", 72, lambda: slim_d(timm.models.resnet.Bottleneck, [3, 4, 6, 3], 8)),
    ("efficientnet_b0_d0", "torchvision", 48,
     lambda: headless(torchvision.models.efficientnet_b0(stochastic_depth_prob=0.0))),
    ("efficientnet_b0_d0", "timm", 48, lambda: headless(timm.create_model("efficientnet_b0"))),
    ("efficientnet_b0_tf_d0", "efficientnet_pytorch", 48, lambda: efficientnet_pytorch("efficientnet-b0", 48)),
    # On the way through the network 45 pixels become 23, 12, 6, 3 and 2: sides that are odd and even.
    ("efficientnet_b0_tf_d0", "timm", 45, lambda: headless(timm.create_model("tf_efficientnet_b0"))),
    ("vit_tiny_p8_i24", "timm", 24, lambda: timm.models.VisionTransformer(
        img_size=24, patch_size=8, embed_dim=192, depth=12, num_heads=3, num_classes=0)),
    ("vit_tiny_p8_i24", "torchvision", 24, lambda: headless(torchvision.models.VisionTransformer(
        image_size=24, patch_size=8, num_layers=12, num_heads=3, hidden_dim=192, mlp_dim=768))),
    ("vit_tiny_p8_dinov2_i24", "timm", 24, lambda: timm.create_model(
        "vit_small_patch14_dinov2", img_size=24, patch_size=8, **TINY)),
    ("vit_tiny_p8_reg4_dinov2_i24", "timm", 24, lambda: timm.create_model(
        "vit_small_patch14_reg4_dinov2", img_size=24, patch_size=8, **TINY)),
    ("vit_tiny_p8_dinov3_i40", "timm", 40, lambda: timm.create_model(
        "vit_small_patch16_dinov3", patch_size=8, **TINY)),
    ("vit_tiny_p8_dinov3_qkvb_i24", "timm", 24, lambda: timm.create_model(
        "vit_small_patch16_dinov3_qkvb", patch_size=8, **TINY)),
    ("convnext_tiny_d0", "torchvision", 64, convnext_of_torchvision),
    ("convnext_tiny_d0", "timm", 64, lambda: timm.create_model("convnext_tiny", num_classes=0)),
    ("mlp_i8_32_24_16", "torchvision", 8, lambda: nn.Sequential(nn.Flatten(), torchvision.ops.MLP(
        3 * 8 * 8, [32, 24, 16], norm_layer=nn.BatchNorm1d, bias=False))[1]),
    ("mlp_i8_32_24_16_nonorm", "torchvision", 8, lambda: torchvision.ops.MLP(3 * 8 * 8, [32, 24, 16])),
]
# Networks made for images of one size, which take those of another. `dynamic_img_size` resamples the positions.
RESAMPLED = [
    ("vit_tiny_p8_dinov2_i32", "timm", 32, lambda: timm.create_model(
        "vit_small_patch14_dinov2", img_size=24, patch_size=8, dynamic_img_size=True, **TINY)),
    ("vit_tiny_p8_reg4_dinov2_i32", "timm", 32, lambda: timm.create_model(
        "vit_small_patch14_reg4_dinov2", img_size=24, patch_size=8, dynamic_img_size=True, **TINY)),
]
IMAGES = 6
IMAGE_STREAM = 1 << 25
SIGNAL_STREAM = 1 << 26


def images(size):
    values = uniform(IMAGE_STREAM + size, IMAGES * 3 * size * size)
    return torch.from_numpy(2 * values.reshape(IMAGES, 3, size, size))


def summary(tensor):
    """A tensor in two numbers: its product with a signal, in which every element has a part, and its length."""
    flat = tensor.detach().double().flatten()
    signal = torch.from_numpy(uniform(SIGNAL_STREAM, flat.numel()))
    return [float((flat * signal).sum()), float(flat.norm())]


def evaluation(net, name, library, size):
    """What the network computes outside of training, and the images."""
    fill(net)
    x = images(size)
    if isinstance(net, torchvision.ops.MLP):
        x = x.flatten(1)
    shapes = {key: list(tensor.shape) for key, tensor in net.state_dict().items()}
    with torch.no_grad():
        features = net.eval()(x).flatten(1)
    return x, {
        "name": name, "library": library, "image_size": size, "shapes": shapes,
        "features": [float(value) for value in features[0, :32]], "all_features": summary(features),
    }


def resampled(name, library, size, build):
    net = build().double()
    x, computed = evaluation(net, name, library, size)
    with torch.no_grad():
        patches = net.forward_features(x)[:, net.num_prefix_tokens:]
    return computed | {"patches": summary(patches)}


def case(name, library, size, build):
    net = build().double()
    x, computed = evaluation(net, name, library, size)
    net.train()
    h = net(x).flatten(1)
    # A loss with a gradient of its own for every feature.
    signal = torch.from_numpy(uniform(SIGNAL_STREAM, h.numel()).reshape(h.shape))
    (h * signal).sum().backward()
    gradients = {key: summary(p.grad) for key, p in net.named_parameters()}
    statistics = {key: summary(b) for key, b in net.named_buffers() if "running_" in key}
    return computed | {"training_features": summary(h), "gradients": gradients, "statistics": statistics}


def rounded(value):
    if isinstance(value, float):
        return float(f"{value:.7g}")
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    return [rounded(inner) for inner in value] if isinstance(value, list) else value


def torchvision_convnext_base():
    net = torchvision.models.convnext_base(layer_scale=0.3)
    net.classifier[2] = nn.Identity()
    return net


FULL = [
    ("resnet18", 224, lambda: torchvision.models.resnet18()),
    ("resnet50", 224, lambda: torchvision.models.resnet50()),
    ("resnet50d", 224, lambda: timm.create_model("resnet50d")),
    ("resnet152", 128, lambda: torchvision.models.resnet152()),
    ("efficientnet_b0", 224, lambda: torchvision.models.efficientnet_b0()),
    ("efficientnet_b3", 300, lambda: timm.create_model("efficientnet_b3")),
    ("efficientnet_b1_tf", 240, lambda: EfficientNet.from_name("efficientnet-b1", image_size=240)),
    ("efficientnet_b2_tf", 130, lambda: timm.create_model("tf_efficientnet_b2")),
    ("vit_small_p16", 224, lambda: timm.create_model("vit_small_patch16_224")),
    ("vit_base_p16", 224, lambda: torchvision.models.vit_b_16()),
    ("vit_base_p14_dinov2", 224, lambda: timm.create_model("vit_base_patch14_dinov2", img_size=224, init_values=0.3)),
    ("vit_small_p14_reg4_dinov2", 224, lambda: timm.create_model(
        "vit_small_patch14_reg4_dinov2", img_size=224, init_values=0.3)),
    ("vit_base_p16_dinov3_i256", 256, lambda: timm.create_model(
        "vit_base_patch16_dinov3", num_classes=0, init_values=0.3)),
    ("convnext_tiny", 224, lambda: timm.create_model("convnext_tiny", num_classes=0, ls_init_value=0.3)),
    ("convnext_base", 224, lambda: torchvision_convnext_base()),
]


def full(folder, only):
    folder.mkdir(parents=True, exist_ok=True)
    for name, size, build in FULL:
        if only and name not in only:
            continue
        torch.manual_seed(0)
        net = build()
        # Scales, shifts and statistics like a trained network's. Statistics that are not the activations' own would
        # leave every unit of a deep network dead, and its features zero.
        with torch.no_grad():
            for layer in net.modules():
                if isinstance(layer, nn.BatchNorm2d):
                    layer.weight.uniform_(0.5, 1.5)
                    layer.bias.uniform_(-0.2, 0.2)
                    layer.momentum = None
            # The last scale of a residual branch is small, as in `weights`: with it near 1, PyTorch's float32 is 7e-4
            # from its own float64 in a ResNet-152, and no comparison can ask for 1e-4. A block comes before its layers
            # in `modules`, so this needs a pass of its own.
            for layer in net.modules():
                if isinstance(layer, (BOTTLENECK, timm.models.resnet.Bottleneck)):
                    layer.bn3.weight.uniform_(-0.25, 0.25)
            net.train()(images(size).float())
        torch.save(net.state_dict(), folder / f"{name}.pth")
        with torch.no_grad():
            single = headless(net).eval()(images(size)[:2].float()).double().flatten()
            features = net.double()(images(size)[:2]).flatten()
        values = [float(value) for value in features]
        assert sum(value != 0 for value in values) > len(values) / 2, f"{name} is dead"
        (folder / f"{name}.json").write_text(json.dumps({"image_size": size, "features": values}))
        apart = float((single - features).abs().max() / features.abs().max())
        print(f"{name}: PyTorch's float32 is {apart:.1e} from its float64")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--full", type=pathlib.Path)
    parser.add_argument("--only", nargs="*", help="the networks of these names; networks.json keeps its others")
    arguments = parser.parse_args()
    if arguments.full:
        full(arguments.full, arguments.only)
    else:
        path, kept = HERE / "networks.json", {}
        if arguments.only:
            for line in path.read_text().splitlines()[1:-1]:
                of = json.loads(line.rstrip(","))
                kept[of["name"], of["library"]] = line.rstrip(",")
            kept = {key: line for key, line in kept.items() if key[0] not in arguments.only}
        lines = []
        for name, library, *rest in CASES:
            lines.append(kept.get((name, library)) or json.dumps(rounded(case(name, library, *rest))))
        path.write_text("[\n" + ",\n".join(lines) + "\n]\n")
        lines = [json.dumps(rounded(resampled(*arguments))) for arguments in RESAMPLED]
        (HERE / "resampled_positions.json").write_text("[\n" + ",\n".join(lines) + "\n]\n")
