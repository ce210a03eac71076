# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Checkpoints that lie, in both formats: each is refused with one sentence, runs nothing and takes no memory."""

from __future__ import annotations

import struct
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch_files import (
    Op,
    Saved,
    architecture,
    called,
    dump,
    named,
    persistent,
    program,
    saved,
    seeded_state,
    with_tensor,
    write_file,
    write_legacy,
    write_zip,
)

from pose_resnet_ros.core.errors import ModelError
from pose_resnet_ros.export.checkpoint import load_state

STATE = saved(seeded_state(architecture(18, width=2, deconv_channels=(4, 4, 4))))
NAME = "final_layer.weight"  # (17, 4, 1, 1)
GIVEN = STATE[NAME]
COUNT = GIVEN.values.size
MOST_BYTES = 4 << 20
DAMAGED = "damaged or not a PyTorch checkpoint"
NO_NETWORK = "its tensors do not make a PoseResNet"
HUGE = 1 << 62

TENSOR_LIES: dict[str, dict[str, Any]] = {
    "shape: negative": {"shape": (-17, 4, 1, 1)},
    "shape: larger than its storage": {"shape": (18, 4, 1, 1)},
    "shape: huge": {"shape": (HUGE, 4, 1, 1)},
    "shape: product overflows": {"shape": (1 << 33, 1 << 33, 1, 1), "strides": (0, 0, 0, 0)},
    "shape: a number with a point": {"shape": (17.0, 4, 1, 1)},
    "shape: a text": {"shape": "17, 4"},
    "shape: true": {"shape": (True, 4, 1, 1)},
    "shape: nothing": {"shape": Op(b"N")},
    "shape: a hundred axes": {"shape": (1,) * 100, "strides": (1,) * 100},
    "shape: fewer axes than strides": {"shape": (17, 4)},
    "strides: negative": {"strides": (4, -1, 1, 1)},
    "strides: out of the storage": {"strides": (5, 1, 1, 1)},
    "strides: huge": {"strides": (HUGE, 1, 1, 1)},
    "strides: a large view of one value": {"shape": (1 << 20, 1 << 10, 1, 1), "strides": (0, 0, 0, 0)},
    "strides: a text in them": {"strides": ("4", 1, 1, 1)},
    "strides: nothing": {"strides": Op(b"N")},
    "offset: one too far": {"offset": 1},
    "offset: behind the storage": {"offset": COUNT},
    "offset: negative": {"offset": -1},
    "offset: huge": {"offset": HUGE},
    "offset: a number with a point": {"offset": 0.5},
    "storage: more values than are there": {"count": COUNT + 1},
    "storage: fewer values than are there": {"count": COUNT - 1},
    "storage: huge": {"count": HUGE},
    "storage: a terabyte": {"count": 1 << 38},
    "storage: negative": {"count": -COUNT},
    "storage: a number with a point": {"count": float(COUNT)},
    "storage: no number": {"count": "68"},
    "storage: another type's size": {"kind": named("torch.DoubleStorage")},
    "storage: a type that is a text": {"kind": "torch.FloatStorage"},
    "storage: a type that is a function": {"kind": named("torch._utils._rebuild_tensor")},
    "storage: a key that is a number": {"key": 7},
    "whole numbers for weights": {"kind": named("torch.IntStorage")},
    "function: fewer arguments": {"function": "torch._utils._rebuild_tensor", "shape": Op(b"(t"), "further": ()},
    "function: a parameter of nothing": {"function": "torch._utils._rebuild_parameter"},
}  # fmt: skip

