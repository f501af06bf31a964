"""Parameters of torchvision's and timm's networks, their classifiers left out.

python3 parameters.py    # torch 2.15, torchvision 0.29, timm 1.0.31
"""

import timm
import torchvision

CLASSIFIERS = ("fc.", "classifier.weight", "classifier.bias", "classifier.1.", "classifier.2.", "heads.", "head.fc.", "head.weight", "head.bias")


def count(net):
    return sum(p.numel() for name, p in net.named_parameters() if not name.startswith(CLASSIFIERS))


for name in ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"]:
    print(name, count(getattr(torchvision.models, name)()), count(timm.create_model(name)))
for name in ["resnet18d", "resnet50d"]:
    print(name, count(timm.create_model(name)))
for name in ["efficientnet_b0", "efficientnet_b1", "efficientnet_b2", "efficientnet_b3"]:
    print(name, count(getattr(torchvision.models, name)()), count(timm.create_model(name)))
for name in ["convnext_tiny", "convnext_small", "convnext_base"]:
    print(name, count(getattr(torchvision.models, name)()), count(timm.create_model(name)))
for ours, theirs in [
    ("vit_tiny_p16", "vit_tiny_patch16_224"),
    ("vit_small_p16", "vit_small_patch16_224"),
    ("vit_small_p32", "vit_small_patch32_224"),
    ("vit_base_p16", "vit_base_patch16_224"),
    ("vit_small_p14_dinov2_i518", "vit_small_patch14_dinov2"),
    ("vit_base_p14_reg4_dinov2_i518", "vit_base_patch14_reg4_dinov2"),
    ("vit_small_p16_dinov3", "vit_small_patch16_dinov3"),
    ("vit_base_p16_dinov3", "vit_base_patch16_dinov3"),
]:
    print(ours, count(timm.create_model(theirs)))
print("vit_base_p16 in torchvision", count(torchvision.models.vit_b_16()))
