# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Times taken in turns (A B A B), so that other load on the machine affects all candidates alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Timing:
    """One candidate's milliseconds per call, over its rounds."""

    median_ms: float
    p95_ms: float
    rounds: int

    @classmethod
    def of(cls, samples_ms: np.ndarray) -> Timing:
        median, p95 = np.percentile(samples_ms, (50, 95)).tolist()
        return cls(median, p95, len(samples_ms))


def interleaved(candidates: Mapping[str, Callable[[], object]], *, rounds: int, warm_up: int = 2) -> dict[str, np.ndarray]:
    """Call every candidate once per round: wall-clock milliseconds (rounds,) of each, without the warm-up rounds.

    Every other round runs in reverse order, so that no candidate always follows the same neighbour's caches.
    """
    samples: dict[str, list[float]] = {name: [] for name in candidates}
    for turn in range(warm_up + rounds):
        names = list(candidates)[:: 1 if turn % 2 == 0 else -1]
        for name in names:
            begin = time.perf_counter()
            candidates[name]()
            elapsed_ms = 1e3 * (time.perf_counter() - begin)
            if turn >= warm_up:
                samples[name].append(elapsed_ms)
    return {name: np.array(values) for name, values in samples.items()}


def ratio(samples_ms: np.ndarray, baseline_ms: np.ndarray) -> float:
    """The time relative to the baseline: the median over the rounds of the ratio within a round."""
    return float(np.median(samples_ms / baseline_ms))
