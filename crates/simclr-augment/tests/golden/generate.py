"""Writes torchvision.json: what torchvision's functional operations make of a small image.

    pip install torch torchvision numpy
    python generate.py

The image is made by a formula that the test repeats. Crops and bilinear resizes run on uint8 images (antialiased)
and are stored as they are. The rest runs on float images in [0, 1] and is stored in units of 1/10000. In every case
but those named `resize_*` the crop already has the view's size, so that only the operations named are compared.
"""

import json
import math
import pathlib

import numpy as np
import torch
import torchvision
import torchvision.transforms.v2.functional as F

WIDTH, HEIGHT = 60, 44
STEPS = {
    "brightness": F.adjust_brightness,
    "contrast": F.adjust_contrast,
    "saturation": F.adjust_saturation,
    "hue": F.adjust_hue,
}
ORDER = list(STEPS)


def source():
    """3 x HEIGHT x WIDTH, uint8: slow and fast waves, with hard edges where they wrap."""
    x, y = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
    channels = [(7 * x + 3 * y) % 256, (x * y) % 256, (255 + 11 * y - 4 * x) % 256]
    return torch.from_numpy(np.stack(channels).astype(np.uint8))


def crop_box(x, y, width, height):
    return {"x": x, "y": y, "width": width, "height": height}


def params(crop, **changes):
    if "jitter" in changes:
        neutral = {"order": ORDER, "brightness": 1.0, "contrast": 1.0, "saturation": 1.0, "hue": 0.0}
        changes["jitter"] = {"flavor": "torchvision"} | neutral | changes["jitter"]
    nothing = {
        "flip": False, "vertical_flip": False, "rotation": None, "jitter": None, "grayscale": False, "blur_sigma": None,
        "solarize": None, "erase": None, "custom_seed": None,
    }
    return {"crop": crop} | nothing | changes


