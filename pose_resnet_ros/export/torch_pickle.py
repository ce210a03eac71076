# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The pickle inside a PyTorch checkpoint, read without running anything.

A pickle is a program for a stack machine, and Python's own reader lets it call any function. The machine here knows the opcodes
that checkpoints use, calls nothing, and builds only tuples, lists, dictionaries, tensors and, for NumPy's arrays and scalars,
a placeholder. ``pickletools`` splits the program into opcodes.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from typing import Any, BinaryIO


class Malformed(ValueError):  # noqa: N818 - callers turn both into a ModelError that names the file
    """What is wrong with the file, without its name."""


class Refused(ValueError):  # noqa: N818
    """The pickle names something that a checkpoint does not need; ``args[0]`` is the name."""


class Placeholder:
    """A value that is read over: a NumPy array, scalar or dtype."""


Rebuild = Callable[..., object]
_KEY_TYPES = (str, int, float, bool, type(None))
_NUMPY = ("numpy", "numpy.core.multiarray", "numpy._core.multiarray", "numpy.dtypes")
_NUMPY_NAMES = ("ndarray", "dtype", "scalar", "_reconstruct")


def load_pickle(file: BinaryIO, *, globals_by_name: dict[str, Rebuild], persistent: Callable[[object], object]) -> object:
    """The value of the pickle that begins where ``file`` stands; afterwards the file stands behind it.

    globals_by_name: what may be named, as "module.name", and the function that its arguments go through; persistent: from a
    persistent id to its value. Raises Refused for any other name, Malformed for a program that does not make sense, and
    whatever ``pickletools`` raises for one that ends early.
    """
    machine = _Machine(globals_by_name, persistent)
    for opcode, argument, _ in pickletools.genops(file):
        if opcode.name == "STOP":
            return machine.pop()
        step = _STEPS.get(opcode.name)
        if step is None:
            raise Malformed(f"the pickle uses {opcode.name}, which a checkpoint does not need")
        step(machine, argument)
    raise Malformed("the pickle has no end")


def _ordered_dict(pairs: object = ()) -> dict[Any, Any]:
    """Python 2 wrote the pairs as an argument, Python 3 adds them afterwards."""
    found: dict[Any, Any] = {}
    if not isinstance(pairs, (list, tuple)):
        raise Malformed("an OrderedDict of something else than pairs")
    for pair in pairs:
        _set(found, *pair)
    return found


def _set(target: object, key: object, value: object) -> None:
    if not isinstance(target, dict) or not isinstance(key, _KEY_TYPES):
        raise Malformed(f"a {type(key).__name__} as a key in a {type(target).__name__}")
    target[key] = value


def _placeholder(*_: object) -> Placeholder:
    return Placeholder()


_PLAIN: dict[str, Rebuild] = {
    "collections.OrderedDict": _ordered_dict,
    "torch.Size": lambda sizes=(): tuple(sizes),
    "_codecs.encode": _placeholder,  # how protocol 2 writes the bytes of NumPy's values
}


class _Machine:
    def __init__(self, globals_by_name: dict[str, Rebuild], persistent: Callable[[object], object]) -> None:
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, object] = {}
        self._globals = _PLAIN | globals_by_name
        self._persistent = persistent

    def push(self, value: object) -> None:
        self.stack.append(value)

    def pop(self) -> Any:
        if len(self.stack) <= (self.marks[-1] if self.marks else 0):
            raise Malformed("the pickle takes a value that is not there")
        return self.stack.pop()

    def pop_to_mark(self) -> list[Any]:
        if not self.marks:
            raise Malformed("the pickle lacks a mark")
        start = self.marks.pop()
        values = self.stack[start:]
        del self.stack[start:]
        return values

    def top(self, kind: type) -> Any:
        if not self.stack or not isinstance(self.stack[-1], kind):
            raise Malformed(f"the pickle lacks the {kind.__name__} that it adds to")
        return self.stack[-1]

    def remember(self, index: int | None) -> None:
        if not self.stack:
            raise Malformed("the pickle remembers a value that is not there")
        self.memo[len(self.memo) if index is None else index] = self.stack[-1]

    def recall(self, index: int) -> None:
        if index not in self.memo:
            raise Malformed("the pickle recalls a value that it never made")
        self.push(self.memo[index])

    def find(self, name: str) -> None:
        module, _, last = name.rpartition(".")
        if module in _NUMPY and (last in _NUMPY_NAMES or module == "numpy.dtypes"):
            self.push(_placeholder)
        elif name in self._globals:
            self.push(self._globals[name])
        else:
            raise Refused(name)

    def call(self) -> None:
        arguments, function = self.pop(), self.pop()
        if not isinstance(arguments, tuple) or not callable(function):
            raise Malformed("the pickle calls what is not a function")
        try:
            self.push(function(*arguments))
        except TypeError as error:
            raise Malformed(f"arguments that do not fit ({error})") from error

    def extend_list(self, values: list[Any]) -> None:
        self.top(list).extend(values)

    def update_dict(self, values: list[Any]) -> None:
        if len(values) % 2:
            raise Malformed("a dictionary's key without a value")
        for key, value in zip(values[::2], values[1::2], strict=True):
            _set(self.top(dict), key, value)

    def build(self) -> None:
        """State of an OrderedDict (its versions) or of a placeholder: not needed."""
        self.pop()
        self.top((dict, Placeholder))  # type: ignore[arg-type]

    def persistent(self, key: object) -> None:
        self.push(self._persistent(key))


