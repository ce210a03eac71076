#!/usr/bin/env python3
# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Everything that docs/gpu.md wants measured on one NVIDIA GPU, in one call: parity first, then the targets.

    python3 -m benchmarks.gpu --output gpu.json

Needs onnxruntime-gpu, onnx and PyTorch with CUDA. The report is on the disk from the first result on; a part or a candidate that
fails is noted, and the others are measured all the same; after ``--minutes`` nothing new is begun. What can take longest comes
last: exhaustive search, TensorRT's engine, torch.compile's autotuning. Without a GPU the script itself can be tried, as the tests
do:

    python3 -m benchmarks.gpu --backend cpu --depth 18 --batch 1 --rounds 1
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.gpu_bench import Bench, Candidate, Recipe, Report
from benchmarks.gpu_candidates import bound_network, matrix_peak, torch_network
from pose_resnet_ros.benchmark.latency import FrameRun, Timing, message_of, ratio
from pose_resnet_ros.benchmark.scenes import SYNTHETIC, Scene, synthetic_scene
from pose_resnet_ros.models.detector import load_detector
from pose_resnet_ros.models.fused_graph_buffers import buckets_for
from pose_resnet_ros.models.pose_net import PoseNet
from pose_resnet_ros.models.runtime import RunOn
from pose_resnet_ros.pipeline import PosePipeline

GFLOP_PER_PERSON = 10.9  # PoseResNet-50 at 256 x 192, two for each multiplication with addition
NHWC, SEARCH = {"prefer_nhwc": "1"}, {"cudnn_conv_algo_search": "EXHAUSTIVE"}
Found = dict[str, Any]


def parity(bench: Bench, found: Found) -> None:
    """The fast path on the device against the ordinary one on the CPU: shares of joints within 0.05 and 1 px, scores apart."""
    for name, model in {"pose_resnet_lite": "pose_resnet_lite", **bench.paths}.items():
        precision = "fp32" if name == "pose_resnet_lite" else "auto"  # on a CPU auto may be int8
        try:
            reference = PoseNet(model, run_on=RunOn(backend="cpu"), precision=precision)
            fast = PoseNet(model, run_on=bench.run_on, fused_graph=True, precision=precision)
            for flip_test in (False, True):
                row = _parity_row(fast, reference, bench.scenes(), flip_test=flip_test)
                found[f"{name}{', flip test' if flip_test else ''}"] = row
        except Exception:  # noqa: BLE001 - noted, so that the other models are compared
            found[name] = {"failed": traceback.format_exc()}
        bench.say(f"parity of {name}")


def _parity_row(fast: PoseNet, reference: PoseNet, scenes: list[Scene], *, flip_test: bool) -> dict[str, Any]:
    pairs = [
        (
            fast.estimate(scene.image, scene.boxes, flip_test=flip_test, keep_heatmaps=False),
            reference.estimate(scene.image, scene.boxes, flip_test=flip_test),
        )
        for scene in scenes
    ]
    apart = np.concatenate([np.abs(a.people.keypoints_xy - b.people.keypoints_xy).max(axis=2) for a, b in pairs])
    scores = np.concatenate([np.abs(a.people.keypoint_scores - b.people.keypoint_scores) for a, b in pairs])
    return {
        "in_fused_graph": all(a.heatmaps is None for a, _ in pairs),
        "joints": apart.size,
        "share_within_0.05_px": float((apart < 0.05).mean()),
        "share_within_1_px": float((apart < 1).mean()),
        "largest_score_difference": float(scores.max()),
        "largest_score": float(max(b.people.keypoint_scores.max() for _, b in pairs)),
    }


