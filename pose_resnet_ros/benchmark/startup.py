# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""What a contender costs before its first result: time from the start of its process, and peak memory."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pose_resnet_ros.benchmark.peers import input_shape, open_peer
from pose_resnet_ros.core.errors import BenchmarkError
from pose_resnet_ros.models.files import find_model

TIMEOUT_S = 300.0


@dataclass(frozen=True)
class StartRow:
    """first_result_ms: from starting the process to the heatmaps of ``persons`` crops; peak_mb: resident memory of the
    process, None where the system does not tell.
    """

    peer: str
    persons: int
    first_result_ms: float
    peak_mb: float | None


def measure_start(peer: str, pose_model: str, *, persons: int, threads: int) -> StartRow | None:
    """In a process of its own; None if the peer is not installed or cannot run the model."""
    path = find_model(pose_model, kind="pose").path
    given = json.dumps([peer, str(path), [persons, *input_shape(path)], threads])
    begin = time.perf_counter()
    child = subprocess.Popen(
        [sys.executable, "-m", __name__, given], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert child.stdout
    first_line = child.stdout.readline()
    elapsed_ms = 1e3 * (time.perf_counter() - begin)
    child.communicate(timeout=TIMEOUT_S)
    return StartRow(peer, persons, elapsed_ms, json.loads(first_line)) if first_line else None


def main() -> int:
    """The child: run once, print the peak memory in megabytes (nothing if the peer cannot run)."""
    peer, path, shape, threads = json.loads(sys.argv[1])
    try:
        network = open_peer(peer, Path(path), threads)
    except BenchmarkError:
        return 1
    network(np.zeros(shape, np.float32))
    print(json.dumps(peak_mb()), flush=True)
    return 0


def peak_mb() -> float | None:
    """The most memory that this process held, in megabytes; None where the system has no /proc.

    Not from getrusage: its peak begins with the parent's, whose copy the process was before it was itself.
    """
    try:
        status = Path("/proc/self/status").read_text(encoding="utf-8")
    except OSError:
        return None
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM"))


if __name__ == "__main__":
    sys.exit(main())
