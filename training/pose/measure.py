# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Accuracy of a pose model file through the package's own code: ``python3 -m training.pose.measure --help``."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from pose_resnet_ros.core.boxes import xyxy_from_xywh
from pose_resnet_ros.core.types import Detections
from pose_resnet_ros.models.pose_net import PoseNet
from pose_resnet_ros.models.registry import own_precision
from training.coco import Person, Photograph, load_photographs
from training.data_options import add_data_options, new_parser, open_images, read_split
from training.images import ImageStore, image_source
from training.pose.metrics import LIMB_JOINTS, pck
from training.pose.presence import Presence
from training.pose.presence import measure as presence_of

THRESHOLDS = (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4)


def main(arguments: list[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    _, validation = read_split(options)
    images = open_images(options, validation)
    net = PoseNet(options.model, precision=own_precision(options.model))
    plain = measure(net, validation, images)
    flipped = measure(net, validation, images, flip_test=True)
    presence = measure_presence(net, options) if options.check else None
    net.close()
    print("| PCK@0.1 | all | " + " | ".join(LIMB_JOINTS) + " |")
    print("| --- |" + " --- |" * (1 + len(LIMB_JOINTS)))
    for name, measured in (("one pass", plain), ("with flip test", flipped)):
        print(f"| {name} | " + " | ".join(f"{value:.3f}" for value in measured.values()) + " |")
    if presence:
        print(f"\n{len(presence.cut_off)} joints cut off, {len(presence.seen)} to be seen, in pictures cut for it")
        print("| threshold | cut off and under it | to be seen and over it |\n| --- | --- | --- |")
        for threshold in THRESHOLDS:
            print("| {} | {:.3f} | {:.3f} |".format(threshold, *presence.at(threshold)))


def measure_presence(net: PoseNet, options: argparse.Namespace) -> Presence:
    photographs = load_photographs(options.check / options.annotations)
    return presence_of(net, photographs, ImageStore(image_source(options.check)))


def measure(net: PoseNet, photographs: list[Photograph], images: ImageStore, *, flip_test: bool = False) -> dict[str, float]:
    """PCK@0.1 over the persons that the images were annotated for, from their annotated boxes."""
    predicted: list[np.ndarray] = []
    persons: list[Person] = []
    for photograph in photographs:
        chosen = [person for person in photograph.persons if person.is_main and person.has_keypoints]
        if not chosen:
            continue
        boxes = xyxy_from_xywh(np.stack([person.box_xywh for person in chosen]))
        found = net.estimate(
            images.read(photograph.file_name), Detections(boxes, np.ones(len(boxes), np.float32)), flip_test=flip_test
        )
        predicted.append(found.people.keypoints_xy)
        persons += chosen
    keypoints, boxes = np.stack([p.keypoints for p in persons]), np.stack([p.box_xywh for p in persons])
    return pck(np.concatenate(predicted), keypoints, boxes)


def _parser() -> argparse.ArgumentParser:
    parser = new_parser(__doc__)
    add_data_options(parser)
    parser.add_argument("--model", default="pose_resnet_lite", help="name or path of a pose model")
    parser.add_argument(
        "--check", type=Path, help="COCO folder whose pictures are cut, to see what the scores say of what is gone"
    )
    return parser


if __name__ == "__main__":
    main()