# What stands in place of one tensor.
OTHER_VALUES: dict[str, Op] = {
    **{
        f"names {name}": called(name, "true")
        for name in (
            *("os.system", "posix.system", "subprocess.Popen", "builtins.eval", "builtins.exec"),
            *("__builtin__.eval", "builtins.getattr", "builtins.__import__", "importlib.import_module"),
            *("torch.load", "torch.hub.load", "torch.storage._load_from_bytes", "torch.jit.load"),
            *("numpy.load", "numpy.core.multiarray.fromfile", "pickle.loads", "shutil.rmtree", "pathlib.Path"),
            *("collections.defaultdict", "types.FunctionType", "runpy.run_path"),
        )
    },
    "a function by two texts": Op(dump("os") + dump("system") + b"\x93" + dump(("true",)) + b"R"),
    "instance": Op(b"(" + dump("true") + b"ios\nsystem\n"),
    "object": Op(b"(" + named("torch.Size") + b"o"),
    "extension": Op(b"\x82\x01"),
    "object with keywords": Op(named("torch.Size") + b")}\x92"),
    "frozen set": Op(b"(\x91"),
    "buffer from outside": Op(b"\x97"),
    "text reference": Op(b"Pstorage\n"),
    "duplicate and drop": Op(b"N20"),
    "recalls what is not there": Op(b"h\xff"),
    "recalls far away": Op(b"j\xff\xff\xff\x7f"),
    "no mark": Op(b"t"),
    "takes too much": Op(b"0"),
    "calls a text": Op(dump("f") + b")R"),
    "calls without arguments": Op(named("torch.Size") + dump("f") + b"R"),
    "calls a storage's type": called("torch.FloatStorage", 4),
    "calls a tensor": Op(GIVEN.op(False) + b")R"),
    "adds to a text": Op(dump("f") + b"Na"),
    "sets in a list": Op(b"]NNs"),
    "a key without a value": Op(b"}(" + dump("k") + b"u"),
    "a list as a key": Op(b"}(]Nu"),
    "a tuple as a key": Op(b"})Ns"),
    "state of a text": Op(dump("f") + b"}b"),
    "an ordered dictionary of a number": called("collections.OrderedDict", 3),
    "an ordered dictionary of triples": called("collections.OrderedDict", [(1, 2, 3)]),
    "a reference to nothing": persistent(None),
    "a reference to a module": persistent(("module", "x", "y", "z", 1)),
    "a short reference": persistent(("storage",)),
    "a tensor of nothing": called("torch._utils._rebuild_tensor_v2", None, 0, (1,), (1,)),
    "a tensor without arguments": called("torch._utils._rebuild_tensor_v2"),
    "a text with a huge size": Op(b"\x8d" + struct.pack("<Q", HUGE) + b"x"),
    "bytes with a huge size": Op(b"\x8e" + struct.pack("<Q", HUGE) + b"x"),
    "a number with a huge size": Op(b"\x8b\xff\xff\xff\x7f"),
    "a text that is none": Op(b"X\x02\x00\x00\x00\xff\xfe"),
    "an unknown opcode": Op(b"\xfe"),
    "ends early": Op(b"."),
}


def lying(state: dict[str, Any], legacy: bool, **lies: Any) -> Callable[[Path], Path]:
    return lambda path: write_file(path, state, legacy=legacy, **lies)


def pickle_of(state: dict[str, Saved], legacy: bool) -> bytes:
    return program({name: item.op(legacy) for name, item in state.items()})


def storages(state: dict[str, Saved]) -> dict[str, bytes]:
    return {item.key: item.values.tobytes() for item in state.values()}


def as_value(content: Any) -> Callable[[Op], Any]:
    return lambda op: content


def changed(change: Callable[[bytes], bytes], legacy: bool) -> Callable[[Path], Path]:
    def write(path: Path) -> Path:
        write_file(path, STATE, legacy=legacy).write_bytes(change(path.read_bytes()))
        return path

    return write


def network_lies() -> dict[str, dict[str, Any]]:
    def values(name: str, array: np.ndarray) -> dict[str, Any]:
        return with_tensor(STATE, name, values=array.astype("f4"))

    variance = STATE["bn1.running_var"].values
    return {
        "a tensor missing": {key: item for key, item in STATE.items() if key != "layer3.1.bn2.running_mean"},
        "a tensor too many": STATE | {"vis_head.weight": Saved(np.zeros(3, "f4"), "more")},
        "a tensor of another shape": values("layer2.0.conv1.weight", np.zeros((4, 2, 5, 5))),
        "a tensor twice": STATE | {"module.conv1.weight": replace(STATE["conv1.weight"], key="again")},
        "no numbers": values(NAME, np.full_like(GIVEN.values, np.nan)),
        "infinity": values(NAME, np.full_like(GIVEN.values, np.inf)),
        "a negative variance": values("bn1.running_var", -variance),
        "a kernel of 5": values("deconv_layers.0.weight", np.zeros((16, 4, 5, 5))),
        "a vector for a kernel": values("conv1.weight", np.zeros(2 * 3 * 7 * 7)),
        "no joints": values(NAME, np.zeros((0, 4, 1, 1))),
        "no blocks": {key: item for key, item in STATE.items() if not key.startswith("layer2.")},
        "another bias": STATE | {"deconv_layers.3.bias": Saved(np.zeros(4, "f4"), "bias")},
    }  # fmt: skip


