# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Signals that ask a program to end: Ctrl-C (SIGINT), SIGTERM of a supervisor, SIGHUP of a terminal that was closed.

While a program is still importing, Python would raise KeyboardInterrupt in the middle of a module, which ends in a traceback, or
which that module takes for a broken installation. Later all three end it alike.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_OTHERS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
_terminals: set[int] = set()  # stdout and stderr, where they are one: a closed one no longer tells


class Interrupted(KeyboardInterrupt):
    """SIGTERM or SIGHUP, in the way of Ctrl-C. number: of the signal."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def exit_code(error: KeyboardInterrupt) -> int:
    """As a shell reports a signal: 130 for Ctrl-C, 143 for SIGTERM, 129 for SIGHUP."""
    return 128 + (error.number if isinstance(error, Interrupted) else signal.SIGINT)


def end_at_once() -> None:
    """From here, Ctrl-C ends the process silently, as a shell expects; for the first line of a program."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else somebody has decided otherwise
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def raise_again() -> None:
    """Undo ``end_at_once``: everything is imported, and the program cleans up after KeyboardInterrupt, as which SIGTERM and
    SIGHUP come too, unless they are ignored (nohup).
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    _terminals.update(descriptor for descriptor in (1, 2) if os.isatty(descriptor))
    for number in _OTHERS:
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _raise)


def _raise(number: int, frame: FrameType | None) -> None:
    if number != signal.SIGTERM:
        for descriptor in _terminals:  # it was closed: what is written to it fails from now on
            os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
    raise Interrupted(number)


@contextmanager
def held(*, forget: bool = False) -> Iterator[None]:
    """A block that is not interrupted: signals to end wait until it is done, or are forgotten.

    Only the main thread sees signals; in others nothing has to be held.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    waiting: list[int] = []
    numbers = [n for n in (signal.SIGINT, *_OTHERS) if callable(signal.getsignal(n))]
    before = {n: signal.signal(n, lambda number, _: waiting.append(number)) for n in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if waiting and not forget:
        signal.raise_signal(waiting[0])
