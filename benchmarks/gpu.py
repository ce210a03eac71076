#!/usr/bin/env python3
# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Everything that docs/gpu.md wants measured on one NVIDIA GPU, in one call: parity first, then the targets.

    python3 -m benchmarks.gpu --output gpu.json

Needs onnxruntime-gpu, onnx and PyTorch with CUDA; takes about five minutes, most of them torch.compile's. A part that fails
is noted, and the others are measured all the same. Without a GPU the script itself can be tried, as the tests do:

    python3 -m benchmarks.gpu --backend cpu --depth 18 --batch 1 --rounds 1
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import tempfile
import traceback
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.gpu_contenders import HEATMAP_SHAPE, bound_network, matrix_peak, torch_network
from benchmarks.random_pose_resnet import random_source
from pose_resnet_ros.benchmark.frame import FrameRun, message_of
from pose_resnet_ros.benchmark.report import machine
from pose_resnet_ros.benchmark.scenes import SYNTHETIC, Scene, recorded_images, synthetic_scene
from pose_resnet_ros.benchmark.timing import Timing, interleaved, ratio
from pose_resnet_ros.core.skeletons import skeleton_named
from pose_resnet_ros.export.files import ExportOptions, export, save
from pose_resnet_ros.export.pose_resnet_torch import network_for
from pose_resnet_ros.models.detector import load_detector
from pose_resnet_ros.models.files import own_precision
from pose_resnet_ros.models.one_trip import OneTrip
from pose_resnet_ros.models.pose_net import PoseNet
from pose_resnet_ros.models.runtime import OnnxModel, RunOn
from pose_resnet_ros.pipeline import PosePipeline

GFLOP_PER_PERSON = 10.9  # PoseResNet-50 at 256 x 192, two for each multiplication with addition
MODELS = {
    "fp32": ExportOptions(),
    "fp16": ExportOptions(fp16=True),
    "fp16_split": ExportOptions(fp16=True, split=True),
}
TORCH_MODES = {
    "PyTorch eager": None,
    "torch.compile, default": "default",
    "torch.compile, reduce-overhead": "reduce-overhead",
    "torch.compile, max-autotune": "max-autotune",
}
VARIANTS: dict[str, dict[str, str]] = {
    "as shipped": {},
    "exhaustive search": {"cudnn_conv_algo_search": "EXHAUSTIVE"},
    "NHWC": {"prefer_nhwc": "1"},
    "NHWC, exhaustive search": {"prefer_nhwc": "1", "cudnn_conv_algo_search": "EXHAUSTIVE"},
}


class Bench:
    """The models and what all parts share."""

    def __init__(self, args: argparse.Namespace, folder: Path) -> None:
        self.args = args
        self.run_on = RunOn(backend=args.backend, max_batch=args.batch)
        source = random_source(args.depth)
        self.spec = source.spec
        self.network = network_for({name: torch.from_numpy(array) for name, array in source.state.items()})
        self.paths = {name: folder / f"{name}.onnx" for name in MODELS}
        for name, options in MODELS.items():
            save(export(source, self.spec, options), self.paths[name])

    def one_trip(self, model: str, *, options: dict[str, str] | None = None) -> OneTrip:
        return OneTrip(
            OnnxModel(self.paths[model], run_on=self.run_on),
            self.spec,
            heatmap_shape=HEATMAP_SHAPE,
            flip_order=skeleton_named("coco17").flip_order().tolist(),
            run_on=self.run_on,
            provider_options=options,
        )

    def one_trip_over(self, scene: Scene, model: str, options: dict[str, str]) -> Callable[[], object]:
        return _run(self.one_trip(model, options=options), scene)

    def scene(self, persons: int) -> Scene:
        """A 1080p picture with that many persons, or as many as a batch holds."""
        return synthetic_scene(min(persons, self.args.batch), width=1920, height=1080)

    def scenes(self) -> list[Scene]:
        """For parity: the synthetic one, or pictures of ``--source`` with the same boxes in each."""
        if self.args.source == SYNTHETIC:
            return [self.scene(8)]
        images = recorded_images(self.args.source, count=8)
        return [
            Scene(image, synthetic_scene(8, width=image.shape[1], height=image.shape[0]).boxes)
            for image in images
        ]

    def timed(self, contenders: dict[str, Callable[[], object]]) -> dict[str, np.ndarray]:
        return interleaved(contenders, rounds=self.args.rounds, warm_up=min(5, self.args.rounds))


