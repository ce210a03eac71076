#!/usr/bin/env python3
# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The pose network alone, one batch in onnxruntime beside other ways to run the same weights, in turns; then each in a process
of its own, from the start to the first result.

    python3 -m benchmarks.baselines --threads 2 --persons 1 8 --json baselines.json

What is not installed is named and left out; `pip install '.[benchmark]'` brings all. Each must give our heatmaps first.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.baseline_networks import BASELINES, OURS, Network, input_shape, open_baseline
from benchmarks.baseline_startup import StartRow, measure_start
from pose_resnet_ros.benchmark.latency import Timing, interleaved, ratio
from pose_resnet_ros.benchmark.report import Table, machine, print_table
from pose_resnet_ros.core.errors import BenchmarkError, PoseError
from pose_resnet_ros.models.registry import find_model
from pose_resnet_ros.output_files import OutputGuard, write_json
from pose_resnet_ros.settings import LoadSettings
from pose_resnet_ros.tools.options import add_options, file_path, integer, require_writable

TOLERANCE = 1e-3  # of the largest output: float32 in another order, and OpenCV's Winograd convolutions
START_PERSONS = 8  # at most, in a process's first call


@dataclass(frozen=True)
class BaselineRow:
    """against_ours: how many times as long as one batch here."""

    baseline: str
    persons: int
    timing: Timing
    against_ours: float


def open_all(path: Path, threads: int) -> tuple[dict[str, Network], dict[str, str]]:
    """The baselines that can run, and why the others cannot."""
    networks: dict[str, Network] = {}
    missing: dict[str, str] = {}
    for name in BASELINES:
        try:
            networks[name] = open_baseline(name, path, threads)
        except BenchmarkError as error:  # noqa: PERF203 - five of them
            missing[name] = str(error)
    return networks, missing


def measure(networks: dict[str, Network], tensor: np.ndarray, *, rounds: int) -> list[BaselineRow]:
    """tensor: (n, 3, h, w). Raises BenchmarkError if one gives other heatmaps than ours."""
    _require_same(networks, tensor)
    samples = interleaved({name: _bound(run, tensor) for name, run in networks.items()}, rounds=rounds)
    return [BaselineRow(name, len(tensor), Timing.of(ms), ratio(ms, samples[OURS])) for name, ms in samples.items()]


def _bound(run: Network, tensor: np.ndarray) -> Callable[[], object]:
    return lambda: run(tensor)


def _require_same(networks: dict[str, Network], tensor: np.ndarray) -> None:
    ours = networks[OURS](tensor)
    for name, run in networks.items():
        difference = float(np.abs(run(tensor) - ours).max())
        if difference > TOLERANCE * max(1.0, float(np.abs(ours).max())):
            raise BenchmarkError(f"{name} gives other heatmaps than onnxruntime (by {difference:.2g}): not comparable")


def tables(rows: list[BaselineRow], missing: dict[str, str], starts: list[StartRow]) -> list[Table]:
    timed = [
        (row.baseline, str(row.persons), f"{row.timing.median_ms:.1f}", f"{row.timing.p95_ms:.1f}", f"{row.against_ours:.2f}")
        for row in rows
    ]
    timed += [(name, "", reason, "", "") for name, reason in missing.items()]
    started = [
        (row.baseline, str(row.persons), f"{row.first_result_ms:.0f}", "" if row.peak_mb is None else f"{row.peak_mb:.0f}")
        for row in starts
    ]
    return [
        Table("the pose network alone, same weights", ("baseline", "persons", "median ms", "p95 ms", "ratio"), timed),
        Table("a process with it, from the start", ("baseline", "persons", "first result ms", "peak MB"), started),
    ]


def run(arguments: list[str]) -> None:
    args = _parse(arguments)
    if args.json:
        require_writable("json", args.json)
        OutputGuard([file_path(args.pose_model)]).claim("json", args.json)
    path = find_model(args.pose_model, kind="pose").path
    networks, missing = open_all(path, args.threads)
    shape, random = input_shape(path), np.random.default_rng(0)
    tensors = [random.standard_normal((count, *shape), np.float32) for count in args.persons]
    rows = [row for tensor in tensors for row in measure(networks, tensor, rounds=args.rounds)]
    persons = min(START_PERSONS, max(args.persons))
    starts = [measure_start(name, path, persons=persons, threads=args.threads) for name in networks]
    for table in tables(rows, missing, starts):
        print_table(table)
    if args.json:
        facts = {"machine": machine(), "command": shlex.join(["benchmarks.baselines", *arguments])}
        measured = {"baselines": list(map(asdict, rows)), "missing": missing, "starts": list(map(asdict, starts))}
        write_json(args.json, {**facts, **measured})


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python3 -m benchmarks.baselines", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_options(parser, [row for row in LoadSettings.settings() if row.name in ("pose_model", "threads")])
    parser.add_argument("--persons", nargs="+", type=integer(1), default=[1, 8, 32], help="crops in a call (default 1 8 32)")
    parser.add_argument("--rounds", type=integer(1), default=20, help="times each runs (default 20)")
    parser.add_argument("--json", type=file_path, metavar="FILE", help="write all measurements as JSON")
    return parser.parse_args(arguments)


def main() -> int:
    try:
        run(sys.argv[1:])
    except PoseError as error:
        print(f"benchmarks.baselines: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
