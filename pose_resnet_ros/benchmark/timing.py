# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Times taken in turns (A B A B), so that whatever else the machine does meets every candidate alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Timing:
    """Of one candidate: milliseconds a call, over its rounds."""

    median_ms: float
    p95_ms: float
    rounds: int

    @classmethod
    def of(cls, samples_ms: np.ndarray) -> Timing:
        median, p95 = np.percentile(samples_ms, (50, 95)).tolist()
        return cls(median, p95, len(samples_ms))


def interleaved(candidates: Mapping[str, Callable[[], object]], *, rounds: int, warm_up: int = 2) -> dict[str, np.ndarray]:
    """Call every candidate once a round, in turns: wall-clock milliseconds (rounds,) of each.

    Every other round goes through them backwards, so that none always follows the same neighbour's caches. The warm-up rounds
    come first and are not in the result.
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
    """How many times as long as the baseline: the median over the rounds of the ratio within one round."""
    return float(np.median(samples_ms / baseline_ms))