def parity(bench: Bench) -> dict[str, Any]:
    """The fast path on the device against the ordinary one on the CPU: share of joints within 0.05 px, scores apart."""
    found = {}
    for name, model in {"pose_resnet_lite": "pose_resnet_lite", **bench.paths}.items():
        reference = PoseNet(model, run_on=RunOn(backend="cpu"), precision=own_precision(model))
        fast = PoseNet(model, run_on=bench.run_on, precision=own_precision(model), one_trip=True)
        for flip_test in (False, True):
            row = _parity_row(fast, reference, bench.scenes(), flip_test=flip_test)
            found[f"{name}{', flip test' if flip_test else ''}"] = row
    return found


def _parity_row(fast: PoseNet, reference: PoseNet, scenes: list[Scene], *, flip_test: bool) -> dict[str, Any]:
    pairs = [
        (
            fast.estimate(scene.image, scene.boxes, flip_test=flip_test, keep_heatmaps=False),
            reference.estimate(scene.image, scene.boxes, flip_test=flip_test),
        )
        for scene in scenes
    ]
    apart = np.concatenate(
        [np.abs(a.people.keypoints_xy - b.people.keypoints_xy).max(axis=2) for a, b in pairs]
    )
    scores = np.concatenate([np.abs(a.people.keypoint_scores - b.people.keypoint_scores) for a, b in pairs])
    return {
        "in_one_trip": all(a.heatmaps is None for a, _ in pairs),
        "joints": apart.size,
        "share_within_0.05_px": float((apart < 0.05).mean()),
        "largest_score_difference": float(scores.max()),
        "largest_score": float(max(b.people.keypoint_scores.max() for _, b in pairs)),
    }


def replays(bench: Bench) -> dict[str, Any]:
    """Recorded graphs: every number of persons, and frame sizes in turns, give what one person alone gives."""
    one_trip, worst = bench.one_trip("fp32"), 0.0
    for width, height in [
        (640, 480),
        (1920, 1080),
        (641, 479),
        (640, 480),
        (322, 242),
        (1920, 1080),
        (99, 301),
    ]:
        scene = synthetic_scene(bench.args.batch + 1, width=width, height=height)
        boxes = scene.boxes.boxes_xyxy
        alone = np.concatenate([one_trip.run(scene.image, box[None])[1] for box in boxes])
        for count in (1, 2, 3, 5, 8, bench.args.batch, bench.args.batch + 1):
            _, scores = one_trip.run(scene.image, boxes[:count])
            worst = max(worst, float(np.abs(scores - alone[:count]).max()))
    return {"largest_score_difference": worst}


def batch(bench: Bench) -> dict[str, Any]:
    """One full batch in fp16: frame to keypoints and the network alone, beside PyTorch's network alone."""
    size = bench.args.batch
    scene = bench.scene(size)
    contenders: dict[str, Callable[[], object]] = {}
    refused: dict[str, str] = {}

    def add(name: str, make: Callable[..., Callable[[], object]], *given: Any) -> None:
        try:
            contenders[name] = make(*given)
        except Exception as error:  # noqa: BLE001 - one option that this build lacks must not cost the others
            refused[name] = f"{type(error).__name__}: {error}".splitlines()[0]

    cuda = bench.args.backend == "cuda"
    variants = VARIANTS if cuda else {"as shipped": {}}
    for model, (variant, given) in product(("fp16", "fp16_split"), variants.items()):
        add(f"one trip, {model}, {variant}", bench.one_trip_over, scene, model, given)
        add(
            f"network, {model}, {variant}", bound_network, bench.paths[model], size, bench.args.backend, given
        )
    if cuda:
        add("network, fp16, TensorRT", bound_network, bench.paths["fp16"], size, "tensorrt")
        for name, mode in TORCH_MODES.items():
            add(name, torch_network, bench.network, size, mode)
    samples = bench.timed(contenders)
    peak = matrix_peak() if torch.cuda.is_available() and bench.args.depth == 50 else None
    rows = {name: _row(ms, persons=size, peak=peak) for name, ms in samples.items()}
    return {"persons": size, "matrix_peak_tflops": peak, "rows": rows, "refused": refused}


