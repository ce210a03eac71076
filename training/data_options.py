# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""What the commands share: where the data lies, and how it is split. Without PyTorch, so that measuring needs none."""

from __future__ import annotations

import argparse
from pathlib import Path

from training.coco import Photograph, load_photographs, split_by_id
from training.images import ImageStore


def new_parser(description: str | None) -> argparse.ArgumentParser:
    return argparse.ArgumentParser(
        description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )


def add_data_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, help="folder of the data set")
    parser.add_argument(
        "--annotations", default="annotations.json", help="COCO-format file in the data folder"
    )
    parser.add_argument(
        "--images", type=Path, help="folder or .tar of the images; default: images.tar in --data"
    )
    parser.add_argument("--validation-images", type=int, default=900, help="last ids, kept for validation")


def read_split(
    options: argparse.Namespace, *, teacher: Path | None = None
) -> tuple[list[Photograph], list[Photograph]]:
    """(training, validation) photographs."""
    photographs = load_photographs(options.data / options.annotations, teacher=teacher)
    return split_by_id(photographs, validation_count=options.validation_images)


def open_images(options: argparse.Namespace) -> ImageStore:
    cache_bytes = int(getattr(options, "cache_gb", 0) * 1e9)
    return ImageStore(options.images or options.data / "images.tar", cache_bytes=cache_bytes)
