# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Find people and their keypoints in images, videos, cameras, streams and ROS bags: the node's pipeline, without ROS."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

from pose_resnet_ros import interrupts
from pose_resnet_ros.core.errors import SettingsError
from pose_resnet_ros.core.skeletons import COCO17
from pose_resnet_ros.core.types import names_of
from pose_resnet_ros.media import still_files
from pose_resnet_ros.models.registry import FULL_FRAME
from pose_resnet_ros.output_files import OutputGuard
from pose_resnet_ros.pipeline import PosePipeline, load_pipeline
from pose_resnet_ros.settings import DrawSettings, LoadSettings, StreamSettings
from pose_resnet_ros.tools.bags.bag_reading import is_bag
from pose_resnet_ros.tools.options import add_options, file_path, integer, require_writable
from pose_resnet_ros.tools.predict.annotated_outputs import VIDEO_SUFFIX, ImageFolder, Quit, Sinks, Window, image_name
from pose_resnet_ros.tools.predict.bag_workers import predict_bags
from pose_resnet_ros.tools.predict.coco_results import images_path
from pose_resnet_ros.tools.predict.given_boxes import GivenBoxes, read_boxes
from pose_resnet_ros.tools.predict.media_run import Prediction
from pose_resnet_ros.tools.predict.rerun_log import RerunLog

