# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Let a better network label the persons of a data folder: ``python3 -m training.pose.label --help``."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

from rich.progress import track

from pose_resnet_ros.output_files import OutputGuard
from training.coco import Person, Photograph, Teaching
from training.data_options import add_data_options, new_parser, open_images, read_folder
from training.pose.teacher import label, load_teacher

LEAST_HEIGHT = 60  # pixels of a person that was not annotated: smaller ones would only blur what is learnt
LEAST_SCORE = 0.5  # of its box


def main(arguments: list[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    folder = options.data[0]
    output = options.output or folder / "teacher.json"
    OutputGuard([folder / options.annotations, options.model]).claim("output", output)
    photographs = read_folder(folder, options)
    persons = list(persons_to_label(photographs))
    images, look = open_images(options, photographs), load_teacher(options.model)
    rows = {
        str(person.annotation_id): teaching_row(label(look, images.read(photograph.file_name), person.box_xywh))
        for photograph, person in track(persons, "labelling")
    }
    output.write_text(json.dumps(rows))
    print(f"{len(rows)} persons labelled in {output}")


def persons_to_label(photographs: list[Photograph]) -> Iterator[tuple[Photograph, Person]]:
    """The persons that the images were annotated for, and others who are large and sure enough."""
    for photograph in photographs:
        for person in photograph.persons:
            if person.is_main or (person.box_xywh[3] > LEAST_HEIGHT and person.score > LEAST_SCORE):
                yield photograph, person


def teaching_row(teaching: Teaching) -> list[list[float]]:
    return [
        teaching.xy.astype(float).round(1).ravel().tolist(),
        teaching.score.astype(float).round(2).tolist(),
        teaching.agreement.astype(float).round(2).tolist(),
    ]


def _parser() -> argparse.ArgumentParser:
    parser = new_parser(__doc__)
    add_data_options(parser)
    parser.add_argument(
        "--model",
        required=True,
        help="name or file of a pose model, or any ONNX network that gives 17 rows y, x, score for one person",
    )
    parser.add_argument("--output", type=Path, help="default: teacher.json in the data folder, where training looks")
    return parser


if __name__ == "__main__":
    main()
