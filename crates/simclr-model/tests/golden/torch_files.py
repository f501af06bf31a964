"""Small files as torch.save writes them, for `tests/torch_files.rs`: torch 2.15.

python3 torch_files.py

The weights are those of generate.py's formula, under the names of torchvision.ops.MLP(3, [2, 3], BatchNorm1d, bias=False).
"""

import collections
import pathlib

import torch
from generate import fill
from torch import nn
from torchvision.ops import MLP

HERE = pathlib.Path(__file__).parent

net = MLP(3, [2, 3], norm_layer=nn.BatchNorm1d, bias=False).double()
fill(net)
net = net.float()
state = net.state_dict()

torch.save(state, HERE / "mlp.pth")
torch.save(state, HERE / "mlp_legacy.pth", _use_new_zipfile_serialization=False)
# As training scripts keep it.
parallel = collections.OrderedDict((f"module.{name}", tensor) for name, tensor in state.items())
checkpoint = {"epoch": 3, "rate": 0.5, "best": True, "log": ["a", (1, 2 ** 70)], "state_dict": parallel}
torch.save(checkpoint, HERE / "mlp_checkpoint.pth")
# Parameters, and views into one half-precision storage, one of them transposed.
storage = torch.cat([state["0.weight"].T.flatten(), state["4.weight"].flatten()]).half()
views = dict(state, **{"0.weight": storage[:6].view(3, 2).T, "4.weight": nn.Parameter(storage[6:].view(3, 2))})
torch.save(views, HERE / "mlp_views.pth")


class Call:
    """A pickle that runs a command when Python loads it."""

    def __reduce__(self):
        return __import__("os").system, ("echo executed > executed",)


torch.save({"0.weight": Call()}, HERE / "calls_system.pth")
