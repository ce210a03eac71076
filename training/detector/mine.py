# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Collect what a detector takes for persons where nobody is: ``python3 -m training.detector.mine --help``."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from rich.progress import track

from pose_resnet_ros.core.types import Detections
from pose_resnet_ros.models.detector import load_detector
from pose_resnet_ros.models.registry import own_precision
from training.data_options import add_data_options, new_parser, open_images, read_split
from training.detector.hard_negatives import HardNegative, free_view, save
from training.detector.labels import BoxLabels, labels_of

NMS_IOU = 0.45
SMALLEST_PX = 12.0


def main(arguments: list[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    training, _ = read_split(options)
    images = open_images(options)
    detector = load_detector(options.model, precision=own_precision(options.model))
    found: list[HardNegative] = []
    for label in track([labels_of(photograph) for photograph in training], "mining"):
        image = images.read(label.file_name)
        persons = detector.detect(image, detection_threshold=options.least_score, nms_threshold=NMS_IOU)
        found += false_alarms(label, persons, (image.shape[1], image.shape[0]))
    detector.close()
    save(options.output, found)
    print(f"{len(found)} places in {len({n.file_name for n in found})} pictures: {options.output}")


def false_alarms(label: BoxLabels, persons: Detections, image_wh: tuple[int, int]) -> Iterator[HardNegative]:
    """The detections that touch no person and no region to ignore, with the view round them that shows nobody."""
    for box, score in zip(persons.boxes_xyxy, persons.scores, strict=True):
        inside = np.clip(box, 0, [*image_wh, *image_wh])
        if (inside[2:] - inside[:2]).min() < SMALLEST_PX:
            continue
        view = free_view(inside, label, image_wh)
        if view is not None:
            corners = tuple(inside.round(1).tolist())
            yield HardNegative(label.file_name, corners, tuple(view.tolist()), round(float(score), 3))  # type: ignore[arg-type]


def _parser() -> argparse.ArgumentParser:
    parser = new_parser(__doc__)
    add_data_options(parser)
    parser.add_argument("--model", default="person_lite", help="a detector's name, or the path of an ONNX file")
    parser.add_argument("--least-score", type=float, default=0.15, help="of what counts as taken for a person")
    parser.add_argument("--output", type=Path, default=Path("training/runs/hard_negatives.json"))
    return parser


if __name__ == "__main__":
    main()
