# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Reading PyTorch checkpoints of PoseResNet: Microsoft's, mmpose's (1.x and 0.x) and our own. PyTorch is not needed.

Two formats: a zip archive (PyTorch 1.6 and later) and, before that, a row of pickles with the storages' bytes behind them.
Layout as in ``torch/serialization.py`` of pytorch/pytorch. Storages lie inside the file, and are read when a tensor's values are
asked for. No pickle is run (``torch_pickle``).
"""

from __future__ import annotations

import mmap
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from pose_resnet_ros.core.errors import ModelError
from pose_resnet_ros.export.pose_resnet import REQUIRED, NotAPoseResNet, architecture_of, is_counter
from pose_resnet_ros.export.torch_pickle import Malformed, Refused, Storage, StorageType, Tensor, TorchUnpickler

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
LEGACY_PROTOCOL = 1001
PREFIXES = ("module.", "backbone.", "keypoint_head.", "head.")


def import_torch() -> Any:
    """torch, or a ModelError that says how to install it."""
    try:
        import torch
    except ImportError as error:
        raise ModelError(
            "running the source network (--check) needs torch, which is not installed; pip install torch (the CPU build will do)"
        ) from error
    return torch


def load_state(path: Path) -> dict[str, np.ndarray]:
    """The network's tensors as float32 arrays under the names of Microsoft's files, prefixes and counters removed.

    Raises ModelError when the file is no checkpoint, wants to run code, lies about its sizes, or holds another network.
    """
    if not path.is_file():
        raise ModelError(f"{path}: no such file")
    try:
        with open_torch_file(path) as content:
            return _arrays(path, _weights(path, content))
    except ModelError:
        raise
    except Refused as error:
        raise ModelError(_refusal(path, str(error))) from error
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise ModelError(f"{path}: damaged or not a PyTorch checkpoint ({reason}); fetch it again") from error


def _weights(path: Path, content: object) -> dict[str, Tensor]:
    """The tensors under their plain names; their values are not read yet."""
    if isinstance(content, dict) and isinstance(content.get("state_dict"), dict):
        content = content["state_dict"]
    if not isinstance(content, dict):
        raise ModelError(f"{path}: expected a dictionary of tensors, got {type(content).__name__}; is this a checkpoint?")
    named = [(plain_name(str(key)), value) for key, value in content.items() if _is_weight(str(key), value)]
    state = dict(named)
    missing = [key for key in REQUIRED if key not in state]
    if missing:
        raise ModelError(
            f"{path}: not a PoseResNet checkpoint, {', '.join(missing)} missing; it starts with {', '.join(list(state)[:4])}"
        )
    if len(state) < len(named):
        raise ModelError(f"{path}: its tensors do not make a PoseResNet: {_first_double(named)} occurs twice")
    return state


def _first_double(named: list[tuple[str, Tensor]]) -> str:
    seen: set[str] = set()
    return next(name for name, _ in named if name in seen or seen.add(name))  # type: ignore[func-returns-value]


def _arrays(path: Path, state: dict[str, Tensor]) -> dict[str, np.ndarray]:
    try:
        architecture_of(state)
        return {name: _values(name, tensor) for name, tensor in state.items()}
    except NotAPoseResNet as error:
        raise ModelError(f"{path}: its tensors do not make a PoseResNet: {error}") from error


def _values(name: str, tensor: Tensor) -> np.ndarray:
    if not tensor.is_floating:
        raise NotAPoseResNet(f"{name} holds integers, expected floating-point numbers")
    values = tensor.numpy()
    if not np.isfinite(values).all():
        raise NotAPoseResNet(f"{name} holds values that are not finite")
    if name.endswith("running_var") and values.min() < 0:
        raise NotAPoseResNet(f"{name} holds a negative variance")
    return values


def plain_name(key: str) -> str:
    """The tensor's name without the prefixes that DataParallel and mmpose put before it."""
    for prefix in PREFIXES:
        key = key.removeprefix(prefix)
    return key


