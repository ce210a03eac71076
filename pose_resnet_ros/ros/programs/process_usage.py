# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""What other processes use of the CPU and of memory, read from /proc. No ROS in here."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Usage:
    """Of some processes: since when, and their resources until then."""

    at_s: float
    cpu_s: float
    memory_mb: float

    @classmethod
    def of(cls, pids: Iterable[int]) -> Usage:
        """The sum over all processes."""
        each = [cls._of_one(pid) for pid in pids]
        return cls(time.monotonic(), sum(one.cpu_s for one in each), sum(one.memory_mb for one in each))

    @classmethod
    def _of_one(cls, pid: int) -> Usage:
        """CPU time of all threads, user and system. Source: proc(5), fields 14 and 15 of /proc/PID/stat, 2 of statm."""
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1])
        cpu_s = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return cls(time.monotonic(), cpu_s, pages * os.sysconf("SC_PAGE_SIZE") / 2**20)

    def __sub__(self, before: Usage) -> Usage:
        return Usage(self.at_s - before.at_s, self.cpu_s - before.cpu_s, self.memory_mb - before.memory_mb)


def shared_memory_mb(pid: int) -> float:
    """Proportional set size. Source: proc_pid_smaps_rollup."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8")
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")) / 1024
