# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Where a model file comes from: the lines of its metadata, and the options of the two exports that say them."""

from __future__ import annotations

import argparse
import subprocess
from pathlib import Path

LICENCE = "Apache-2.0"
PHOTOGRAPHS = (
    "photographs of Leeds Sports Pose Extended (S. Johnson, M. Everingham, Learning Effective Human Pose Estimation from "
    "Inaccurate Annotation, CVPR 2011), Stanford-40 Actions (B. Yao et al., Human Action Recognition by Learning Bases of Action "
    "Attributes and Parts, ICCV 2011) and Clothing Co-Parsing (W. Yang, P. Luo, L. Lin, CVPR 2014)"
)
DATA_TERMS = "the photographs are for research; their authors ask to be cited. No photograph is contained in the weights."


def add_export_options(parser: argparse.ArgumentParser, *, name: str, width: int, height: int, data_set: str) -> None:
    """What both exports ask; width, height: of the network's input unless told otherwise."""
    parser.add_argument("--weights", type=Path, required=True, help="best.pt or last.pt of a run")
    parser.add_argument("--output", type=Path, default=Path(f"{name}.onnx"))
    parser.add_argument("--width", type=int, default=width, help="input width, a multiple of 32")
    parser.add_argument("--height", type=int, default=height, help="input height, a multiple of 32")
    parser.add_argument("--accuracy", default="not measured", help="a line on the measured accuracy, for the metadata")
    parser.add_argument("--data-set", default=data_set, help="a line on what it was trained on")
    parser.add_argument("--data-terms", default=DATA_TERMS, help="a line on the terms of that data")
    parser.add_argument("--commit", default="", help="training commit, if not the current one")


def provenance_of(options: argparse.Namespace) -> dict[str, str]:
    return {
        "licence": LICENCE,
        "data": options.data_set,
        "data_terms": options.data_terms,
        "accuracy": options.accuracy,
        "training_commit": options.commit or _commit_of_source(),
    }


def _commit_of_source() -> str:
    """The commit of the source tree, or "unknown" outside a repository."""
    found = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=Path(__file__).parent, capture_output=True, text=True)
    return found.stdout.strip() or "unknown"
