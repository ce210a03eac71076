# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The tensors in a file that ``torch.save`` wrote, in NumPy alone.

Two formats: a zip archive (PyTorch 1.6 and later) and, before that, a row of pickles with the storages' bytes behind them.
Layout as in ``torch/serialization.py`` and ``torch/_utils.py`` of pytorch/pytorch. What a file declares is compared with what
it holds before memory is taken: storages lie inside the file, tensors inside their storage, and together they are not
larger than the file. Storages are read when a tensor's values are asked for.
"""

from __future__ import annotations

import mmap
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from pose_resnet_ros.export.torch_pickle import Malformed, load_pickle

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
LEGACY_PROTOCOL = 1001
# bfloat16 is the upper half of a float32, and NumPy does not know it: read as whole numbers and shifted.
_BFLOAT16 = "bfloat16"
_TYPES = {
    "Double": "f8",
    "Float": "f4",
    "Half": "f2",
    "BFloat16": _BFLOAT16,
    "Long": "i8",
    "Int": "i4",
    "Short": "i2",
    "Char": "i1",
    "Byte": "u1",
    "Bool": "?",
}
_MAX_DIMENSIONS = 8


@dataclass(frozen=True)
class StorageType:
    """``torch.FloatStorage`` and its like, by what their values are."""

    code: str

    @property
    def item_size(self) -> int:
        return 2 if self.code == _BFLOAT16 else np.dtype(self.code).itemsize


@dataclass(frozen=True, eq=False)
class Storage:
    """``count`` values of one type; read: their bytes, little-endian."""

    type: StorageType
    count: int
    read: Callable[[], bytes]

    @property
    def byte_count(self) -> int:
        return self.count * self.type.item_size

    def values(self) -> np.ndarray:
        code = "<u2" if self.type.code == _BFLOAT16 else f"<{self.type.code}"
        return np.frombuffer(self.read(), code, count=self.count)


@dataclass(frozen=True, eq=False)
class Tensor:
    """A view of a storage, checked to lie inside; offset and strides count values."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def is_floating(self) -> bool:
        return self.storage.type.code in ("f8", "f4", "f2", _BFLOAT16)

    def numpy(self) -> np.ndarray:
        """A float32 array of its own."""
        values = self.storage.values()[self.offset :]
        steps = tuple(stride * values.itemsize for stride in self.strides)
        view = np.lib.stride_tricks.as_strided(values, self.shape, steps, writeable=False)
        if self.storage.type.code == _BFLOAT16:
            return (view.astype(np.uint32) << 16).view(np.float32)
        return view.astype(np.float32, order="C")


@contextmanager
def open_torch_file(path: Path) -> Iterator[object]:
    """What was saved: containers, plain values and Tensors, whose values can be read inside the ``with``.

    Raises Malformed, ``torch_pickle.Refused``, OSError, and what zipfile, pickletools and NumPy raise for a damaged file.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        if content[:2] == b"PK":
            with zipfile.ZipFile(file) as archive:
                yield _read_zip(archive, len(content))
        else:
            yield _read_legacy(content)


class _Tensors:
    """Rebuilds tensors and keeps the sum of what they and their storages declare below the file's size."""

    def __init__(self, file_size: int) -> None:
        self._file_size = file_size
        self._in_storages = self._in_tensors = 0

    @property
    def globals_by_name(self) -> dict[str, Callable[..., object]]:
        types = {f"torch.{name}Storage": _not_called(StorageType(code)) for name, code in _TYPES.items()}
        return {
            **types,
            "torch._utils._rebuild_tensor": self.rebuild,
            "torch._utils._rebuild_tensor_v2": self.rebuild,
            "torch._utils._rebuild_parameter": lambda tensor, *_: tensor,
        }

    def declare(self, storage: Storage) -> Storage:
        self._in_storages += storage.byte_count
        if self._in_storages > self._file_size:
            raise Malformed(f"its storages declare more than the file's {self._file_size} bytes")
        return storage

    def rebuild(self, storage: Any, offset: Any, shape: Any, strides: Any, *_: object) -> Tensor:
        if not isinstance(storage, Storage):
            raise Malformed("a tensor without a storage")
        shape, strides = _sizes(shape), _sizes(strides)
        (offset,) = _sizes((offset,))
        if len(shape) != len(strides):
            raise Malformed(f"a tensor of shape {shape} with strides {strides}")
        count = prod(shape)
        last = offset + sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))
        if count and (last >= storage.count or count > storage.count):
            raise Malformed(
                f"a tensor of shape {shape}, offset {offset}, strides {strides} in a storage of {storage.count} values"
            )
        self._in_tensors += count * storage.type.item_size
        if self._in_tensors > self._file_size:
            raise Malformed(f"its tensors declare more than the file's {self._file_size} bytes")
        return Tensor(storage, offset, shape, strides)


class _NotCalled:
    """A storage type, which a pickle names but does not call."""

    def __init__(self, kind: StorageType) -> None:
        self.kind = kind

    def __call__(self, *_: object) -> object:
        raise Malformed("a storage outside the file's table")


def _not_called(kind: StorageType) -> _NotCalled:
    return _NotCalled(kind)