def kernel_size(size):
    return 2 * max(size // 20, 1) + 1


def rotate(view, degrees):
    """Turned and zoomed in one resampling. The borders are repeated, where F.affine would blend with black."""
    size = view.shape[-1]
    radians = math.radians(degrees)
    zoom = abs(math.sin(radians)) + abs(math.cos(radians))
    view = F.pad(view, [4] * 4, padding_mode="edge")
    view = F.affine(
        view, -degrees, [0, 0], zoom, [0.0, 0.0], interpolation=F.InterpolationMode.BILINEAR,
    )  # F.affine turns clockwise.
    return F.center_crop(view, [size, size])


def crop_window(image, window, size, filter):
    """RandomCrop(size, padding) after Resize(size), with the window given."""
    interpolation = F.InterpolationMode(filter)
    view = F.resize(image, [size], interpolation=interpolation, antialias=True)
    mode = {"black": "constant", "reflect": "reflect"}[window["fill"]]
    view = F.pad(view, [window["padding"]] * 4, fill=0, padding_mode=mode)
    return F.crop(view, window["y"], window["x"], size, size)


def apply(image, p, size, filter):
    crop = p["crop"]
    if filter == "bicubic":
        # On uint8, the cubic's overshoot would be cut off between the two directions. Google's code resizes floats.
        image = F.to_dtype(image, torch.float32, scale=True)
    if "padded" in p:
        view = crop_window(image, p["padded"], size, filter)
    else:
        view = F.resized_crop(
            image, crop["y"], crop["x"], crop["height"], crop["width"], [size, size],
            interpolation=F.InterpolationMode(filter), antialias=True,
        )
    view = view.clamp(0, 1) if filter == "bicubic" else view
    if p["flip"]:
        view = F.horizontal_flip(view)
    if p["vertical_flip"]:
        view = F.vertical_flip(view)
    view = F.to_dtype(view, torch.float32, scale=True)
    if p["rotation"] is not None:
        view = rotate(view, p["rotation"])
    if p["jitter"]:
        for step in p["jitter"]["order"]:
            view = STEPS[step](view, p["jitter"][step])
    if p["grayscale"]:
        view = F.rgb_to_grayscale(view, num_output_channels=3)
    if p["blur_sigma"] is not None:
        view = F.gaussian_blur(view, kernel_size(size), p["blur_sigma"])
    if p["solarize"] is not None:
        view = F.solarize(view, p["solarize"])
    if p["erase"] is not None:
        box = p["erase"]
        mean = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
        view = F.erase(view, box["y"], box["x"], box["height"], box["width"], mean)
    return view


def cases():
    for name, box, size in [
        ("resize_whole_down", (0, 0, WIDTH, HEIGHT), 16),
        ("resize_far_down", (3, 1, 55, 41), 4),
        ("resize_inner_up", (20, 10, 9, 7), 20),
        ("resize_corner_up_and_down", (48, 2, 12, 42), 18),
        ("resize_one_pixel", (5, 6, 1, 1), 3),
        ("resize_one_column", (59, 0, 1, 44), 9),
    ]:
        yield name, size, params(crop_box(*box))
        yield name + "_bicubic", size, params(crop_box(*box))
    yield "resize_flipped", 12, params(crop_box(10, 10, 31, 30), flip=True)
    yield "resize_upside_down", 12, params(crop_box(10, 10, 31, 30), vertical_flip=True)

    for name, size, x, y, padding, fill in [
        ("same_size", HEIGHT, 3, 6, 4, "black"),
        ("same_size_reflected", HEIGHT, 24, 0, 4, "reflect"),
        ("smaller", 20, 0, 9, 5, "black"),
        ("smaller_reflected", 20, 17, 10, 5, "reflect"),
        ("larger", 50, 30, 1, 7, "black"),
        ("as_wide_as_may_be", 12, 26, 0, 11, "reflect"),
        ("without_padding", 16, 4, 0, 0, "black"),
    ]:
        window = {"x": x, "y": y, "padding": padding, "fill": fill}
        whole = crop_box(0, 0, WIDTH, HEIGHT)
        yield "resize_padded_" + name, size, params(whole, padded=window)
        yield "resize_padded_" + name + "_flipped", size, params(whole, padded=window, flip=True, vertical_flip=True)
    yield "resize_padded_bicubic", 20, params(whole, padded={"x": 0, "y": 9, "padding": 5, "fill": "reflect"})

    still = crop_box(17, 9, 14, 14)
    for step, values in {
        "brightness": (0.0, 0.4, 1.7), "contrast": (0.0, 0.3, 1.8),
        "saturation": (0.0, 0.5, 1.8), "hue": (-0.5, -0.2, 0.07, 0.2, 0.5),
    }.items():
        for value in values:
            yield f"{step}_{value}", 14, params(still, jitter={step: value})
    yield "grayscale", 14, params(still, grayscale=True)
    mixed = {"brightness": 1.3, "contrast": 0.6, "saturation": 1.5, "hue": -0.13}
    for order in (ORDER, ORDER[::-1], [ORDER[2], ORDER[0], ORDER[3], ORDER[1]]):
        yield "jitter_" + "_".join(order), 14, params(still, jitter=mixed | {"order": order})
    for sigma in (0.1, 0.8, 2.0):
        yield f"blur_{sigma}", 14, params(still, blur_sigma=sigma)
    yield "blur_five_taps", 40, params(crop_box(12, 3, 40, 40), blur_sigma=1.3)
    for degrees in (-70.0, 10.0, 45.0, 90.0, 180.0):
        yield f"rotation_{degrees}", 14, params(still, rotation=degrees)
    yield "solarize", 14, params(still, solarize=0.5)
    yield "erase", 14, params(still, erase=crop_box(3, 1, 4, 9))
    yield "everything", 14, params(still, flip=True, jitter=mixed, grayscale=True, blur_sigma=1.1)
    yield "everything_there_is", 14, params(
        still, vertical_flip=True, rotation=20.0, jitter=mixed, blur_sigma=0.7, solarize=0.4, erase=crop_box(9, 2, 5, 3),
    )


def main():
    image = source()
    rows = []
    for name, size, p in cases():
        filter = "bicubic" if name.endswith("bicubic") else "bilinear"
        view = apply(image, p, size, filter).flatten().double()
        unit = 255 if name.startswith("resize") and filter == "bilinear" else 10_000
        values = torch.round(view * unit).long().tolist()
        rows.append({"name": name, "size": size, "filter": filter, "params": p, "unit": unit, "values": values})
    head = {"torchvision": torchvision.__version__, "width": WIDTH, "height": HEIGHT}
    lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    text = json.dumps(head)[:-1] + ', "cases": [\n' + lines + "\n]}\n"
    pathlib.Path(__file__).with_name("torchvision.json").write_text(text)


main()
