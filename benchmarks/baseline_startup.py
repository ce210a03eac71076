# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""What a baseline costs before its first result: time from the start of its process, and peak memory."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.baseline_networks import input_shape, open_baseline
from pose_resnet_ros.core.errors import BenchmarkError

TIMEOUT_S = 300.0


@dataclass(frozen=True)
class StartRow:
    """first_result_ms: from starting the process to the heatmaps of ``persons`` crops; peak_mb: resident memory of the
    process, None where the system does not tell.
    """

    baseline: str
    persons: int
    first_result_ms: float
    peak_mb: float | None


def measure_start(baseline: str, path: Path, *, persons: int, threads: int) -> StartRow:
    """In a process of its own. Raises BenchmarkError if that ends without a result."""
    given = json.dumps([baseline, str(path), [persons, *input_shape(path)], threads])
    begin = time.perf_counter()
    child = subprocess.Popen(
        [sys.executable, "-m", __name__, given], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert child.stdout
    first_line = child.stdout.readline()
    elapsed_ms = 1e3 * (time.perf_counter() - begin)
    child.communicate(timeout=TIMEOUT_S)
    if not first_line:
        raise BenchmarkError(f"{baseline}: its process ended with exit code {child.returncode} and without a result")
    return StartRow(baseline, persons, elapsed_ms, json.loads(first_line))


def main() -> None:
    """The child: run once, print the peak memory in megabytes."""
    baseline, path, shape, threads = json.loads(sys.argv[1])
    open_baseline(baseline, Path(path), threads)(np.zeros(shape, np.float32))
    print(json.dumps(peak_mb()), flush=True)


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
    main()
