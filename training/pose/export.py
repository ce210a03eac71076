# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Write a trained pose network as a self-describing ONNX file: ``python3 -m training.pose.export --help``."""

from __future__ import annotations

import argparse

import onnx
import torch

from pose_resnet_ros.export.graph import describe
from pose_resnet_ros.export.pose_resnet import pose_graph
from training.checkpoints import load_weights
from training.data_options import new_parser
from training.half_storage import store_half
from training.pose import model as pose_model
from training.provenance import PHOTOGRAPHS, add_export_options, provenance_of

DATA_SET = f"{PHOTOGRAPHS}; beside the labels of the first the answers of MoveNet Thunder, alone on the others"


def main(arguments: list[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    made = export(load_weights(options.weights), width=options.width, height=options.height, provenance=provenance_of(options))
    onnx.save(made, options.output)
    print(f"{options.output}: {options.output.stat().st_size / 1e6:.2f} MB")


def export(state: dict[str, torch.Tensor], *, width: int, height: int, provenance: dict[str, str]) -> onnx.ModelProto:
    """``input`` (N, 3, height, width) -> ``heatmaps``: N dynamic, batch norm folded, weights in half precision."""
    arrays = {key: value.float().numpy() for key, value in state.items() if value.is_floating_point()}
    made = pose_graph(arrays, width=width, height=height)
    store_half(made)
    describe(made, pose_model.describe(width=width, height=height, provenance=provenance))
    return made


def _parser() -> argparse.ArgumentParser:
    parser = new_parser(__doc__)
    add_export_options(parser, name=pose_model.NAME, width=pose_model.WIDTH, height=pose_model.HEIGHT, data_set=DATA_SET)
    return parser


if __name__ == "__main__":
    main()