def _sizes(values: object) -> tuple[int, ...]:
    if not isinstance(values, (tuple, list)) or len(values) > _MAX_DIMENSIONS:
        raise Malformed("a tensor's shape or strides that are no short list")
    if not all(type(value) is int and 0 <= value < 1 << 48 for value in values):
        raise Malformed(f"a tensor's offset, shape or strides of {values}")
    return tuple(values)


def _storage_id(key: object, length: int) -> tuple[StorageType, str, int]:
    """Type, key and number of values out of a persistent id: ("storage", type, key, device, count[, view])."""
    if not isinstance(key, tuple) or len(key) != length or key[0] != "storage":
        raise Malformed("a reference that is not one to a storage")
    kind, name, count = key[1], key[2], key[4]
    if not isinstance(kind, _NotCalled) or not isinstance(name, str) or type(count) is not int or count < 0:
        raise Malformed("a storage without type, key or size")
    return kind.kind, name, count


def _read_zip(archive: zipfile.ZipFile, file_size: int) -> object:
    names = [name for name in archive.namelist() if name.endswith("/data.pkl")]
    if len(names) != 1:
        raise Malformed(f"{len(names)} files named data.pkl in the archive, expected one")
    folder = names[0].removesuffix("data.pkl")
    _check_byte_order(archive, f"{folder}byteorder")
    tensors, storages = _Tensors(file_size), {}  # type: ignore[var-annotated]

    def persistent(key: object) -> Storage:
        kind, name, count = _storage_id(key, 5)
        if name not in storages:
            storages[name] = tensors.declare(_storage_in_zip(archive, f"{folder}data/{name}", kind, count))
        return _same(storages[name], kind, count)

    _check_member(archive, names[0], file_size)
    with archive.open(names[0]) as file:
        return load_pickle(file, globals_by_name=tensors.globals_by_name, persistent=persistent)  # type: ignore[arg-type]


def _same(storage: Storage, kind: StorageType, count: int) -> Storage:
    if (storage.type, storage.count) != (kind, count):
        raise Malformed("one storage declared with two types or sizes")
    return storage


def _storage_in_zip(archive: zipfile.ZipFile, name: str, kind: StorageType, count: int) -> Storage:
    wanted = count * kind.item_size
    if archive.getinfo(name).file_size != wanted:
        raise Malformed(f"{name} declares {wanted} bytes and holds {archive.getinfo(name).file_size}")
    _check_member(archive, name, wanted)
    return Storage(kind, count, lambda: archive.read(name))


def _check_member(archive: zipfile.ZipFile, name: str, most: int) -> None:
    """torch.save never compresses, so a member is no larger unpacked than packed."""
    info = archive.getinfo(name)
    if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size or info.file_size > most:
        raise Malformed(f"{name} is compressed, or larger than it should be")


def _check_byte_order(archive: zipfile.ZipFile, name: str) -> None:
    """Files of before PyTorch 2.1 do not say it and are little-endian."""
    if name in archive.namelist():
        _check_member(archive, name, len("little"))
        if archive.read(name) != b"little":
            raise Malformed("written on a big-endian machine")


def _read_legacy(content: mmap.mmap) -> object:
    """Magic number, protocol, facts about the machine, the object, the storages' keys; then each count and its values."""
    tensors, waiting = _Tensors(len(content)), {}  # type: ignore[var-annotated]
    places: dict[str, int] = {}

    def plain() -> Any:
        return load_pickle(content, globals_by_name={}, persistent=_storage_in_header)  # type: ignore[arg-type]

    def persistent(key: object) -> Storage:
        kind, name, count = _storage_id(key, 6)
        if key[5] is not None:  # type: ignore[index]
            raise Malformed("a storage that is a view of another")
        if name not in waiting:
            size = count * kind.item_size
            waiting[name] = tensors.declare(Storage(kind, count, lambda: content[places[name] : places[name] + size]))
        return _same(waiting[name], kind, count)

    if plain() != LEGACY_MAGIC or plain() != LEGACY_PROTOCOL:
        raise Malformed("it does not begin as PyTorch's files do")
    machine = plain()
    if not isinstance(machine, dict) or machine.get("little_endian") is not True:
        raise Malformed("written on a big-endian machine, or without saying on which")
    saved = load_pickle(content, globals_by_name=tensors.globals_by_name, persistent=persistent)  # type: ignore[arg-type]
    keys = plain()
    if not isinstance(keys, list) or len(keys) != len(waiting) or set(keys) != waiting.keys():
        raise Malformed("the table of its storages is not the one that its tensors use")
    places.update(_places(content, {key: waiting[key] for key in keys}))
    return saved


def _storage_in_header(_: object) -> object:
    raise Malformed("a storage where none belongs")


def _places(content: mmap.mmap, storages: dict[str, Storage]) -> Iterator[tuple[str, int]]:
    """Where the values of each storage begin, in the order of the file."""
    for key, storage in storages.items():
        found = content.read(8)
        if len(found) < 8 or int.from_bytes(found, "little") != storage.count:
            raise Malformed("a storage that ends early, or has another size than was declared")
        start = content.tell()
        if start + storage.byte_count > len(content):
            raise Malformed(f"a storage ends {start + storage.byte_count - len(content)} bytes behind the file")
        yield key, start
        content.seek(start + storage.byte_count)
