# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Measure any detector of the package on held-out photographs: ``python -m training.measure_detector --help``."""

from __future__ import annotations

import argparse
from pathlib import Path

from tqdm import tqdm

from pose_resnet_ros.core.types import Detections
from pose_resnet_ros.models.detector import load_detector
from pose_resnet_ros.settings import PipelineSettings
from training.coco import load_photographs, split_by_id
from training.detector_eval import measure
from training.detector_labels import BoxLabels, labels_of
from training.images import ImageStore

LOWEST_SCORE = 0.02
THRESHOLDS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7)


def main(arguments: list[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    photographs = load_photographs(options.data / options.annotations)
    _, validation = split_by_id(photographs, validation_count=options.validation_images)
    labels = [labels_of(photograph) for photograph in validation]
    images = ImageStore(options.images or options.data / "images.tar")
    found = detect_all(options.model, labels, images)
    tall, every = measure(found, labels), measure(found, labels, counted_above_px=0)
    print(
        f"AP50 {tall.ap50:.3f} for persons over 40 px, {every.ap50:.3f} for all, on {len(labels)} photographs\n"
    )
    print("| threshold | precision | recall |\n| --- | --- | --- |")
    for threshold in THRESHOLDS:
        precision, recall = tall.at(threshold)
        print(f"| {threshold} | {precision:.2f} | {recall:.2f} |")


def detect_all(model: str, labels: list[BoxLabels], images: ImageStore) -> list[Detections]:
    """The persons in each photograph, down to scores too low to use, by the package's own code."""
    detector = load_detector(model)
    nms_threshold = PipelineSettings().nms_threshold
    try:
        return [
            detector.detect(
                images.read(label.file_name), detection_threshold=LOWEST_SCORE, nms_threshold=nms_threshold
            )
            for label in tqdm(labels, desc="detecting", disable=None)
        ]
    finally:
        detector.close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument(
        "--model", default="person_lite", help="a detector's name, or the path of an ONNX file"
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the annotations and the images")
    parser.add_argument("--annotations", default="annotations.json", help="COCO-format JSON in that folder")
    parser.add_argument(
        "--images", type=Path, help="folder or .tar of the images, if not images.tar in --data"
    )
    parser.add_argument("--validation-images", type=int, default=900, help="last ids, to measure on")
    return parser


if __name__ == "__main__":
    main()
