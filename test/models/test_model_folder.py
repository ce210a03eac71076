# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import errno
import fcntl
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pose_resnet_ros.core.errors import InferenceCancelled
from pose_resnet_ros.models.model_folder import folder_lock

HOLD = """
import sys
from pathlib import Path
from pose_resnet_ros.models.model_folder import folder_lock
with folder_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def other(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process, which holds the folder until it reads a line."""
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_process_waits_and_says_so(
    other: subprocess.Popen[str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    asked = []

    def let_go() -> bool:
        if not asked:
            assert other.stdin is not None
            other.stdin.write("\n")
            other.stdin.flush()
        asked.append(True)
        return False

    with caplog.at_level(logging.INFO), folder_lock(tmp_path, cancelled=let_go):
        assert asked
    assert "another process is fetching models" in caplog.text


def test_waiting_ends_when_it_is_told_to(other: subprocess.Popen[str], tmp_path: Path) -> None:
    with pytest.raises(InferenceCancelled), folder_lock(tmp_path, cancelled=lambda: True):
        pass


def test_a_killed_process_holds_nothing(other: subprocess.Popen[str], tmp_path: Path) -> None:
    other.kill()
    other.wait()
    with folder_lock(tmp_path):
        pass


def test_the_holder_may_nest_it(tmp_path: Path) -> None:
    with folder_lock(tmp_path), folder_lock(tmp_path):
        pass
    with folder_lock(tmp_path):
        pass


def test_a_file_system_without_locks_is_used_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Faked: there is none here."""

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with folder_lock(tmp_path):
        pass
    assert "cannot be locked (No locks available)" in caplog.text