def _is_weight(key: str, value: object) -> bool:
    ignored = is_counter(key) or key.startswith("data_preprocessor.")
    return isinstance(value, Tensor) and not ignored


def _refusal(path: Path, name: str) -> str:
    return (
        f"{path}: refused, because opening it would use {name}, and a checkpoint needs only tensors and NumPy arrays. "
        "A pickle can run any program: load such a file yourself only if you trust who made it, save its state_dict alone "
        "with torch.save, and export that"
    )


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


def _storage_id(key: object, length: int) -> tuple[StorageType, str, int]:
    """Type, key and number of values out of a persistent id: ("storage", type, key, device, count[, view])."""
    if not isinstance(key, tuple) or len(key) != length or key[0] != "storage":
        raise Malformed("a reference that is not one to a storage")
    kind, name, count = key[1], key[2], key[4]
    if not isinstance(kind, StorageType) or not isinstance(name, str) or type(count) is not int or count < 0:
        raise Malformed("a storage without type, key or size")
    return kind, name, count


def _read_zip(archive: zipfile.ZipFile, file_size: int) -> object:
    names = [name for name in archive.namelist() if name.endswith("/data.pkl")]
    if len(names) != 1:
        raise Malformed(f"{len(names)} files named data.pkl in the archive, expected one")
    folder = names[0].removesuffix("data.pkl")
    _check_byte_order(archive, f"{folder}byteorder")
    storages: dict[str, Storage] = {}

    def storage(key: object) -> Storage:
        kind, name, count = _storage_id(key, 5)
        if name not in storages:
            storages[name] = reader.declare(_storage_in_zip(archive, f"{folder}data/{name}", kind, count))
        return _same(storages[name], kind, count)

    _check_member(archive, names[0], file_size)
    with archive.open(names[0]) as file:
        reader = TorchUnpickler(file, file_size=file_size, storage=storage)  # type: ignore[arg-type]
        return reader.load()


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
    storages: dict[str, Storage] = {}
    places: dict[str, int] = {}

    def plain() -> Any:
        return TorchUnpickler(content).load()  # type: ignore[arg-type]

    def storage(key: object) -> Storage:
        kind, name, count = _storage_id(key, 6)
        if key[5] is not None:  # type: ignore[index]
            raise Malformed("a storage that is a view of another")
        if name not in storages:
            size = count * kind.item_size
            storages[name] = reader.declare(Storage(kind, count, lambda: content[places[name] : places[name] + size]))
        return _same(storages[name], kind, count)

    if plain() != LEGACY_MAGIC or plain() != LEGACY_PROTOCOL:
        raise Malformed("it does not begin as PyTorch's files do")
    machine = plain()
    if not isinstance(machine, dict) or machine.get("little_endian") is not True:
        raise Malformed("written on a big-endian machine, or without saying on which")
    reader = TorchUnpickler(content, file_size=len(content), storage=storage)  # type: ignore[arg-type]
    saved = reader.load()
    keys = plain()
    if not isinstance(keys, list) or len(keys) != len(storages) or set(keys) != storages.keys():
        raise Malformed("the table of its storages is not the one that its tensors use")
    places.update(_places(content, {key: storages[key] for key in keys}))
    return saved


def _places(content: mmap.mmap, storages: dict[str, Storage]) -> Iterator[tuple[str, int]]:
    """Where the values of each storage begin, in the order of the file."""
    for key, storage in storages.items():
        found = content.read(8)
        if len(found) < 8 or int.from_bytes(found, "little") != storage.count:
            raise Malformed("a storage that ends early, or has another size than was declared")
        start = content.tell()
        if start + storage.byte_count > len(content):
            raise Malformed(f"a storage ends {start + storage.byte_count - len(content)} bytes past the end of the file")
        yield key, start
        content.seek(start + storage.byte_count)
