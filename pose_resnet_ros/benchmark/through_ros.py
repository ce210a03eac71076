# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""``benchmark --node``: what ROS 2 adds to the pipeline, and how old the results are when a listener has them."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pose_resnet_ros.benchmark.scenes import Source
from pose_resnet_ros.core.errors import BenchmarkError, ModelError


def measure_through_ros(
    source: Source, parameters: Mapping[str, Any], *, rate_hz: float, seconds: float, without_networks: bool = False
) -> dict[str, Any]:
    """What ``ros.programs.benchmark_node.measure_node`` gives; parameters: of the node. Raises BenchmarkError without ROS 2."""
    try:
        from pose_resnet_ros.ros.programs.benchmark_node import measure_node
    except ImportError as error:
        raise BenchmarkError(f"--node needs ROS 2: no module named '{error.name}'; source its setup.bash first") from error
    given = dict(parameters)
    with tempfile.TemporaryDirectory() as folder:
        if without_networks:
            model = null_model(Path(folder) / "null.onnx")
            given |= {"pose_model": str(model), "detector_model": "full_frame"}
        return measure_node(np.stack(source.images()), rate_hz=rate_hz, seconds=seconds, parameters=given)


def null_model(path: Path) -> Path:
    """A pose network that costs almost nothing: the rest of the node's time is ROS 2's and ours. Raises ModelError."""
    try:
        import onnx

        from pose_resnet_ros.export.graph import GraphBuilder, describe
    except ModuleNotFoundError as error:
        raise ModelError("--without-networks needs onnx: pip install onnx") from error
    from pose_resnet_ros.core.types import InputSpec
    from pose_resnet_ros.models.spec import PoseSpec

    graph = GraphBuilder()
    pooled = graph.node("AveragePool", "input", kernel_shape=[4, 4], strides=[4, 4])
    graph.conv(pooled, np.full((17, 3, 1, 1), 1 / 3, np.float32), np.zeros(17, np.float32), output="heatmaps")
    shapes: dict[str, Any] = {"input_shape": ("N", 3, 64, 48), "outputs": {"heatmaps": ("N", 17, 16, 12)}}
    model = graph.model(**shapes)
    spec = PoseSpec("null", InputSpec(48, 64, "bgr", 1 / 255), decoder="microsoft", skeleton="coco17")
    describe(model, spec)
    onnx.save(model, str(path))
    return path
