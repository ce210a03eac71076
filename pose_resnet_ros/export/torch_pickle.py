# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The pickle inside a PyTorch checkpoint, read without running anything of it.

A pickle is a program, and Python's own reader lets it call any function. This reader knows the opcodes that checkpoints use, and
of functions only its own: it builds tuples, lists, dictionaries, tensors and, for NumPy's arrays and scalars, a placeholder.
Names as in ``torch/_utils.py`` of pytorch/pytorch. Tensors lie inside their storage, and neither they nor their storages are
together larger than the file, which is known before memory is taken.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import prod
from typing import Any, BinaryIO

import numpy as np


class Malformed(ValueError):  # noqa: N818 - callers turn both into a ModelError that names the file
    """What is wrong with the file, without its name."""


class Refused(ValueError):  # noqa: N818
    """The pickle names something that a checkpoint does not need; ``args[0]`` is the name."""


# bfloat16 is the upper half of a float32, and NumPy does not know it: read as integers and shifted.
_BFLOAT16 = "bfloat16"
_TYPES = {
    "Double": "f8", "Float": "f4", "Half": "f2", "BFloat16": _BFLOAT16,
    "Long": "i8", "Int": "i4", "Short": "i2", "Char": "i1", "Byte": "u1", "Bool": "?",
}  # fmt: skip
_MAX_DIMENSIONS = 8
_KEY_TYPES = (str, int, float, bool, type(None))  # a nested tuple would be hashed by C code without end
_NUMPY = ("numpy", "numpy.core.multiarray", "numpy._core.multiarray", "numpy.dtypes")
_NUMPY_NAMES = ("ndarray", "dtype", "scalar", "_reconstruct")
_OPCODES = (
    "PROTO", "FRAME", "STOP", "MARK", "NONE", "NEWTRUE", "NEWFALSE", "BININT", "BININT1", "BININT2", "INT", "LONG", "LONG1",
    "LONG4", "BINFLOAT", "FLOAT", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "UNICODE", "STRING", "BINSTRING",
    "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3",
    "EMPTY_LIST", "LIST", "APPEND", "APPENDS", "EMPTY_DICT", "DICT", "SETITEM", "SETITEMS", "PUT", "BINPUT", "LONG_BINPUT",
    "MEMOIZE", "GET", "BINGET", "LONG_BINGET", "GLOBAL", "STACK_GLOBAL", "REDUCE", "NEWOBJ", "BUILD", "BINPERSID",
)  # fmt: skip


@dataclass(frozen=True)
class StorageType:
    """``torch.FloatStorage`` and its like, by what their values are; a pickle names it and does not call it."""

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
        is_bfloat16 = self.storage.type.code == _BFLOAT16
        code = "<u2" if is_bfloat16 else f"<{self.storage.type.code}"
        values = np.frombuffer(self.storage.read(), code, count=self.storage.count)[self.offset :]
        steps = tuple(stride * values.itemsize for stride in self.strides)
        view = np.lib.stride_tricks.as_strided(values, self.shape, steps, writeable=False)
        return (view.astype(np.uint32) << 16).view(np.float32) if is_bfloat16 else view.astype(np.float32, order="C")


