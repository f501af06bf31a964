"""Views a second on one thread, against five Python libraries; with decoding; and on two threads.

Peers: torchvision on PIL images and on u8 tensors (v2), lightly's SimCLRTransform, kornia, albumentations.
Needs: pip install torch torchvision lightly kornia albumentations

The policy is ImageNet's (crop from 0.08, flip, jitter 0.8/0.8/0.8/0.2 with p 0.8, gray with p 0.2, blur with p 0.5
above 32 px), and a view ends as normalised floats. The same JPEG pictures are read by all; each case runs in a process
of its own, ours and the peers' in turn, and the best of thirty rounds of a tenth of a second
counts, since whatever else the machine does only ever takes time away.
"""

import json
import os
import subprocess
import sys
import tempfile
import time

from bench import build, measure

SIZES = [(32, 32), (96, 96), (400, 224)]
PEERS = ["torchvision_pil", "torchvision_v2", "lightly", "kornia", "albumentations"]
DECODING_PEERS = ["torchvision_pil", "albumentations"]
ROUNDS = 30
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def rows(options):
    bench = build("augment")
    with tempfile.TemporaryDirectory() as folder:
        for source, size in SIZES[:2] if options.quick else SIZES:
            pictures = os.path.join(folder, str(source))
            subprocess.run([bench, "write", str(source), pictures], check=True)
            arguments = [str(source), str(size)]
            ours = views_per_second([bench, "views", *arguments, "1"])
            for name in PEERS:
                peer = views_per_second([sys.executable, __file__, name, "views", *arguments, pictures])
                yield row(f"{source} -> {size}", ours, peer, name)
            both = views_per_second([bench, "views", *arguments, "2"])
            yield row(f"{source} -> {size}, 2 threads", both, ours, "our 1 thread")
            ours = views_per_second([bench, "decode", *arguments, "1", pictures])
            for name in DECODING_PEERS:
                peer = views_per_second([sys.executable, __file__, name, "decode", *arguments, pictures])
                yield row(f"{source} -> {size} from JPEG", ours, peer, name)


def row(case, ours, peer, name):
    return {
        "work": "augment",
        "case": case,
        "ours": 1e6 / ours,
        "peer": 1e6 / peer,
        "peer_name": name,
        "ratio": ours / peer,
        "unit": "us",
    }


def views_per_second(command):
    return measure(command)["views_per_second"]


def pil_policy(size):
    import torchvision.transforms as T

    jitter = T.RandomApply([T.ColorJitter(0.8, 0.8, 0.8, 0.2)], p=0.8)
    steps = [T.RandomResizedCrop(size), T.RandomHorizontalFlip(), jitter, T.RandomGrayscale(p=0.2)]
    if size > 32:
        steps.append(T.RandomApply([T.GaussianBlur(kernel_size(size), (0.1, 2.0))], p=0.5))
    return T.Compose([*steps, T.ToTensor(), T.Normalize(MEAN, STD)])


def v2_policy(size):
    import torch
    import torchvision.transforms.v2 as T

    jitter = T.RandomApply([T.ColorJitter(0.8, 0.8, 0.8, 0.2)], p=0.8)
    steps = [T.RandomResizedCrop(size, antialias=True), T.RandomHorizontalFlip(), jitter, T.RandomGrayscale(p=0.2)]
    if size > 32:
        steps.append(T.RandomApply([T.GaussianBlur(kernel_size(size), (0.1, 2.0))], p=0.5))
    return T.Compose([*steps, T.ToDtype(torch.float32, scale=True), T.Normalize(MEAN, STD)])


def lightly_policy(size):
    from lightly.transforms import SimCLRTransform

    return SimCLRTransform(input_size=size, gaussian_blur=0.5 if size > 32 else 0.0)


def kornia_policy(size):
    import kornia.augmentation as K
    import torch

    steps = [K.RandomResizedCrop((size, size)), K.RandomHorizontalFlip(), K.ColorJitter(0.8, 0.8, 0.8, 0.2, p=0.8)]
    steps.append(K.RandomGrayscale(p=0.2))
    if size > 32:
        steps.append(K.RandomGaussianBlur((kernel_size(size),) * 2, (0.1, 2.0), p=0.5))
    return torch.nn.Sequential(*steps, K.Normalize(torch.tensor(MEAN), torch.tensor(STD)))


def albumentations_policy(size):
    import albumentations as A

    steps = [A.RandomResizedCrop(size=(size, size), scale=(0.08, 1.0)), A.HorizontalFlip()]
    steps += [A.ColorJitter((0.2, 1.8), (0.2, 1.8), (0.2, 1.8), (-0.2, 0.2), p=0.8), A.ToGray(p=0.2)]
    if size > 32:
        width = kernel_size(size)
        steps.append(A.GaussianBlur(blur_limit=(width, width), sigma_limit=(0.1, 2.0), p=0.5))
    return A.Compose([*steps, A.Normalize(MEAN, STD)])


def kernel_size(size):
    return 2 * max(size // 20, 1) + 1


def peer(name, work, source, size, pictures):
    import numpy as np
    import torch
    from PIL import Image

    torch.set_num_threads(1)
    paths = [os.path.join(pictures, file) for file in sorted(os.listdir(pictures))]
    images = [Image.open(path).convert("RGB") for path in paths]
    arrays = [np.array(image) for image in images]
    tensors = [torch.from_numpy(array).permute(2, 0, 1).contiguous() for array in arrays]
    if name == "torchvision_pil":
        policy = pil_policy(size)
        if work == "decode":
            run = lambda i: policy(Image.open(paths[i % len(paths)]).convert("RGB"))
        else:
            run = lambda i: policy(images[i % len(images)])
        views = 1
    elif name == "torchvision_v2":
        policy, views = v2_policy(size), 1
        run = lambda i: policy(tensors[i % len(tensors)])
    elif name == "lightly":
        policy, views = lightly_policy(size), 2
        run = lambda i: policy(images[i % len(images)])
    elif name == "kornia":
        policy, views = kornia_policy(size), 64
        batch = torch.stack([tensors[i % len(tensors)] for i in range(views)]).float() / 255
        run = lambda i: policy(batch)
    else:
        import cv2

        cv2.setNumThreads(1)
        policy, views = albumentations_policy(size), 1
        if work == "decode":
            read = lambda path: cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB)
            run = lambda i: policy(image=read(paths[i % len(paths)]))
        else:
            run = lambda i: policy(image=arrays[i % len(arrays)])

    def rate(calls):
        start = time.perf_counter()
        for i in range(calls):
            run(i)
        return views * calls / (time.perf_counter() - start)

    calls = max(1, int(0.1 * rate(3) / views))
    calls = max(1, int(0.1 * rate(calls) / views))
    print(json.dumps({"views_per_second": max(rate(calls) for _ in range(ROUNDS))}))


if __name__ == "__main__":
    peer(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5])
