# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Find people and their keypoints in images, folders, videos or a webcam: the node's pipeline, without ROS."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from pose_resnet_ros.core.errors import SettingsError
from pose_resnet_ros.core.skeletons import COCO17, joint_sources
from pose_resnet_ros.models.registry import FULL_FRAME
from pose_resnet_ros.options import PIPELINE_OPTIONS, TRACKING_OPTIONS
from pose_resnet_ros.pipeline import PosePipeline, load_pipeline
from pose_resnet_ros.tools.coco_results import write_rows
from pose_resnet_ros.tools.given_boxes import GivenBoxes, read_boxes
from pose_resnet_ros.tools.options import add_options, load_arguments
from pose_resnet_ros.tools.outputs import PictureFolder, Quit, Sinks, Window
from pose_resnet_ros.tools.prediction import Prediction

_DEFAULT_OUTPUT = Path("out/predict")
_EXIT_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the tool; exit code 0, 1 if an input could not be used, 130 if interrupted.

    What was found until then is written in every case.
    """
    args = _parse(arguments)
    logging.basicConfig(format="%(message)s", level=logging.INFO)
    given = read_boxes(args.boxes) if args.boxes else None
    sinks = _open_sinks(args)
    with _load(args, needs_detector=given is None) as pipeline:
        if args.json:
            joint_sources(pipeline.native_skeleton, COCO17)  # refuse now what could not be written at the end
        prediction = Prediction(pipeline, vars(args), sinks, heatmaps=args.heatmaps, given=given)
        try:
            return _predict(prediction, args, given)
        finally:
            sinks.close()


def _predict(prediction: Prediction, args: argparse.Namespace, given: GivenBoxes | None) -> int:
    exit_code = 0
    try:
        prediction.run(args.inputs)
    except Quit:
        pass
    except KeyboardInterrupt:
        exit_code = _EXIT_INTERRUPTED
    finally:
        if args.json:
            write_rows(args.json, prediction.rows())
    print(prediction.summary())
    left = prediction.boxes_left() if exit_code == 0 else []
    if given is not None and left:
        print(
            f"boxes that belong to no input: {len(left)}; the first: {given.boxes[left[0]]}", file=sys.stderr
        )
    return exit_code or int(prediction.errors > 0 or bool(left))


def _load(args: argparse.Namespace, *, needs_detector: bool) -> PosePipeline:
    values = load_arguments(vars(args))
    if not needs_detector:
        values["detector_model"] = FULL_FRAME
    return load_pipeline(**values)


def _open_sinks(args: argparse.Namespace) -> Sinks:
    window = Window("pose_resnet_ros") if args.show else None
    folder = args.output
    if folder is None and not args.json and not window:
        folder = _DEFAULT_OUTPUT
    if args.json:
        try:
            args.json.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsError(
                f"json: cannot make the folder {args.json.parent}: {error.strerror}"
            ) from error
    return Sinks(PictureFolder(folder) if folder else None, window)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m pose_resnet_ros predict", description=__doc__)
    parser.add_argument(
        "inputs",
        nargs="+",
        metavar="INPUT",
        help="an image, a folder of images, a video, or a webcam's index (0, 1, ...)",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="DIR",
        help=f"folder for annotated pictures and videos (default {_DEFAULT_OUTPUT}, unless --json or --show is given)",
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write the persons, in COCO's results format"
    )
    parser.add_argument(
        "--boxes",
        type=Path,
        metavar="FILE",
        help="take the persons' boxes from a COCO annotation file, or from a list of objects with file_name or image_id,"
        " and bbox [x, y, width, height]; no detector runs",
    )
    parser.add_argument(
        "--heatmaps", action="store_true", help="write (and show) the confidence maps over the picture too"
    )
    parser.add_argument("--show", action="store_true", help="show the pictures in a window; q ends")
    add_options(parser, PIPELINE_OPTIONS + TRACKING_OPTIONS)
    return parser.parse_args(arguments)
