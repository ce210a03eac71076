# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import fcntl
import os
import pty
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from pose_resnet_ros import interrupts

ROOT = Path(__file__).resolve().parents[1]
STOP = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number, _ in STOP}
    for number in before:
        signal.signal(number, signal.SIG_DFL)
    interrupts.raise_again()
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(("number", "code"), STOP)
def test_all_of_them_come_as_ctrl_c_does(number: int, code: int) -> None:
    with pytest.raises(KeyboardInterrupt) as raised:
        signal.raise_signal(number)
    assert interrupts.exit_code(raised.value) == code


def test_what_is_ignored_stays_ignored() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    interrupts.raise_again()
    signal.raise_signal(signal.SIGHUP)


@pytest.mark.parametrize(("number", "code"), STOP)
def test_a_block_is_done_first(number: int, code: int) -> None:
    done = []

    def block() -> None:
        with interrupts.held():
            signal.raise_signal(number)
            done.append(True)

    with pytest.raises(KeyboardInterrupt) as raised:
        block()
    assert interrupts.exit_code(raised.value) == code
    assert done


def test_a_signal_that_comes_while_all_is_written_is_forgotten() -> None:
    with interrupts.held(forget=True):
        signal.raise_signal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGTERM)


def test_an_error_in_the_block_comes_out() -> None:
    def block() -> None:
        with interrupts.held():
            raise ValueError("of the block")

    with pytest.raises(ValueError, match="of the block"):
        block()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_terminal_that_is_closed_takes_no_words_any_more() -> None:
    script = """
import sys, time
from pose_resnet_ros import interrupts
interrupts.raise_again()
try:
    print("ready", flush=True)
    for _ in range(600):  # one long sleep would not hear a signal that comes just before it begins
        time.sleep(0.1)
except KeyboardInterrupt as error:
    print("what was done", flush=True)
    sys.exit(interrupts.exit_code(error))
"""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(theirs)
    assert b"ready" in os.read(ours, 100)
    os.close(ours)
    assert process.wait(timeout=300) == 129
