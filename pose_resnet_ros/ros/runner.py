# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""A node as a process: from the command line to an exit code."""

from __future__ import annotations

import os
import signal
import socket
import sys
import textwrap
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Protocol

import rclpy
import rclpy.logging
from rclpy.executors import SingleThreadedExecutor
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.signals import SignalHandlerOptions
from rclpy.task import Future
from rclpy.utilities import remove_ros_args

from pose_resnet_ros.core.errors import PoseError
from pose_resnet_ros.ros.ros_log import init_rclpy
from pose_resnet_ros.settings import Setting

SUCCESS, FAILURE, WRONG_USAGE = 0, 1, 2
_BAD_ROS_ARGUMENTS: tuple[type[Exception], ...] = (
    rclpy_implementation.RCLInvalidROSArgsError,
    rclpy_implementation.UnknownROSArgsError,
)


class RunnableNode(Protocol):
    """An rclpy node that ``run_node`` can run; finished: completed with the exit code when the node has nothing left to do."""

    finished: Future

    def start(self) -> None:
        """Begin to work. Raises PoseError if it cannot."""

    def close(self) -> None:
        """Stop working and destroy the node; quick, from any state."""


def run_node(name: str, make_node: Callable[[], Any], args: Sequence[str] | None = None, *, rows: Sequence[Setting] = ()) -> int:
    """Run a node until it is finished; the exit code. SIGINT, SIGTERM and SIGHUP end the process, once the node is closed.

    name: for messages before there is a node; make_node: gives an rclpy node that is a RunnableNode; args:
    the command line, sys.argv's if None; rows: the parameters, for --help.
    A PoseError at start is one sentence on the log and exit code 1.
    """
    words = sys.argv[1:] if args is None else list(args)
    for word in words:
        if (shown := word.encode("utf-8", "backslashreplace").decode("utf-8")) != word:
            print(f"{name}: ROS 2 takes UTF-8 only, got '{shown}'; rename the file", file=sys.stderr)
            return WRONG_USAGE
    try:
        if unknown := remove_ros_args(["", *words])[1:]:
            return _show_usage(name, unknown, rows)
    except _BAD_ROS_ARGUMENTS as error:
        print(f"{name}: {error}", file=sys.stderr)
        return WRONG_USAGE
    # A signal ends the spin first, and nothing else. rclpy's handler would shut the context down under whatever is running, and
    # Python's KeyboardInterrupt can be raised at any line, also during the clean-up. So neither sees signals.
    signals = _StopSignals()
    exit_code = _run(name, make_node, words, signals)
    if signals.has_come:
        _end_process(exit_code)
    return exit_code


def _run(name: str, make_node: Callable[[], Any], words: Sequence[str], signals: _StopSignals) -> int:
    init_rclpy(name, words, signal_handler_options=SignalHandlerOptions.NO)
    node: Any = None
    try:
        node = make_node()
        signals.call(lambda: node.finished.set_result(SUCCESS))
        node.start()
        rclpy.spin_until_future_complete(node, node.finished, SingleThreadedExecutor())
        return int(node.finished.result())
    except PoseError as error:
        if node is not None and node.finished.done():  # stopped while it was starting
            return int(node.finished.result())
        rclpy.logging.get_logger(name).fatal(str(error))
        return FAILURE
    finally:
        if node is not None:
            node.close()
        rclpy.try_shutdown()
        signals.ignore()


def _end_process(exit_code: int) -> None:
    """End without Python's own clean-up: its 0.2 s of computing time take seconds where the processor is busy, and `ros2 launch`
    kills what has not ended 5 s after Ctrl-C.
    """
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # closed, or there is none
            stream.flush()
    os._exit(exit_code)


class _StopSignals:
    """From now on a signal to stop only leaves a byte in a socket, also while the interpreter waits in C code.

    has_come: whether there was one.
    """

    _NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def __init__(self) -> None:
        self.has_come = False
        self._receiver, self._sender = socket.socketpair()
        self._sender.setblocking(False)  # the signal module demands it
        signal.set_wakeup_fd(self._sender.fileno(), warn_on_full_buffer=False)
        for number in self._NUMBERS:
            if signal.getsignal(number) is not signal.SIG_IGN or number != signal.SIGHUP:  # nohup
                signal.signal(number, lambda *_: None)

    def call(self, act: Callable[[], None]) -> None:
        """Call this on a thread of its own at the first signal, or at once if there was one."""

        def wait() -> None:
            self._receiver.recv(1)
            self.has_come = True
            act()

        threading.Thread(target=wait, name="stop_signals", daemon=True).start()

    def ignore(self) -> None:
        """Ignore further signals: on the way out they must not change the exit code."""
        for number in self._NUMBERS:
            signal.signal(number, signal.SIG_IGN)
        signal.set_wakeup_fd(-1)


def _show_usage(name: str, words: Sequence[str], rows: Sequence[Setting]) -> int:
    """For --help, and for words that a node does not take."""
    is_wanted = words[0] in ("-h", "--help")
    stream = sys.stdout if is_wanted else sys.stderr
    if not is_wanted:
        print(f"{name}: unknown argument '{words[0]}'; parameters are set as follows", file=stream)
    print(f"usage: {name} --ros-args [-p PARAMETER:=VALUE]... [-r TOPIC:=OTHER_TOPIC]...\n", file=stream)
    for row in rows:
        print(f"  {row.name} (default: {row.text(row.default) or 'empty'})", file=stream)
        print(textwrap.indent(textwrap.fill(f"{row.description} Allowed: {row.allowed}.", 100), " " * 6), file=stream)
    return SUCCESS if is_wanted else WRONG_USAGE