class TorchUnpickler(pickle._Unpickler):
    """Reads one pickle from a file; afterwards the file stands behind it.

    ``load`` raises Refused for a name that no checkpoint needs, Malformed for a program that makes no sense, and whatever the
    standard library raises for one that ends early. The standard library's reader in C would not let opcodes be chosen.
    """

    stack: list[Any]
    append: Callable[[object], None]
    pop_mark: Callable[[], list[Any]]

    def __init__(self, file: BinaryIO, *, file_size: int = 0, storage: Callable[[object], Storage] | None = None) -> None:
        """file_size: what all storages and all tensors may declare in bytes; storage: from a reference to what it means."""
        super().__init__(file, encoding="latin1")
        self._left = {"storages": file_size, "tensors": file_size}
        self._storage = storage
        self._known: dict[str, Any] = {
            "collections.OrderedDict": _ordered_dict,
            "torch.Size": lambda sizes=(): _sizes(sizes),
            "_codecs.encode": _placeholder,  # how protocol 2 writes the bytes of NumPy's values
        }
        if storage is not None:
            self._known |= {f"torch.{kind}Storage": StorageType(code) for kind, code in _TYPES.items()}
            self._known |= dict.fromkeys(("torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2"), self._rebuild)
            self._known["torch._utils._rebuild_parameter"] = lambda tensor, *_: tensor

    def declare(self, storage: Storage) -> Storage:
        """Count a storage that is met for the first time."""
        self._take("storages", storage.byte_count)
        return storage

    def find_class(self, module: str, name: str) -> Any:
        if module in _NUMPY and (name in _NUMPY_NAMES or module == "numpy.dtypes"):
            return _placeholder
        if (full := f"{module}.{name}") not in self._known:
            raise Refused(full)
        return self._known[full]

    def persistent_load(self, pid: object) -> Storage:
        if self._storage is None:
            raise Malformed("a storage where none belongs")
        return self._storage(pid)

    def _rebuild(self, storage: Any, offset: Any, shape: Any, strides: Any, *_: object) -> Tensor:
        if not isinstance(storage, Storage):
            raise Malformed("a tensor without a storage")
        shape, strides, (offset,) = _sizes(shape), _sizes(strides), _sizes((offset,))
        if len(shape) != len(strides):
            raise Malformed(f"a tensor of shape {shape} with strides {strides}")
        count = prod(shape)
        last = offset + sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))
        if count and (last >= storage.count or count > storage.count):
            where = f"shape {shape}, offset {offset}, strides {strides}"
            raise Malformed(f"a tensor of {where} in a storage of {storage.count} values")
        self._take("tensors", count * storage.type.item_size)
        return Tensor(storage, offset, shape, strides)

    def _take(self, what: str, byte_count: int) -> None:
        self._left[what] -= byte_count
        if self._left[what] < 0:
            raise Malformed(f"its {what} declare more bytes than the file has")

    def _update(self, items: Iterable[tuple[object, object]]) -> None:
        target = self.stack[-1]
        for key, value in items:
            if not isinstance(target, dict) or not isinstance(key, _KEY_TYPES):
                raise Malformed(f"a {type(key).__name__} as a key in a {type(target).__name__}")
            target[key] = value

    def _set_item(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self._update([(key, value)])

    def _set_items(self) -> None:
        items = self.pop_mark()
        self._update(zip(items[::2], items[1::2], strict=True))

    def _dict(self) -> None:
        items = self.pop_mark()
        self.append({})
        self._update(zip(items[::2], items[1::2], strict=True))

    def _build(self) -> None:
        """State of an OrderedDict (its versions) or of a placeholder: not needed."""
        self.stack.pop()
        if not isinstance(self.stack[-1], (dict, Placeholder)):
            raise Malformed("the pickle sets items of something that is no dictionary")


class _Steps(dict[int, Callable[..., None]]):
    def __missing__(self, opcode: int) -> Callable[..., None]:
        raise Malformed(f"the pickle uses opcode {opcode:#x}, which a checkpoint does not need")


_OWN_STEPS = {
    "SETITEM": TorchUnpickler._set_item,
    "SETITEMS": TorchUnpickler._set_items,
    "DICT": TorchUnpickler._dict,
    "BUILD": TorchUnpickler._build,
    "NEWOBJ": pickle._Unpickler.dispatch[pickle.REDUCE[0]],  # else an object would be made without asking its class
}
_NAME_OF = {getattr(pickle, name)[0]: name for name in _OPCODES}
TorchUnpickler.dispatch = _Steps(
    {code: _OWN_STEPS.get(name, pickle._Unpickler.dispatch[code]) for code, name in _NAME_OF.items()}  # type: ignore[misc]
)


class Placeholder:
    """A value that is read over: a NumPy array, scalar or dtype."""


def _placeholder(*_: object) -> Placeholder:
    return Placeholder()


def _ordered_dict(pairs: Any = ()) -> dict[Any, Any]:
    """Python 2 wrote the pairs as an argument, Python 3 adds them afterwards."""
    if not isinstance(pairs, (list, tuple)) or not all(isinstance(key, _KEY_TYPES) for key, _ in pairs):
        raise Malformed("an OrderedDict of something other than pairs")
    return dict(pairs)


def _sizes(values: object) -> tuple[int, ...]:
    if not isinstance(values, (tuple, list)) or len(values) > _MAX_DIMENSIONS:
        raise Malformed("a tensor's shape or strides that are no short list")
    if not all(type(value) is int and 0 <= value < 1 << 48 for value in values):
        raise Malformed(f"a tensor's offset, shape or strides of {values}")
    return tuple(values)
