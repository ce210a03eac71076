# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""``benchmark --node``: what ROS 2 adds to the pipeline, and how old the results are when somebody has them."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from pose_resnet_ros.benchmark.frames import RECORDED_COUNT, SYNTHETIC_WH, Source
from pose_resnet_ros.benchmark.report import Table
from pose_resnet_ros.benchmark.scenes import SYNTHETIC, recorded_images, synthetic_scene
from pose_resnet_ros.core.errors import BenchmarkError, ModelError


def measure_through_ros(
    source: Source, parameters: Mapping[str, Any], *, rate_hz: float, seconds: float, without_networks: bool = False
) -> dict[str, Any]:
    """The fields of ``ros.programs.benchmark_node.NodeRow``; parameters: of the node. Raises BenchmarkError without ROS 2."""
    try:
        from pose_resnet_ros.ros.programs.benchmark_node import measure_node
    except ImportError as error:
        raise BenchmarkError(f"--node needs ROS 2: no module named '{error.name}'; source its setup.bash first") from error
    given = dict(parameters)
    with tempfile.TemporaryDirectory() as folder:
        if without_networks:
            model = null_model(Path(folder) / "null.onnx")
            given |= {"pose_model": str(model), "detector_model": "full_frame"}
        row = measure_node(_frames(source), rate_hz=rate_hz, seconds=seconds, parameters=given)
    return asdict(row)


def node_tables(row: Mapping[str, Any]) -> list[Table]:
    facts = dict(row)
    stages = facts.pop("stage_ms")
    cells = [(name, f"{value:.1f}" if isinstance(value, float) else str(value)) for name, value in facts.items()]
    stage_cells = [(name, f"{ms:.1f}") for name, ms in stages.items()]
    return [
        Table("the node, from outside", ("measure", "value"), cells),
        Table("stages in the node, median ms", ("stage", "ms"), stage_cells),
    ]


def null_model(path: Path) -> Path:
    """A pose network that costs next to nothing: what remains of the node's time is ROS 2's and ours. Raises ModelError."""
    try:
        import onnx

        from pose_resnet_ros.export.graph import GraphBuilder, describe
    except ModuleNotFoundError as error:
        raise ModelError("--without-networks needs onnx; pip install onnx") from error
    from pose_resnet_ros.models.spec import InputSpec, PoseSpec

    graph = GraphBuilder()
    pooled = graph.node("AveragePool", "input", kernel_shape=[4, 4], strides=[4, 4])
    graph.conv(pooled, np.full((17, 3, 1, 1), 1 / 3, np.float32), np.zeros(17, np.float32), output="heatmaps")
    shapes: dict[str, Any] = {"input_shape": ("N", 3, 64, 48), "outputs": {"heatmaps": ("N", 17, 16, 12)}}
    model = graph.model(**shapes)
    spec = PoseSpec("null", InputSpec(48, 64, "bgr", 1 / 255), decoder="microsoft", skeleton="coco17")
    describe(model, spec)
    onnx.save(model, str(path))
    return path


def _frames(source: Source) -> np.ndarray:
    """(n, H, W, 3) uint8 BGR."""
    if source.name == SYNTHETIC:
        width, height = source.size_wh or SYNTHETIC_WH
        return synthetic_scene(0, width=width, height=height).image[None]
    return np.stack(recorded_images(source.name, count=RECORDED_COUNT, size_wh=source.size_wh))