def frame(bench: Bench) -> dict[str, Any]:
    """A 1080p frame with 8 persons through detector and pose network, without drawing; crops on the CPU beside it."""
    scene = bench.scene(8)
    message = message_of(scene.image)
    runs: dict[str, Callable[[], object]] = {}
    stages: dict[str, list[dict[str, float]]] = {}
    for name, one_trip in (("one trip", True), ("crops on the CPU", False)):
        pose = PoseNet(bench.paths["fp16"], run_on=bench.run_on, one_trip=one_trip)
        detector = load_detector(bench.args.detector, run_on=bench.run_on)
        run = FrameRun(PosePipeline(detector, pose, skeleton="openpose18", run_on=bench.run_on))
        stages[name] = []
        runs[name] = lambda run=run, kept=stages[name]: kept.append(run(scene, message))
    bench.timed(runs)
    found = {}
    for name, kept in stages.items():
        kept = kept[-bench.args.rounds :]
        wholes = np.array(
            [sum(ms for stage, ms in one.items() if stage not in ("draw", "publish")) for one in kept]
        )
        medians = {stage: float(np.median([one[stage] for one in kept])) for stage in kept[0]}
        found[name] = {
            "median_ms": Timing.of(wholes).median_ms,
            "p95_ms": Timing.of(wholes).p95_ms,
            "stages": medians,
        }
    return found


def per_person(bench: Bench) -> dict[str, Any]:
    """16 persons in one batch against 16 calls of one person: the same network, precision and binding."""
    scene = bench.scene(16)
    persons = len(scene.boxes)
    one_trip, boxes = bench.one_trip("fp16"), scene.boxes.boxes_xyxy
    together, alone = (bound_network(bench.paths["fp16"], size, bench.args.backend) for size in (persons, 1))
    samples = bench.timed(
        {
            "one trip": _run(one_trip, scene),
            "one trip, a call a person": lambda: [one_trip.run(scene.image, box[None]) for box in boxes],
            "network": together,
            "network, a call a person": lambda: [alone() for _ in range(persons)],
        }
    )
    rows = {name: _row(ms, persons=persons, peak=None) for name, ms in samples.items()}
    shares = {
        name: ratio(samples[name], samples[f"{name}, a call a person"]) for name in ("one trip", "network")
    }
    return {"persons": persons, "rows": rows, "share_of_a_call_a_person": shares}


def _run(one_trip: OneTrip, scene: Scene) -> Callable[[], object]:
    return lambda: one_trip.run(scene.image, scene.boxes.boxes_xyxy)


def _row(samples_ms: np.ndarray, *, persons: int, peak: float | None) -> dict[str, float]:
    timing = Timing.of(samples_ms)
    row = {
        "median_ms": timing.median_ms,
        "p95_ms": timing.p95_ms,
        "ms_per_person": timing.median_ms / persons,
    }
    tflops = GFLOP_PER_PERSON * persons / timing.median_ms
    return row | ({"tflops": tflops, "share_of_peak": tflops / peak} if peak else {})


PARTS: dict[str, Callable[[Bench], dict[str, Any]]] = {
    "parity": parity,
    "replays": replays,
    "frame": frame,
    "per_person": per_person,
    "batch": batch,
}


def main(arguments: list[str]) -> int:
    args = _parse(arguments)
    said: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger("pose_resnet_ros").addHandler(handler)
    report: dict[str, Any] = {
        "machine": machine(),
        "arguments": vars(args) | {"output": str(args.output)},
        "log": said,
    }
    if torch.cuda.is_available():
        report["machine"] |= {"gpu": torch.cuda.get_device_name(), "cuda": str(torch.version.cuda)}
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(args, Path(folder))
        for name in args.parts:
            try:
                report[name] = PARTS[name](bench)
            except Exception:  # noqa: BLE001 - noted, so that the other parts are measured
                report[name] = {"failed": traceback.format_exc()}
            print(json.dumps({name: report[name]}, indent=1), flush=True)
            args.output.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return int(any("failed" in report[name] for name in args.parts))


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=Path("gpu.json"), help="what was measured, as JSON")
    parser.add_argument("--backend", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--detector", default="person_lite", help="of the part frame; a name or a path")
    parser.add_argument(
        "--source", default=SYNTHETIC, help="of the part parity: a video or a folder of pictures"
    )
    parser.add_argument("--batch", type=int, default=64, help="persons in a full batch")
    parser.add_argument(
        "--depth", type=int, choices=(18, 34, 50, 101, 152), default=50, help="of the PoseResNet"
    )
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
