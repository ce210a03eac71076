# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""What a teacher says of the photographed persons: ``python3 -m training.pose.label --help``."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

from rich.progress import track

from training.coco import Person, Photograph
from training.data_options import add_data_options, new_parser, open_images, read_split
from training.pose.teacher import BlazePose, TaughtPose, load_network

LEAST_HEIGHT = 60  # pixels of a person that was not annotated: smaller ones would only blur what is learnt
LEAST_SCORE = 0.5  # of its box


def main(arguments: list[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    training, validation = read_split(options)
    images = open_images(options)
    teacher = BlazePose(load_network(options.model))
    persons = list(persons_to_label(validation if options.validation else training))
    poses = [
        pose_row(person, teacher.label(images.read(photograph.file_name), person.box_xywh))
        for photograph, person in track(persons, "labelling")
    ]
    options.output.write_text(json.dumps({"teacher": options.model.name, "poses": poses}))
    print(f"{len(poses)} persons labelled in {options.output}")


def persons_to_label(photographs: list[Photograph]) -> Iterator[tuple[Photograph, Person]]:
    """The persons that the images were annotated for, and others who are large and sure enough."""
    for photograph in photographs:
        for person in photograph.persons:
            tall = person.box_xywh[3] > LEAST_HEIGHT and person.score > LEAST_SCORE
            if (person.is_main and person.has_keypoints) or (not person.is_main and tall):
                yield photograph, person


def pose_row(person: Person, pose: TaughtPose) -> dict:
    return {
        "annotation_id": person.annotation_id,
        "keypoints": pose.keypoints_xy.round(2).ravel().tolist(),
        "presence": round(pose.presence, 4),
        "disagreement": round(pose.disagreement, 4),
    }


def _parser() -> argparse.ArgumentParser:
    parser = new_parser(__doc__)
    add_data_options(parser)
    parser.add_argument(
        "--model", type=Path, required=True, help="pose_landmark_full.tflite of the mediapipe wheel"
    )
    parser.add_argument("--output", type=Path, default=Path("training/runs/teacher.json"))
    parser.add_argument(
        "--validation", action="store_true", help="label these instead of the others, to see how good it is"
    )
    return parser


if __name__ == "__main__":
    main()
