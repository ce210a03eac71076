# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Checks, before a library loads an ONNX file, where its weights are and how many there are.

Only newer versions of onnxruntime check this. With older ones, a model could make it read any file as weights, wait for a pipe,
or use up the memory. The file is parsed without the onnx package, which is optional.

Source: onnx/onnx.proto (numbers of the fields) and protobuf's encoding (protobuf.dev/programming-guides/encoding).
"""

from __future__ import annotations

import math
import mmap
import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pose_resnet_ros.core.errors import ModelError

_MOST_PACKED = 16  # the shortest number in protobuf has a byte, the longest element 16
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MAX_VARINT_BYTES = 10
# Messages that hold tensors, by the numbers of their fields.
_INSIDE: dict[str, dict[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
}
_DIMS, _DATA_TYPE, _EXTERNAL_DATA, _DATA_LOCATION = 1, 2, 13, 14
_KEY, _VALUE = 1, 2
# Bits of an element by TensorProto.DataType; of a newer type 8 are assumed, strings take what they take.
_BITS = {1: 32, 4: 16, 5: 16, 6: 32, 7: 64, 8: 0, 10: 16, 11: 64, 12: 32, 13: 64, 14: 64, 15: 128, 16: 16, 21: 4, 22: 4, 23: 4}

Field = tuple[int, "int | memoryview"]


@dataclass(frozen=True)
class DeclaredTensor:
    """byte_count: what its shape and type say; location: the file that its values lie in, beside the model; None: in the model
    itself.
    """

    byte_count: int
    location: str | None


def check_declared_weights(path: Path) -> None:
    """Raises ModelError for a file that is not ONNX, for weights outside its folder (an absolute path, ``..`` or a link) or in
    something that is not a file, and for more weights than the files or this machine's memory hold.

    A missing file with weights is reported by the library that loads the model.
    """
    by_location: dict[str | None, list[int]] = defaultdict(list)
    for tensor in _tensors_of(path):
        by_location[tensor.location].append(tensor.byte_count)
    total = sum(map(sum, by_location.values()))
    inside = sum(by_location.pop(None, []))
    if inside > path.stat().st_size * _MOST_PACKED:
        raise ModelError(f"{path} declares {inside} bytes of weights, more than it can hold; fetch or export it again")
    for location, byte_counts in by_location.items():
        _check_file(path, str(location), largest=max(byte_counts))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if total > memory:
        raise ModelError(f"{path} has {total} bytes of weights; this machine has {memory} bytes of memory")


def has_weights_elsewhere(path: Path) -> bool:
    """Whether weights are in other files beside this one, as newer exporters do it. Raises ModelError for what is not ONNX."""
    return any(tensor.location is not None for tensor in _tensors_of(path))


def _tensors_of(path: Path) -> list[DeclaredTensor]:
    try:
        return declared_tensors(path)
    except ValueError as error:
        raise ModelError(f"{path} is not an ONNX model, or only a part of one ({error}); fetch or export it again") from error
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from error


def _check_file(path: Path, location: str, *, largest: int) -> None:
    """Check one file with weights; largest: bytes of the largest tensor in it."""
    try:
        real = (path.parent / location).resolve()
    except (ValueError, OSError, RuntimeError) as error:  # a zero byte, a loop of links
        raise ModelError(f"{path}: its weights should be in {location!r}, which is not a file name: {error}") from error
    # A model that is itself a link (as in Hugging Face's cache) may have its weights beside what it links to.
    if not any(real.is_relative_to(folder) for folder in (path.parent.resolve(), path.resolve().parent)):
        raise ModelError(
            f"{path}: refused, its weights would be read from '{location}', outside of its folder; expected a file beside it"
            " (an absolute path, '..' or a link could name any file of this machine)"
        )
    if os.path.isfile(real):
        if real.stat().st_size < largest:
            raise ModelError(
                f"{real}: expected at least {largest} bytes of weights for {path.name}, got {real.stat().st_size};"
                " fetch or export it again"
            )
    elif os.path.exists(real):
        raise ModelError(f"{path}: expected weights in a file, '{location}' is a folder, a pipe or a device")


def declared_tensors(path: Path) -> list[DeclaredTensor]:
    """Every tensor of the file, also of subgraphs. Raises ValueError for a file that is not protobuf, OSError."""
    if path.stat().st_size == 0:
        raise ValueError("the file is empty")
    with path.open("rb") as file:  # the map closes itself when nothing looks into it any more
        return list(_tensors(memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))))


def _tensors(data: memoryview) -> Iterator[DeclaredTensor]:
    # A stack, since graphs may lie deep in one another.
    waiting: list[tuple[str, memoryview]] = [("model", data)]
    while waiting:
        kind, message = waiting.pop()
        if kind == "tensor":
            yield _tensor(message)
        else:
            inside = _INSIDE[kind]
            fields = [(number, value) for number, value in _fields(message) if number in inside]
            waiting += [(inside[number], value) for number, value in fields if isinstance(value, memoryview)]


def _tensor(message: memoryview) -> DeclaredTensor:
    sizes: list[int] = []
    data_type, is_external, location = 0, False, ""
    for number, value in _fields(message):
        if number == _DIMS:
            sizes += [value] if isinstance(value, int) else _varints(value)
        elif number == _DATA_TYPE and isinstance(value, int):
            data_type = value
        elif number == _DATA_LOCATION:
            is_external = value == 1
        elif number == _EXTERNAL_DATA and isinstance(value, memoryview):
            key, text = _entry(value)
            location = text if key == "location" else location
    byte_count = (math.prod(sizes) * _BITS.get(data_type, 8) + 7) // 8
    return DeclaredTensor(byte_count, location if is_external else None)


def _entry(message: memoryview) -> tuple[str, str]:
    """Key and value of an entry of two texts."""
    texts = {_KEY: "", _VALUE: ""}
    for number, value in _fields(message):
        if isinstance(value, memoryview):
            texts[number] = bytes(value).decode(errors="surrogateescape")
    return texts[_KEY], texts[_VALUE]


def _varints(data: memoryview) -> list[int]:
    values, at = [], 0
    while at < len(data):
        value, at = _varint(data, at)
        values.append(value)
    return values


def _fields(data: memoryview) -> Iterator[Field]:
    """Number and value of each field of a message. Raises ValueError where it is damaged."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == _VARINT:
            value, at = _varint(data, at)
            yield number, value
            continue
        if wire_type == _BYTES:
            size, at = _varint(data, at)
        elif wire_type in (_FIXED64, _FIXED32):
            size = 8 if wire_type == _FIXED64 else 4
        else:
            raise ValueError(f"not protobuf: wire type {wire_type}")
        if size > len(data) - at:
            raise ValueError(f"cut off: a field of {size} bytes where {len(data) - at} are left")
        yield number, data[at : at + size]
        at += size


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    """The number that begins there, and where the next thing begins."""
    value = 0
    for index in range(_MAX_VARINT_BYTES):
        if at + index >= len(data):
            break
        byte = data[at + index]
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value, at + index + 1
    raise ValueError("not protobuf: a number without an end")
