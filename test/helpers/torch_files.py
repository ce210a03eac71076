# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Checkpoints written without PyTorch, opcode by opcode, in both of its formats: right ones, and ones that lie."""

from __future__ import annotations

import struct
import zipfile
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from pose_resnet_ros.export.pose_resnet import Architecture

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
SYSTEM = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
_NAMES = {"f8": "Double", "f4": "Float", "f2": "Half", "i8": "Long", "i4": "Int", "u1": "Byte"}
BLOCK_COUNTS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}


class Op(bytes):
    """A piece of a pickle's program that leaves one value on the stack."""


def named(name: str) -> Op:
    module, _, last = name.rpartition(".")
    return Op(f"c{module}\n{last}\n".encode())


def called(name: str, *arguments: Any) -> Op:
    return Op(named(name) + dump(arguments) + b"R")


def persistent(key: Any) -> Op:
    return Op(dump(key) + b"Q")


def dump(value: Any) -> bytes:
    """The program that makes a value, without its end."""
    if isinstance(value, Op):
        return value
    if value is None or value is True or value is False:
        return {None: b"N", True: b"\x88", False: b"\x89"}[value]
    if isinstance(value, int):
        size = value.bit_length() // 8 + 1
        return b"\x8a" + bytes([size]) + value.to_bytes(size, "little", signed=True)
    if isinstance(value, float):
        return b"G" + struct.pack(">d", value)
    if isinstance(value, str):
        return b"X" + struct.pack("<I", len(value.encode())) + value.encode()
    if isinstance(value, tuple):
        return b"(" + b"".join(map(dump, value)) + b"t"
    if isinstance(value, list):
        return b"](" + b"".join(map(dump, value)) + b"e"
    assert isinstance(value, dict)
    return b"}(" + b"".join(dump(key) + dump(item) for key, item in value.items()) + b"u"


def program(value: Any, *, protocol: int = 2) -> bytes:
    return bytes([0x80, protocol]) + dump(value) + b"."


@dataclass(frozen=True)
class Saved:
    """A tensor as a checkpoint declares it; what is None is told by ``values``."""

    values: np.ndarray
    key: Any
    kind: Any = None
    count: Any = None
    offset: Any = 0
    shape: Any = None
    strides: Any = None
    function: str = "torch._utils._rebuild_tensor_v2"
    further: tuple[Any, ...] = (False, called("collections.OrderedDict"))

    def storage(self, legacy: bool) -> Op:
        kind = self.kind or named(f"torch.{_NAMES[self.values.dtype.str[1:]]}Storage")
        count = self.values.size if self.count is None else self.count
        return persistent(("storage", kind, self.key, "cpu", count, *([None] if legacy else [])))

    def op(self, legacy: bool) -> Op:
        shape = self.values.shape if self.shape is None else self.shape
        strides = contiguous(self.values.shape) if self.strides is None else self.strides
        return called(self.function, self.storage(legacy), self.offset, shape, strides, *self.further)


def contiguous(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(prod(shape[i + 1 :]) for i in range(len(shape)))


def saved(state: dict[str, np.ndarray]) -> dict[str, Saved]:
    return {name: Saved(values, str(number)) for number, (name, values) in enumerate(state.items())}


def with_tensor(state: dict[str, Saved], name: str, **changes: Any) -> dict[str, Any]:
    return {**state, name: replace(state[name], **changes)}


def write_file(path: Path, state: dict[str, Any], *, legacy: bool, outer: Any = None, **lies: Any) -> Path:
    """outer: makes of the state's program what is saved, such as the trainer's dictionary; lies: see below."""
    entries = {name: item.op(legacy) if isinstance(item, Saved) else item for name, item in state.items()}
    content = Op(called("collections.OrderedDict") + dump(entries)[1:])  # OrderedDict(), then the same items
    storages = {item.key: item.values.tobytes() for item in state.values() if isinstance(item, Saved)}
    write = write_legacy if legacy else write_zip
    return write(path, program(outer(content) if outer else content), storages, **lies)


def write_zip(
    path: Path,
    pickle: bytes,
    storages: dict[str, bytes],
    *,
    compressed: str = "",
    byte_order: bytes = b"little",
    extra: tuple[str, ...] = (),
) -> Path:
    """compressed: the end of the name of what is compressed; extra: further empty members."""
    with zipfile.ZipFile(path, "w") as archive:
        members = {"data.pkl": pickle, "byteorder": byte_order, "version": b"3\n"}
        members |= {f"data/{key}": data for key, data in storages.items()} | dict.fromkeys(extra, b"")
        for name, data in members.items():
            squeeze = compressed and name.endswith(compressed)
            archive.writestr(f"net/{name}", data, zipfile.ZIP_DEFLATED if squeeze else zipfile.ZIP_STORED)
    return path


def write_legacy(
    path: Path,
    pickle: bytes,
    storages: dict[str, bytes],
    *,
    magic: Any = MAGIC,
    protocol: Any = PROTOCOL,
    system: Any = SYSTEM,
    keys: Any = None,
    counts: dict[str, int] | None = None,
    item_size: int = 4,
) -> Path:
    """counts: numbers of values to declare before a storage instead of the right ones."""
    parts = [program(magic), program(protocol), program(system), pickle]
    parts.append(program(list(storages) if keys is None else keys))
    for key, data in storages.items():
        count = (counts or {}).get(key, len(data) // item_size)
        parts.append(struct.pack("<q", count) + data)
    path.write_bytes(b"".join(parts))
    return path


def architecture(
    depth: int, *, width: int = 64, deconv_channels: tuple[int, int, int] = (256, 256, 256), **further: Any
) -> Architecture:
    rest = {"deconv_kernels": (4, 4, 4), "deconv_bias": False, "final_kernel": 1, "joint_count": 17, **further}
    return Architecture(depth >= 50, BLOCK_COUNTS[depth], width, deconv_channels, **rest)  # type: ignore[arg-type]


def seeded_state(network: Architecture, seed: int = 0) -> dict[str, np.ndarray]:
    """Random weights whose activations keep their size through all layers."""
    rng = np.random.default_rng(seed)

    def values(name: str, shape: tuple[int, ...]) -> np.ndarray:
        if len(shape) == 4:
            fan_in = shape[0] * 4 if "deconv" in name else prod(shape[1:])
            return rng.standard_normal(shape, np.float32) * np.float32((2 / fan_in) ** 0.5)
        low_high = {"running_var": (0.5, 1.5), "weight": (0.3, 0.7)}.get(name.rpartition(".")[2])
        drawn = rng.uniform(*low_high, shape) if low_high else rng.normal(0, 0.1, shape)
        return drawn.astype(np.float32)

    return {name: values(name, shape) for name, shape in network.shapes().items()}
