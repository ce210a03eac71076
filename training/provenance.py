# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Where a model file comes from: the lines of its metadata, and the options that say them."""

from __future__ import annotations

import argparse
import subprocess
from pathlib import Path

LICENCE = "Apache-2.0"
PHOTOGRAPHS = (
    "photographs of the Leeds Sports Pose Extended set (S. Johnson, M. Everingham, Learning Effective Human Pose Estimation "
    "from Inaccurate Annotation, CVPR 2011)"
)
DATA_TERMS = "the photographs are for research; their authors ask to be cited. No photograph is contained in the weights."


def add_provenance_options(parser: argparse.ArgumentParser, *, data_set: str) -> None:
    parser.add_argument(
        "--accuracy", default="not measured", help="a line on the measured accuracy, for the metadata"
    )
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
    found = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=Path(__file__).parent, capture_output=True, text=True
    )
    return found.stdout.strip() or "unknown"
