#!/usr/bin/env python3
# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""What ``detector_input`` buys and costs: AP50 of near and far persons, and CPU time, at several sizes of the input.

Persons are near in single photographs, further away in pictures of 2x2 and 3x3 photographs (the validation split), each
fitted into a field of 352x264. Times are CPU time of one thread, taken in turns, for letterbox, network and boxes together.

python3 -m benchmarks.detector_input --annotations FILE --images DIR_OR_TAR --sizes 416x320 320x256 640x480
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from pose_resnet_ros.core.types import Detections
from pose_resnet_ros.models.detector import Detector, load_detector
from pose_resnet_ros.models.registry import own_precision
from pose_resnet_ros.models.runtime import RunOn
from pose_resnet_ros.settings import LoadSettings
from training.coco import load_photographs
from training.detector.evaluation import measure
from training.detector.labels import BoxLabels, labels_of
from training.images import ImageStore

FIELD_WH = (352, 264)
PICTURES = {1: 300, 2: 100, 3: 60}  # by photographs along a side


@dataclass
class Candidate:
    """One size of the input, and what came of it."""

    size: str
    detector: Detector
    found: list[Detections] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def run(self, picture: np.ndarray) -> None:
        begin = time.thread_time()
        self.found.append(self.detector.detect(picture, detection_threshold=0.02, nms_threshold=0.45))
        self.seconds.append(time.thread_time() - begin)


def main() -> None:
    options = _parse()
    labels = [labels_of(photograph) for photograph in load_photographs(options.annotations)[-options.last :]]
    images, rng = ImageStore(options.images), np.random.default_rng(0)
    for side, count in PICTURES.items():
        candidates = [
            Candidate(
                size,
                load_detector(
                    options.model,
                    run_on=RunOn(threads=1),
                    precision=own_precision(options.model),
                    input_wh=LoadSettings(detector_input=size).detector_input_wh,
                ),
            )
            for size in options.sizes
        ]
        truth = []
        for rows in rng.choice(len(labels), (count, side * side)):
            picture, label = mosaic([labels[row] for row in rows], images, side=side)
            truth.append(label)
            for candidate in candidates:
                candidate.run(picture)
        report(candidates, truth, side=side)


def mosaic(labels: list[BoxLabels], images: ImageStore, *, side: int) -> tuple[np.ndarray, BoxLabels]:
    """side x side photographs on grey, each fitted into its field; the boxes of all of them."""
    width, height = FIELD_WH
    picture = np.full((height * side, width * side, 3), 128, np.uint8)
    boxes, ignored = [], []
    for number, label in enumerate(labels):
        image = images.read(label.file_name)
        scale = min(width / image.shape[1], height / image.shape[0])
        size = max(1, int(image.shape[1] * scale)), max(1, int(image.shape[0] * scale))
        x = number % side * width + (width - size[0]) // 2
        y = number // side * height + (height - size[1]) // 2
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        picture[y : y + size[1], x : x + size[0]] = small
        boxes.append(label.boxes_xyxy * scale + (x, y, x, y))
        ignored.append(label.ignore_xyxy * scale + (x, y, x, y))
    joined = [np.concatenate(rows).astype(np.float32) for rows in (boxes, ignored)]
    return picture, BoxLabels("", *joined)


def report(candidates: list[Candidate], truth: list[BoxLabels], *, side: int) -> None:
    heights = np.concatenate([label.boxes_xyxy[:, 3] - label.boxes_xyxy[:, 1] for label in truth])
    share = np.median(heights[heights > 40]) / (FIELD_WH[1] * side)
    print(f"{len(truth)} pictures of {side}x{side}; persons' median height {share:.2f} of the picture's")
    first = np.array(candidates[0].seconds)
    for candidate in candidates:
        quality, seconds = measure(candidate.found, truth), np.array(candidate.seconds)
        precision, recall = quality.at(0.4)
        print(
            f"  {candidate.size}: AP50 {quality.ap50:.3f}; at 0.4 precision {precision:.2f}, recall {recall:.2f};"
            f" {1e3 * np.median(seconds):.1f} ms, {np.median(seconds / first):.2f} of {candidates[0].size}"
        )


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="person_lite")
    parser.add_argument("--annotations", type=Path, required=True)
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--last", type=int, default=900, help="use the last so many photographs")
    parser.add_argument("--sizes", nargs="+", default=["416x320", "256x192", "320x256", "512x384", "640x480"])
    return parser.parse_args()


if __name__ == "__main__":
    main()
