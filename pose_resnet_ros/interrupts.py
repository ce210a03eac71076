# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Signals that ask a program to end: SIGINT (Ctrl-C), SIGTERM (a supervisor), SIGHUP (the terminal was closed).

While a program is importing, KeyboardInterrupt in the middle of a module would print a traceback, or look like a broken
installation: there, Ctrl-C ends the process at once. Later, all three signals raise KeyboardInterrupt.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_OTHERS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
_terminals: set[int] = set()  # stdout and stderr, if they are terminals; asked before they close


class Interrupted(KeyboardInterrupt):
    """SIGTERM or SIGHUP. number: the signal's."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def exit_code(error: KeyboardInterrupt) -> int:
    """As a shell reports a signal: 130 for Ctrl-C, 143 for SIGTERM, 129 for SIGHUP."""
    return 128 + (error.number if isinstance(error, Interrupted) else signal.SIGINT)


def end_at_once() -> None:
    """From now on, Ctrl-C ends the process silently; for the first line of a program."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # otherwise somebody else has set it
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def raise_again() -> None:
    """Undo ``end_at_once`` once everything is imported; SIGTERM and SIGHUP now raise Interrupted, unless ignored (nohup)."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    _terminals.update(descriptor for descriptor in (1, 2) if os.isatty(descriptor))
    for number in _OTHERS:
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _raise)


def _raise(number: int, frame: FrameType | None) -> None:
    if number != signal.SIGTERM:
        for descriptor in _terminals:  # it was closed: writing to it would fail
            os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
    raise Interrupted(number)


@contextmanager
def held(*, forget: bool = False) -> Iterator[None]:
    """Signals that arrive in the block are raised at its end, or dropped with ``forget``.

    Only the main thread receives signals; in others this does nothing.
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
