#!/usr/bin/env python3
# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""What a precision costs in accuracy: PCK on annotated persons, and how far keypoints move against the first model.

python3 -m benchmarks.precision_accuracy --annotations FILE --images DIR --last 900 pose_resnet_lite FILE.int8.onnx
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from pose_resnet_ros.core.boxes import xyxy_from_xywh
from pose_resnet_ros.core.types import Detections
from pose_resnet_ros.models.pose_net import PoseNet
from pose_resnet_ros.models.registry import own_precision
from pose_resnet_ros.models.runtime import RunOn
from pose_resnet_ros.stills import StillImage
from training.coco import load_photographs
from training.pose.metrics import pck


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+")
    parser.add_argument("--annotations", type=Path, required=True)
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--last", type=int, default=900, help="use the last so many pictures (the validation split)")
    options = parser.parse_args()
    photographs = load_photographs(options.annotations)[-options.last :]
    nets = [PoseNet(model, run_on=RunOn(backend="cpu", threads=1), precision=own_precision(model)) for model in options.models]
    keypoints, boxes, found = [], [], [[] for _ in nets]
    for photograph in photographs:
        persons = [person for person in photograph.persons if person.is_main and person.has_keypoints]
        if not persons:
            continue
        size_wh = photograph.width, photograph.height
        image = StillImage(options.images / photograph.file_name).declared_pixels(size_wh)
        boxes_xywh = np.array([person.box_xywh for person in persons], np.float32)
        detections = Detections(xyxy_from_xywh(boxes_xywh), np.ones(len(persons), np.float32))
        for net, points in zip(nets, found, strict=True):
            points.append(net.estimate(image, detections).people.keypoints_xy)
        keypoints.extend(person.keypoints for person in persons)
        boxes.append(boxes_xywh)
    report(options.models, [np.concatenate(points) for points in found], np.array(keypoints), np.concatenate(boxes))


def report(models: list[str], found: list[np.ndarray], keypoints: np.ndarray, boxes_xywh: np.ndarray) -> None:
    print(f"{len(keypoints)} persons")
    for model, points in zip(models, found, strict=True):
        moved = np.linalg.norm(points - found[0], axis=-1)
        score = pck(points, keypoints, boxes_xywh)["pck"]
        print(f"{model}: PCK@0.1 {score:.4f}; moved {moved.mean():.2f} px in the mean, {np.percentile(moved, 95):.1f} px at p95")


if __name__ == "__main__":
    main()