def replays(bench: Bench, found: Found) -> None:
    """Recorded graphs: every number of persons, and frame sizes in turns, give what one person alone gives.

    What a recording costs: the first call with a number of persons beside later ones, and the device's memory.
    """
    fused_graph, worst = bench.fused_graph("fp32"), 0.0
    found["used_mib"], found["first_and_next_call_ms"] = [_used_mib()], {}
    scene = bench.scene(bench.args.batch)
    for count in buckets_for(bench.args.batch):
        boxes = scene.boxes.boxes_xyxy[:count]
        calls = [_milliseconds(lambda boxes=boxes: fused_graph.run(scene.image, boxes)) for _ in range(3)]
        found["first_and_next_call_ms"][str(count)] = [calls[0], calls[-1]]
        found["used_mib"].append(_used_mib())
    bench.say("replays: first calls")
    for width, height in [(640, 480), (1920, 1080), (641, 479), (640, 480), (322, 242), (1920, 1080), (99, 301)]:
        scene = synthetic_scene(bench.args.batch + 1, width=width, height=height)
        boxes = scene.boxes.boxes_xyxy
        alone = np.concatenate([fused_graph.run(scene.image, box[None])[1] for box in boxes])
        for count in (1, 2, 3, 5, 8, bench.args.batch, bench.args.batch + 1):
            _, scores = fused_graph.run(scene.image, boxes[:count])
            worst = max(worst, float(np.abs(scores - alone[:count]).max()))
    found["largest_score_difference"] = worst


def _used_mib() -> int | None:
    """Of the device, by everybody."""
    if not torch.cuda.is_available():
        return None
    free, total = torch.cuda.mem_get_info()
    return (total - free) >> 20


def _milliseconds(call: Candidate) -> float:
    begin = time.perf_counter()
    call()
    return 1e3 * (time.perf_counter() - begin)


def batch(bench: Bench, found: Found) -> None:
    """One full batch in fp16: frame to keypoints and the network alone, beside PyTorch's network alone, group by group.

    Every group is measured in turns with what ships, so that ratios come out of one stretch of time.
    """
    size = bench.args.batch
    found |= {"persons": size, "rows": {}, "refused": {}}
    peak = matrix_peak() if torch.cuda.is_available() and bench.args.depth == 50 else None
    found["matrix_peak_tflops"] = peak
    groups = _groups(bench)
    shipped = bench.proven(groups.pop("as shipped"), found["refused"])
    for group, recipes in {"as shipped": {}, **groups}.items():
        candidates = shipped | bench.proven(recipes, found["refused"])
        if len(candidates) > len(shipped) or not recipes:
            samples = bench.timed(candidates)
            found["rows"][group] = {name: _row(ms, persons=size, peak=peak) for name, ms in samples.items()}
            bench.say(f"batch: {group}")


def _groups(bench: Bench) -> dict[str, dict[str, Recipe]]:
    """What is compared, the quickest to make first; on the CPU only what ships."""
    size, backend = bench.args.batch, bench.args.backend
    scene = bench.scene(size)

    def ours(variant: str, options: dict[str, str], *models: str) -> dict[str, Recipe]:
        made: dict[str, Recipe] = {}
        for model in models:
            made[f"fused graph, {model}, {variant}"] = (bench.fused_graph_over, (scene, model, options))
            made[f"network, {model}, {variant}"] = (bound_network, (bench.paths[model], size, backend, options))
        return made

    def in_torch(**modes: str | None) -> dict[str, Recipe]:
        return {
            f"PyTorch, {name.replace('_', '-')}": (torch_network, (bench.network, size, mode)) for name, mode in modes.items()
        }

    groups = {"as shipped": ours("as shipped", {}, "fp16", "fp16_split")}
    if backend == "cpu":
        return groups
    return groups | {
        "PyTorch": in_torch(eager=None, compiled="default", reduce_overhead="reduce-overhead"),
        "NHWC": ours("NHWC", NHWC, "fp16", "fp16_split"),
        "exhaustive search": ours("search", SEARCH, "fp16") | ours("NHWC and search", NHWC | SEARCH, "fp16"),
        "TensorRT": {"network, fp16, TensorRT": (bound_network, (bench.paths["fp16"], size, "tensorrt"))},
        "PyTorch, autotuned": in_torch(max_autotune="max-autotune"),
    }


