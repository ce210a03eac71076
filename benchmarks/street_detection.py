#!/usr/bin/env python3
# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""How well detectors find everybody on a street, against tracks drawn by hand (benchmarks/street_tracks.json).

python3 -m benchmarks.street_detection vtest.avi person_lite my_detector.onnx

vtest.avi is OpenCV's (samples/data). Every fifth frame of both parts is looked at; hidden persons count too.
"""

from __future__ import annotations

import argparse
import json
from contextlib import closing

import numpy as np

from benchmarks.tracking import TRACKS, truth_of
from pose_resnet_ros.core.types import Detections
from pose_resnet_ros.media import open_media
from pose_resnet_ros.models.detector import load_detector
from pose_resnet_ros.models.registry import own_precision
from pose_resnet_ros.settings import FrameSettings
from training.detector.evaluation import measure
from training.detector.labels import BoxLabels

STEP = 5
LOWEST_SCORE = 0.02
NOBODY = np.zeros((0, 4), np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("footage")
    parser.add_argument("models", nargs="+", help="names, or paths of ONNX files")
    options = parser.parse_args()
    labels = street_labels()
    frames = read_frames(options.footage, set(labels))
    print("| model | AP50 | precision at the default threshold | recall |\n| --- | --- | --- | --- |")
    for model in options.models:
        found = detect(model, frames)
        result = measure([found[number] for number in labels], list(labels.values()))
        precision, recall = result.at(FrameSettings().detection_threshold)
        print(f"| {model} | {result.ap50:.3f} | {precision:.2f} | {recall:.2f} |")


def street_labels() -> dict[int, BoxLabels]:
    """Everybody's box, by frame number."""
    data = json.loads(TRACKS.read_text())
    labels = {}
    for part in data["parts"].values():
        for number, boxes in enumerate(truth_of(part, data["image_size"]), start=part["frames"][0]):
            if number % STEP == 0:
                persons = np.array(list(boxes.values()), np.float32).reshape(-1, 4)
                labels[number] = BoxLabels(str(number), persons, NOBODY)
    return labels


def read_frames(footage: str, numbers: set[int]) -> dict[int, np.ndarray]:
    """(H, W, 3) uint8 BGR by frame number."""
    frames = {}
    with closing(open_media(footage)) as media:
        while len(frames) < len(numbers) and (picture := media.read()) is not None:
            if picture.index in numbers:
                frames[picture.index] = picture.bgr
    return frames


def detect(model: str, frames: dict[int, np.ndarray]) -> dict[int, Detections]:
    with closing(load_detector(model, precision=own_precision(model))) as detector:
        return {
            number: detector.detect(image, detection_threshold=LOWEST_SCORE, nms_threshold=FrameSettings().nms_threshold)
            for number, image in frames.items()
        }


if __name__ == "__main__":
    main()
