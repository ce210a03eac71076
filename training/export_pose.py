# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Write a trained pose network as a self-describing ONNX file: ``python -m training.export_pose --help``."""

from __future__ import annotations

import argparse
from pathlib import Path

import onnx
import torch

from pose_resnet_ros.export.graph import describe
from pose_resnet_ros.export.pose_graph import pose_graph
from training import pose_model
from training.export_detector import commit_of_source
from training.half_storage import store_half

DATA_SET = (
    "Leeds Sports Pose Extended: S. Johnson and M. Everingham, Learning Effective Human Pose Estimation from Inaccurate "
    "Annotation, CVPR 2011; faces and some bystanders labelled by MediaPipe BlazePose"
)
DATA_TERMS = "the photographs are for research; their authors ask to be cited. No photograph is contained in the weights."


def main(arguments: list[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    provenance = {
        "licence": "Apache-2.0",
        "data": options.data_set,
        "data_terms": options.data_terms,
        "accuracy": options.accuracy,
        "training_commit": options.commit or commit_of_source(),
    }
    state = pose_model.load_weights(options.weights)
    onnx.save(
        export(state, width=options.width, height=options.height, provenance=provenance), options.output
    )
    print(f"{options.output}: {options.output.stat().st_size / 1e6:.2f} MB")


def export(
    state: dict[str, torch.Tensor], *, width: int, height: int, provenance: dict[str, str]
) -> onnx.ModelProto:
    """``input`` (N, 3, height, width) -> ``heatmaps``: N dynamic, batch norm folded, weights in half precision."""
    arrays = {key: value.float().numpy() for key, value in state.items() if value.is_floating_point()}
    made = pose_graph(arrays, width=width, height=height)
    store_half(made)
    describe(made, pose_model.describe(width=width, height=height, provenance=provenance))
    return made


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--weights", type=Path, required=True, help="best.pt or last.pt of a run")
    parser.add_argument("--output", type=Path, default=Path("pose_resnet_lite.onnx"))
    parser.add_argument(
        "--accuracy", default="not measured", help="a line on the measured accuracy, for the metadata"
    )
    parser.add_argument(
        "--data-set", default=DATA_SET, help="a line on what it was trained on, for the metadata"
    )
    parser.add_argument(
        "--data-terms", default=DATA_TERMS, help="a line on the terms of that data, for the metadata"
    )
    parser.add_argument("--commit", default="", help="training commit, if not the current one")
    parser.add_argument("--width", type=int, default=pose_model.WIDTH, help="input width, a multiple of 32")
    parser.add_argument(
        "--height", type=int, default=pose_model.HEIGHT, help="input height, a multiple of 32"
    )
    return parser


if __name__ == "__main__":
    main()