def frame(bench: Bench, found: Found) -> None:
    """A 1080p frame with 8 persons through detector and pose network, without drawing; crops on the CPU beside it."""
    scene = bench.scene(8)
    message = message_of(scene.image)
    runs: dict[str, Candidate] = {}
    stages: dict[str, list[dict[str, float]]] = {}
    for name, fused_graph in (("fused graph", True), ("crops on the CPU", False)):
        pose = PoseNet(bench.paths["fp16"], run_on=bench.run_on, fused_graph=fused_graph)
        detector = load_detector(bench.args.detector, run_on=bench.run_on)
        run = FrameRun(PosePipeline(detector, pose, skeleton="openpose18", run_on=bench.run_on))
        stages[name] = []
        runs[name] = lambda run=run, kept=stages[name]: kept.append(run(scene, message))
    bench.timed(runs)
    for name, kept in stages.items():
        kept = kept[-bench.args.rounds :]
        wholes = np.array([sum(ms for stage, ms in one.items() if stage not in ("draw", "publish")) for one in kept])
        medians = {stage: float(np.median([one[stage] for one in kept])) for stage in kept[0]}
        timing = Timing.of(wholes)
        found[name] = {"median_ms": timing.median_ms, "p95_ms": timing.p95_ms, "stages": medians}


def per_person(bench: Bench, found: Found) -> None:
    """16 persons in one batch against 16 calls of one person: the same network, precision and binding."""
    scene = bench.scene(16)
    persons = len(scene.boxes)
    fused_graph, boxes = bench.fused_graph("fp16"), scene.boxes.boxes_xyxy
    together, alone = (bound_network(bench.paths["fp16"], size, bench.args.backend) for size in (persons, 1))
    samples = bench.timed(
        {
            "fused graph": lambda: fused_graph.run(scene.image, boxes),
            "fused graph, a call a person": lambda: [fused_graph.run(scene.image, box[None]) for box in boxes],
            "network": together,
            "network, a call a person": lambda: [alone() for _ in range(persons)],
        }
    )
    found["persons"] = persons
    found["rows"] = {name: _row(ms, persons=persons, peak=None) for name, ms in samples.items()}
    found["share_of_a_call_a_person"] = {
        name: ratio(samples[name], samples[f"{name}, a call a person"]) for name in ("fused graph", "network")
    }


def _row(samples_ms: np.ndarray, *, persons: int, peak: float | None) -> dict[str, float]:
    timing = Timing.of(samples_ms)
    row = {"median_ms": timing.median_ms, "p95_ms": timing.p95_ms, "ms_per_person": timing.median_ms / persons}
    tflops = GFLOP_PER_PERSON * persons / timing.median_ms
    return row | ({"tflops": tflops, "share_of_peak": tflops / peak} if peak else {})


PARTS: dict[str, Callable[[Bench, Found], None]] = {
    "parity": parity,
    "replays": replays,
    "frame": frame,
    "per_person": per_person,
    "batch": batch,
}


def main(arguments: list[str]) -> int:
    args = _parse(arguments)
    report = Report(args)
    with _logged(report.log), tempfile.TemporaryDirectory() as folder:
        bench = Bench(args, Path(folder), report)
        for name in args.parts:
            _measure(bench, name)
    return int('"failed"' in json.dumps(report.parts))


@contextmanager
def _logged(lines: list[str]) -> Iterator[None]:
    """What the package logs meanwhile, from warnings up, line by line."""
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("pose_resnet_ros")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


def _measure(bench: Bench, name: str) -> None:
    found = bench.report.parts[name] = {}
    try:
        if bench.has_time:
            PARTS[name](bench, found)
        else:
            found["failed"] = f"not begun: {bench.args.minutes:g} minutes were over"
    except Exception:  # noqa: BLE001 - noted, so that the other parts are measured
        found["failed"] = traceback.format_exc()
    print(json.dumps({name: found}, indent=1))
    bench.say(f"{name} is done")


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path("gpu.json"), help="what was measured, as JSON")
    parser.add_argument("--backend", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--detector", default="person_lite", help="of the part frame; a name or a path")
    parser.add_argument("--source", default=SYNTHETIC, help="of the part parity: a video or a folder of pictures")
    parser.add_argument("--batch", type=int, default=64, help="persons in a full batch")
    parser.add_argument("--depth", type=int, choices=(18, 34, 50, 101, 152), default=50, help="of the PoseResNet")
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=8, help="after these nothing new is begun")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
