# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""What the commands share: where the data lies, and how it is split. Without PyTorch, so that measuring needs none."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

from training.coco import Photograph, load_photographs, photograph_without_people, split_by_id
from training.images import ImageStore, image_source


def new_parser(description: str | None) -> argparse.ArgumentParser:
    return argparse.ArgumentParser(description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter)


def add_data_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data",
        type=Path,
        nargs="+",
        required=True,
        help="folders of data sets; one without an annotation file holds pictures without people",
    )
    parser.add_argument("--annotations", default="annotations.json", help="COCO-format file in each data folder")
    parser.add_argument("--validation-images", type=int, default=900, help="last ids of the first --data, kept for validation")


def read_split(options: argparse.Namespace) -> tuple[list[Photograph], list[Photograph]]:
    """(training, validation) photographs. Validation is a part of the first data set; the others are trained on whole."""
    training, validation = split_by_id(read_folder(options.data[0], options), validation_count=options.validation_images)
    for folder in options.data[1:]:
        training += read_folder(folder, options)
    return training, validation


def read_folder(folder: Path, options: argparse.Namespace) -> list[Photograph]:
    """The photographs of a data folder, with a teacher's answers where it holds a ``teacher.json``."""
    annotations = folder / options.annotations
    teacher = folder / "teacher.json"
    if annotations.exists():
        return load_photographs(annotations, teacher=teacher if teacher.exists() else None)
    source = image_source(folder)
    return [photograph_without_people(name) for name in ImageStore(source).names(source)]


def open_images(options: argparse.Namespace, photographs: Iterable[Photograph] = ()) -> ImageStore:
    """photographs: those whose pixels are to be the ones of their annotations."""
    cache_bytes = int(getattr(options, "cache_gb", 0) * 1e9)
    return ImageStore(*map(image_source, options.data), cache_bytes=cache_bytes, photographs=photographs)
