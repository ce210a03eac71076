# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Measure any detector of the package on held-out photographs: ``python3 -m training.detector.measure --help``."""

from __future__ import annotations

import argparse
from pathlib import Path

from tqdm import tqdm

from pose_resnet_ros.core.types import Detections
from pose_resnet_ros.models.detector import load_detector
from pose_resnet_ros.models.registry import own_precision
from pose_resnet_ros.settings import FrameSettings
from training.data_options import add_data_options, new_parser, open_images, read_split
from training.detector.check import BoxCheck
from training.detector.evaluation import measure
from training.detector.labels import BoxLabels, labels_of
from training.images import ImageStore

LOWEST_SCORE = 0.02
THRESHOLDS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7)


def main(arguments: list[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    _, validation = read_split(options)
    labels = [labels_of(photograph) for photograph in validation]
    images = open_images(options, validation)
    found = detect_all(options.model, labels, images)
    tall, every = measure(found, labels), measure(found, labels, counted_above_px=0)
    print(f"AP50 {tall.ap50:.3f} for persons over 40 px, {every.ap50:.3f} for all, on {len(labels)} photographs\n")
    print("| threshold | precision | recall |\n| --- | --- | --- |")
    for threshold in THRESHOLDS:
        precision, recall = tall.at(threshold)
        print(f"| {threshold} | {precision:.2f} | {recall:.2f} |")
    if options.check:
        print_check(options.model, options.check)


def print_check(model: str, folder: Path) -> None:
    """COCO's box AP, and what the default threshold does."""
    settings = FrameSettings()
    detector = load_detector(model, precision=own_precision(model))
    result = BoxCheck(folder).measure(
        lambda image: detector.detect(image, detection_threshold=LOWEST_SCORE, nms_threshold=settings.nms_threshold),
        threshold=settings.detection_threshold,
    )
    detector.close()
    print(f"\n{folder.name}: AP50 {result.ap50:.3f}, AP {result.ap:.3f}, AP of large persons {result.ap_large:.3f}")
    print(f"at {settings.detection_threshold}: precision {result.precision:.2f}, recall {result.recall:.2f}")
    print(f"best F1 {result.best_f1:.3f} at {result.best_threshold:.2f}")
    print(f"{result.false_alarms} of {result.empty} pictures without anybody got a person")


def detect_all(model: str, labels: list[BoxLabels], images: ImageStore) -> list[Detections]:
    """The persons in each photograph, down to scores too low to use, by the package's own code."""
    detector = load_detector(model, precision=own_precision(model))
    nms_threshold = FrameSettings().nms_threshold
    try:
        return [
            detector.detect(images.read(label.file_name), detection_threshold=LOWEST_SCORE, nms_threshold=nms_threshold)
            for label in tqdm(labels, desc="detecting", disable=None)
        ]
    finally:
        detector.close()


def _parser() -> argparse.ArgumentParser:
    parser = new_parser(__doc__)
    add_data_options(parser)
    parser.add_argument("--model", default="person_lite", help="a detector's name, or the path of an ONNX file")
    parser.add_argument("--check", type=Path, help="COCO folder with boxes of all persons, measured as well")
    return parser


if __name__ == "__main__":
    main()
