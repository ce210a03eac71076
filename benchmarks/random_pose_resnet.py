#!/usr/bin/env python3
# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""A PoseResNet with random weights as an ONNX file, to measure speed without a download.

python3 -m benchmarks.random_pose_resnet --depth 50 --output random50.onnx
pose_resnet_ros export random50.onnx --int8 --calibration IMAGES --output random50.int8.onnx
"""

from __future__ import annotations

import argparse
from pathlib import Path

from pose_resnet_ros.core.types import InputSpec
from pose_resnet_ros.export.conversion import ExportOptions, PoseCheckpoint, export, save
from pose_resnet_ros.export.torch_networks import pose_resnet, seeded
from pose_resnet_ros.models.spec import PoseSpec

# As the COCO models of microsoft/human-pose-estimation.pytorch have it.
INPUT = InputSpec(192, 256, "bgr", 1 / 255, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))


def random_source(depth: int) -> PoseCheckpoint:
    """The network and its description; the same weights each time."""
    state = {name: tensor.numpy() for name, tensor in seeded(pose_resnet(depth)).state_dict().items()}
    spec = PoseSpec(f"random_pose_resnet_{depth}", INPUT, decoder="microsoft", skeleton="coco17")
    return PoseCheckpoint(state, spec)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--depth", type=int, default=50, choices=(18, 34, 50, 101, 152))
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--split", action="store_true", help="as export --split")
    options = parser.parse_args()
    source = random_source(options.depth)
    save(export(source, source.spec, ExportOptions(split=options.split)), options.output)


if __name__ == "__main__":
    main()