def _push_argument(machine: _Machine, argument: object) -> None:
    machine.push(argument)


def _pushes(make: Callable[[], object]) -> Callable[[_Machine, Any], None]:
    return lambda machine, _: machine.push(make())


def _tuple_of(count: int) -> Callable[[_Machine, Any], None]:
    return lambda machine, _: machine.push(tuple(machine.pop() for _ in range(count))[::-1])


def _append(machine: _Machine, _: object) -> None:
    value = machine.pop()
    machine.extend_list([value])


def _set_item(machine: _Machine, _: object) -> None:
    value, key = machine.pop(), machine.pop()
    machine.update_dict([key, value])


def _dict_from_mark(machine: _Machine, _: object) -> None:
    values = machine.pop_to_mark()
    machine.push({})
    machine.update_dict(values)


def _stack_global(machine: _Machine, _: object) -> None:
    name, module = machine.pop(), machine.pop()
    machine.find(f"{module}.{name}")


_LITERALS = (
    *("BININT", "BININT1", "BININT2", "INT", "LONG", "LONG1", "LONG4", "BINFLOAT", "FLOAT"),
    *("BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "UNICODE"),
    *("STRING", "BINSTRING", "SHORT_BINSTRING"),  # Python 2
    *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8"),
)
_STEPS: dict[str, Callable[[_Machine, Any], None]] = {
    **dict.fromkeys(_LITERALS, _push_argument),
    **dict.fromkeys(("PROTO", "FRAME"), lambda machine, argument: None),
    "NONE": _pushes(lambda: None),
    "NEWTRUE": _pushes(lambda: True),
    "NEWFALSE": _pushes(lambda: False),
    "EMPTY_TUPLE": _pushes(tuple),
    "EMPTY_LIST": _pushes(list),
    "EMPTY_DICT": _pushes(dict),
    "MARK": lambda machine, _: machine.marks.append(len(machine.stack)),
    "TUPLE": lambda machine, _: machine.push(tuple(machine.pop_to_mark())),
    "TUPLE1": _tuple_of(1),
    "TUPLE2": _tuple_of(2),
    "TUPLE3": _tuple_of(3),
    "LIST": lambda machine, _: machine.push(machine.pop_to_mark()),
    "DICT": _dict_from_mark,
    "APPEND": _append,
    "APPENDS": lambda machine, _: machine.extend_list(machine.pop_to_mark()),
    "SETITEM": _set_item,
    "SETITEMS": lambda machine, _: machine.update_dict(machine.pop_to_mark()),
    "PUT": lambda machine, index: machine.remember(index),
    "BINPUT": lambda machine, index: machine.remember(index),
    "LONG_BINPUT": lambda machine, index: machine.remember(index),
    "MEMOIZE": lambda machine, _: machine.remember(None),
    "GET": lambda machine, index: machine.recall(index),
    "BINGET": lambda machine, index: machine.recall(index),
    "LONG_BINGET": lambda machine, index: machine.recall(index),
    "GLOBAL": lambda machine, name: machine.find(name.replace(" ", ".")),
    "STACK_GLOBAL": _stack_global,
    "REDUCE": lambda machine, _: machine.call(),
    "NEWOBJ": lambda machine, _: machine.call(),
    "BUILD": lambda machine, _: machine.build(),
    "BINPERSID": lambda machine, _: machine.persistent(machine.pop()),
}