def all_kinds() -> dict[str, Callable[[Path], Path]]:
    kinds: dict[str, Callable[[Path], Path]] = {}
    for form, legacy in (("zip", False), ("legacy", True)):
        for name, lie in TENSOR_LIES.items():
            kinds[f"{form}: {name}"] = lying(with_tensor(STATE, NAME, **lie), legacy)
        for name, value in OTHER_VALUES.items():
            kinds[f"{form}: {name}"] = lying({**STATE, NAME: value}, legacy)
        for name, state in network_lies().items():
            kinds[f"{form}: {name}"] = lying(state, legacy)
        once = replace(GIVEN, key="0")
        twice = {**STATE, NAME: replace(GIVEN, values=STATE["conv1.weight"].values, key="0", count=5)}
        kinds[f"{form}: one storage of two sizes"] = lying(twice, legacy)
        many = {f"copy{i}": once for i in range(400)}
        kinds[f"{form}: one storage as four hundred tensors"] = lying(STATE | many, legacy)
        for name, content in {"a list": [1, 2], "a number": 1, "nothing": None, "no tensors": {"a": 1}}.items():
            kinds[f"{form}: {name} in place of tensors"] = lying(STATE, legacy, outer=as_value(content))
        for name, change in {
            "empty": lambda data: b"",
            "half of it": lambda data: data[: len(data) // 2],
            "its last bytes missing": lambda data: data[:-10],
            "a web page": lambda data: b"<!doctype html><html></html>" + data,
            "zeros": lambda data: bytes(len(data)),
            "its start only": lambda data: data[:30],
        }.items():
            kinds[f"{form}: {name}"] = changed(change, legacy)
    return kinds | zip_kinds() | legacy_kinds()


def zip_kinds() -> dict[str, Callable[[Path], Path]]:
    data = STATE[NAME].values.tobytes()
    return {
        "zip: no pickle": lambda path: write_zip(path, b"", storages(STATE)),
        "zip: two pickles": lying(STATE, False, extra=("more/data.pkl",)),
        "zip: a compressed pickle": lying(STATE, False, compressed="data.pkl"),
        "zip: compressed storages": lying(STATE, False, compressed=f"data/{GIVEN.key}"),
        "zip: big-endian": lying(STATE, False, byte_order=b"big"),
        "zip: an order of bytes that is none": lying(STATE, False, byte_order=b"x" * 1000),
        "zip: no storages": lambda path: write_zip(path, pickle_of(STATE, False), {}),
        "zip: a storage cut": lambda path: write_zip(path, pickle_of(STATE, False), storages(STATE) | {GIVEN.key: data[:-4]}),
        "zip: a storage with a changed value": changed(lambda file: file.replace(data, data[:-1] + bytes([data[-1] ^ 1])), False),
        "zip: references of the legacy format": lambda path: write_zip(path, pickle_of(STATE, True), storages(STATE)),
    }


def legacy_kinds() -> dict[str, Callable[[Path], Path]]:
    keys = list(storages(STATE))
    big = {"protocol_version": 1001, "little_endian": False}
    lies: dict[str, dict[str, Any]] = {
        "another magic number": {"magic": 1},
        "another protocol": {"protocol": 1002},
        "big-endian": {"system": big},
        "no word on the machine": {"system": None},
        "no keys": {"keys": []},
        "a key missing": {"keys": keys[1:]},
        "an unknown key": {"keys": [*keys, "unknown"]},
        "a key twice": {"keys": [keys[0], keys[0], *keys[2:]]},
        "keys in a text": {"keys": "01234"},
        "keys that are lists": {"keys": [[key] for key in keys]},
        "a storage where only facts belong": {"magic": GIVEN.storage(True)},
        "a storage that counts more": {"counts": {keys[-1]: 1 << 40}},
        "a storage that counts less": {"counts": {keys[0]: 1}},
        "a negative storage": {"counts": {keys[0]: -1}},
    }
    kinds = {f"legacy: {name}": lying(STATE, True, **lie) for name, lie in lies.items()}
    view = persistent(("storage", named("torch.FloatStorage"), "0", "cpu", COUNT, ("1", 0, COUNT)))
    other = called("torch._utils._rebuild_tensor_v2", view, 0, (COUNT,), (1,))
    kinds["legacy: a view of a storage"] = lying({**STATE, NAME: other}, True)
    kinds["legacy: references of the zip format"] = lambda path: write_legacy(path, pickle_of(STATE, False), storages(STATE))
    return kinds


KINDS = all_kinds()


def test_the_right_one_is_read(tmp_path: Path) -> None:
    for legacy in (False, True):
        assert load_state(write_file(tmp_path / "net.pth", STATE, legacy=legacy)).keys() == STATE.keys()


def test_there_are_more_than_a_hundred_kinds() -> None:
    assert len(KINDS) > 100


@pytest.mark.parametrize("kind", KINDS)
def test_a_malformed_checkpoint_is_refused_with_one_sentence(kind: str, tmp_path: Path) -> None:
    path = KINDS[kind](tmp_path / "net.pth.tar")
    tracemalloc.start()
    try:
        with pytest.raises(ModelError) as caught:
            load_state(path)
        assert tracemalloc.get_traced_memory()[1] < MOST_BYTES
    finally:
        tracemalloc.stop()
    sentence = str(caught.value)
    assert sentence.startswith(f"{path}: ")
    assert "\n" not in sentence
    assert len(sentence) < len(str(path)) + 450
    if " names " in kind:
        assert f"refused, because opening it would use {kind.rpartition(' ')[2]}" in sentence
