# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""What the parts of ``benchmarks/gpu.py`` share: models, the time that is left, and the report, which is on the disk early."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.gpu_candidates import HEATMAP_SHAPE
from benchmarks.random_pose_resnet import random_source
from pose_resnet_ros.benchmark.latency import interleaved
from pose_resnet_ros.benchmark.report import machine
from pose_resnet_ros.benchmark.scenes import SYNTHETIC, Scene, recorded_images, synthetic_scene
from pose_resnet_ros.core.skeletons import skeleton_named
from pose_resnet_ros.export.conversion import ExportOptions, export, save
from pose_resnet_ros.export.torch_networks import network_for
from pose_resnet_ros.models.fused_graph import FusedGraph
from pose_resnet_ros.models.runtime import OnnxModel, RunOn
from pose_resnet_ros.output_files import write_whole

MODELS = {"fp32": ExportOptions(), "fp16": ExportOptions(fp16=True), "fp16_split": ExportOptions(fp16=True, split=True)}
Candidate = Callable[[], object]
# How one is made: a function and what it is given.
Recipe = tuple[Callable[..., Candidate], tuple[Any, ...]]


class Report:
    """A dictionary that is written whenever something is added, so that a run that is killed leaves what it had."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.log: list[str] = []
        self.parts: dict[str, dict[str, Any]] = {}
        self._path: Path = args.output
        self._fixed: dict[str, Any] = {"machine": machine(), "arguments": vars(args) | {"output": str(args.output)}}
        if torch.cuda.is_available():
            device = {"gpu": torch.cuda.get_device_name(), "cuda": str(torch.version.cuda)}
            self._fixed["machine"] |= device

    def save(self) -> None:
        text = json.dumps({**self._fixed, "log": self.log, **self.parts}, indent=1) + "\n"
        write_whole(self._path, text.encode(), name="output")


class Bench:
    """The models and what all parts share."""

    def __init__(self, args: argparse.Namespace, folder: Path, report: Report) -> None:
        self.args, self.report = args, report
        self.run_on = RunOn(backend=args.backend, max_batch=args.batch)
        self._begin = time.monotonic()
        source = random_source(args.depth)
        self.spec = source.spec
        self.network = network_for({name: torch.from_numpy(array) for name, array in source.state.items()})
        self.paths = {name: folder / f"{name}.onnx" for name in MODELS}
        for name, options in MODELS.items():
            save(export(source, self.spec, options), self.paths[name])

    @property
    def has_time(self) -> bool:
        return self.seconds < 60 * self.args.minutes

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return time.monotonic() - self._begin

    def say(self, text: str) -> None:
        """A line on the terminal, and the report as it stands on the disk."""
        print(f"{self.seconds:6.1f} s  {text}", flush=True)
        self.report.save()

    def fused_graph(self, model: str, *, options: dict[str, str] | None = None) -> FusedGraph:
        return FusedGraph(
            OnnxModel(self.paths[model], run_on=self.run_on),
            self.spec,
            heatmap_shape=HEATMAP_SHAPE,
            flip_order=skeleton_named("coco17").flip_order().tolist(),
            run_on=self.run_on,
            provider_options=options,
        )

    def fused_graph_over(self, scene: Scene, model: str, options: dict[str, str]) -> Candidate:
        fused_graph = self.fused_graph(model, options=options)
        return lambda: fused_graph.run(scene.image, scene.boxes.boxes_xyxy)

    def scene(self, persons: int) -> Scene:
        """A 1080p picture with that many persons, or as many as a batch holds."""
        return synthetic_scene(min(persons, self.args.batch), width=1920, height=1080)

    def scenes(self) -> list[Scene]:
        """For parity: the synthetic one, or pictures of ``--source`` with the same boxes in each."""
        if self.args.source == SYNTHETIC:
            return [self.scene(8)]
        images = recorded_images(self.args.source, count=8)
        return [Scene(image, synthetic_scene(8, width=image.shape[1], height=image.shape[0]).boxes) for image in images]

    def proven(self, recipes: Mapping[str, Recipe], refused: dict[str, str]) -> dict[str, Candidate]:
        """The candidates that could be made and ran once; the others go into ``refused`` with the reason."""
        found: dict[str, Candidate] = {}
        for name, (make, given) in recipes.items():
            if not self.has_time:
                refused[name] = "no time left"
                continue
            try:
                candidate = make(*given)
                candidate()  # engines are built, and graphs recorded, by the first run
                found[name] = candidate
            except Exception as error:  # noqa: BLE001 - one that this build lacks must not cost the others
                refused[name] = f"{type(error).__name__}: {error}".splitlines()[0]
            self.say(f"{name}: {refused.get(name, 'ready')}")
        return found

    def timed(self, candidates: Mapping[str, Candidate]) -> dict[str, np.ndarray]:
        return interleaved(candidates, rounds=self.args.rounds, warm_up=min(5, self.args.rounds))