_DEFAULT_OUTPUT = Path("out/predict")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the tool; exit code 0, 1 if an input could not be used, 130, 143 or 129 if interrupted.

    What was found until then is written in every case.
    """
    args = _parse(arguments)
    logging.basicConfig(format="%(message)s", level=logging.INFO)
    if any(is_bag(Path(text)) for text in args.inputs):
        return _predict_bags(args)
    _refuse(args, ("topic", "annotated", "annotations", "workers", "ray"), "for bags only")
    images = _images(args.inputs)
    given = read_boxes(args.boxes) if args.boxes else None
    if given is not None:
        given.require_clear(images)
    sinks = _open_sinks(args, images)
    with _load(args, needs_detector=given is None) as pipeline, ExitStack() as last:
        _require_fitting_model(args, pipeline)  # refuse now what could not be written at the end
        rerun = RerunLog(args.rerun, pipeline.skeleton) if args.rerun else None
        prediction = Prediction(pipeline, vars(args), sinks, heatmaps=args.heatmaps, given=given, rerun=rerun)
        if rerun is not None:
            last.callback(rerun.close)
        last.callback(sinks.close)
        if args.json:
            last.callback(prediction.results.write, args.json)
        return _predict(prediction, args, given, last)


def _predict_bags(args: argparse.Namespace) -> int:
    _refuse(args, ("json", "boxes", "heatmaps", "rerun", "show"), "not for bags; their results are a bag (--output)")
    if others := [text for text in args.inputs if not is_bag(Path(text))]:
        raise SettingsError(f"inputs: bags cannot be mixed with other inputs; these are no bags: {names_of(others)}")
    if args.output is None:
        raise SettingsError("output: name the bag to write (--output results.mcap), or for several bags a folder")
    bag_options = {name: vars(args)[name] for name in ("topic", "annotated", "annotations", "workers", "ray")}
    return predict_bags([Path(text) for text in args.inputs], args.output, vars(args), **bag_options)


def _require_fitting_model(args: argparse.Namespace, pipeline: PosePipeline) -> None:
    """Raises SettingsError where the pose network cannot give what was asked for."""
    if args.heatmaps and pipeline.pose_net.spec.decoder == "simcc":
        raise SettingsError("--heatmaps: this pose network has none (decoder simcc); choose another one, or omit the option")
    if args.json and not set(COCO17.joint_names) <= set(pipeline.native_skeleton.joint_names):
        raise SettingsError(
            "--json: COCO's format needs COCO's 17 joints, which this pose network"
            f" ({pipeline.native_skeleton.name}) does not have; choose another one, or omit the option"
        )


def _refuse(args: argparse.Namespace, names: Sequence[str], reason: str) -> None:
    """Raises SettingsError where one of these options was given."""
    if given := [f"--{name}" for name in names if vars(args)[name]]:
        raise SettingsError(f"{names_of(given)}: {reason}")


def _predict(prediction: Prediction, args: argparse.Namespace, given: GivenBoxes | None, last: ExitStack) -> int:
    """last: writes and closes all that is kept; done here, so that the summary comes after it."""
    exit_code = 0
    try:
        prediction.run(args.inputs)
    except Quit:
        pass
    except KeyboardInterrupt as error:
        exit_code = interrupts.exit_code(error)
    finally:
        with interrupts.held(forget=True):
            last.close()
    print(prediction.summary())
    left = given.left() if given is not None and exit_code == 0 else []
    if left:
        print(f"boxes that belong to no input: {len(left)}; the first: {left[0]}", file=sys.stderr)
    return exit_code or int(prediction.errors > 0 or bool(left))


def _load(args: argparse.Namespace, *, needs_detector: bool) -> PosePipeline:
    settings = LoadSettings.from_values(vars(args))
    return load_pipeline(settings if needs_detector else replace(settings, detector_model=FULL_FRAME))


def _images(inputs: Sequence[str]) -> list[Path]:
    """The image files of all inputs that can be used."""
    found: list[Path] = []
    for text in inputs:
        with suppress(SettingsError):  # said when its turn comes
            found += still_files(text)
    return found


def _open_sinks(args: argparse.Namespace, images: Sequence[Path]) -> Sinks:
    """Raises SettingsError now for a result that could not be written later, or that would overwrite an input."""
    window = Window("pose_resnet_ros") if args.show else None
    folder = args.output
    if folder is None and not (args.json or window or args.rerun):
        folder = _DEFAULT_OUTPUT
    if args.heatmaps and folder is None and window is None:
        raise SettingsError("--heatmaps: nothing is drawn; add --output or --show")
    if args.json is not None:
        require_writable("json", args.json)
    read = [args.boxes, args.pose_model, args.detector_model, *args.inputs]
    guard = OutputGuard([*images, *(Path(text) for text in read if text is not None and not Path(text).is_dir())])
    for name, path in (("json", args.json), ("rerun", args.rerun), ("json", args.json and images_path(args.json))):
        if path is not None:
            guard.claim(name, path)
    if folder is not None:
        for name in [image_name(path.name) for path in images] + [f"{Path(text).stem}{VIDEO_SUFFIX}" for text in args.inputs]:
            guard.claim("output", folder / name)
    return Sinks(ImageFolder(folder, guard) if folder else None, window)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="pose_resnet_ros predict", description=__doc__)
    parser.add_argument(
        "inputs",
        nargs="+",
        type=os.path.expanduser,
        metavar="INPUT",
        help="an image, a folder of images, a video, a webcam (0, 1, ... or /dev/video0), an address (rtsp://..., http://...),"
        " or a ROS bag (.mcap, .db3, its folder, or ROS 1's .bag)",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=file_path,
        metavar="DIR|BAG",
        help="folder for annotated images and videos (default out/predict, unless --json, --rerun or --show is given). For a bag:"
        " the bag to write (.mcap, .db3 or a folder); for several bags: a folder. Result bags that exist are kept",
    )
    parser.add_argument(
        "--json",
        type=file_path,
        metavar="FILE",
        help="write the people in COCO's results format; all images, also those without people, are listed in a second file"
        " (people.json: people.images.json)",
    )
    parser.add_argument(
        "--boxes",
        type=file_path,
        metavar="FILE",
        help="use these person boxes instead of the detector: a COCO annotation file, or a JSON list of objects with file_name or"
        " image_id, and bbox [x, y, width, height]",
    )
    parser.add_argument("--heatmaps", action="store_true", help="also write (and show) the confidence maps over the image")
    parser.add_argument(
        "--rerun", type=file_path, metavar="FILE", help="write images, skeletons and scores for the Rerun viewer (.rrd)"
    )
    parser.add_argument("--show", action="store_true", help="show the annotated images in a window; q ends")
    _add_bag_options(parser)
    add_options(parser, (*LoadSettings.settings(), *StreamSettings.settings(), *DrawSettings.settings()))
    return parser.parse_args(arguments)


def _add_bag_options(parser: argparse.ArgumentParser) -> None:
    bags = parser.add_argument_group("ROS bags")
    bags.add_argument("--topic", help="the image topic, raw, compressed or video packets; needed if the bag has several")
    bags.add_argument("--annotated", action="store_true", help="also write the annotated images, as JPEG")
    bags.add_argument(
        "--annotations",
        action="store_true",
        help="also write skeletons, boxes and ids that Foxglove draws over the images (foxglove_msgs/ImageAnnotations)",
    )
    bags.add_argument(
        "--workers",
        type=integer(1),
        metavar="N",
        help="number of processes that share the bags (default 1). If there are more workers than bags, long bags are cut into"
        " parts of equal duration; track ids start anew in each part, those of part 2 at 1000001",
    )
    bags.add_argument(
        "--ray",
        metavar="ADDRESS",
        help="run the workers on a Ray cluster (auto, local, or its address) whose machines all see the files; by default one"
        " worker for each CPU",
    )
