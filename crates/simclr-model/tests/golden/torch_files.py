"""Small files as torch.save writes them, for `tests/torch_files.rs`: torch 2.15.

python3 torch_files.py

The weights are those of generate.py's formula, under the names of torchvision.ops.MLP(3, [2, 3], BatchNorm1d, bias=False).
"""

import argparse
import collections
import datetime
import enum
import functools
import pathlib
import sys
import types

import numpy
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
# What training scripts keep beside the weights.
kind = enum.Enum("Kind", ["SIMCLR"], module="training")
beside = {
    "args": argparse.Namespace(lr=0.1, gpus={0, 1}, out=pathlib.PurePosixPath("runs"), device=torch.device("cuda", 0)),
    "numpy": [numpy.float32(71.3), numpy.arange(3), numpy.int64(5), numpy.dtype("float32")],
    "dtype": torch.float16,
    "when": datetime.datetime(2026, 1, 2),
    "warm_up": functools.partial(max, 1),
    "kind": kind.SIMCLR,
    "seen": collections.defaultdict(list, a=[1]),
    "recent": collections.deque([1, 2]),
    "frozen": frozenset("ab"),
    "count": collections.Counter("aab"),
    "big": 2**70,
    "raw": b"\xff\x00",
    "rng": torch.get_rng_state()[:4].clone(),
    "complex": torch.zeros(1, dtype=torch.complex64),
    "meta": torch.empty(2, device="meta"),
    "sparse": torch.eye(2).to_sparse(),
    "optimizer": {"state": {0: {"exp_avg": torch.zeros(2)}}, "param_groups": [{"lr": 0.1, "params": [0]}]},
}
sys.modules["training"] = types.SimpleNamespace(Kind=kind)
for protocol in [2, 5]:
    torch.save(dict(beside, model=state), HERE / f"mlp_beside_{protocol}.pth", pickle_protocol=protocol)
# A layer that is registered under two names: its tensors are the same ones.
torch.save(nn.ModuleDict({"net": net, "backbone": net}).state_dict(), HERE / "mlp_twice.pth")
# A parameter with an attribute of its own, and a channel left out of a wider layer.
odd = dict(state, **{"4.weight": nn.Parameter(torch.cat([state["4.weight"], torch.full((3, 5), torch.nan)], 1)[:, :2])})
odd["4.weight"].sharded = False
torch.save({"teacher": {"backbone": odd}, "student": {}}, HERE / "mlp_odd.pth")
# Whole networks, which hold code.
torch.save(net, HERE / "whole_mlp.pth")
torch.save({"epoch": 3, "net": net}, HERE / "whole_mlp_inside.pth")


class Call:
    """A pickle that runs a command when Python loads it."""

    def __reduce__(self):
        return __import__("os").system, ("echo executed > executed",)


torch.save({"0.weight": Call()}, HERE / "calls_system.pth")
