# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Measure accuracy on a COCO data set, through the code that the node runs, beside the published figures."""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from typing import Any

from pose_resnet_ros.core.errors import SettingsError
from pose_resnet_ros.models.registry import FULL_FRAME, find_entry
from pose_resnet_ros.output_files import OutputGuard
from pose_resnet_ros.pipeline import PosePipeline, load_pipeline
from pose_resnet_ros.settings import FrameSettings, LoadSettings
from pose_resnet_ros.tools.evaluate import evaluation_report as report
from pose_resnet_ros.tools.evaluate.coco_evaluation import (
    MEASURES,
    BoxesByImage,
    CocoData,
    boxes_from_file,
    coco_measures,
    measure,
)
from pose_resnet_ros.tools.options import add_options, file_path, integer, require_writable

TRUE_BOXES, DETECTOR = "ground-truth", "detector"
# Options of the pipeline that say nothing here: the joints are COCO's, the pictures do not follow one another.
_LEFT_OUT = ("pose_model", "skeleton", "keypoint_threshold", "detector_interval")


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    for name in ("results", "json", "csv", "plot"):
        if vars(options)[name] is not None:
            require_writable(name, vars(options)[name])
    data = CocoData(options.annotations, options.images)
    image_ids = data.image_ids[: options.limit]
    if not image_ids:
        raise SettingsError(f"--annotations: {options.annotations} has no images")
    _keep_inputs(options, data)
    boxes = _boxes(options.boxes, data)
    runs = [_run(name, options, data, image_ids, boxes) for name in options.pose_model]
    for path, write in ((options.json, report.write_json), (options.csv, report.write_csv), (options.plot, report.write_plot)):
        if path is not None:
            write(path, runs)
    if any(run.published for run in runs):
        print(report.PUBLISHED_WITH)
    return 0


def _keep_inputs(options: argparse.Namespace, data: CocoData) -> None:
    """Raises SettingsError where an output would be written over an input."""
    read = [options.annotations, *map(file_path, [options.boxes, options.detector_model, *options.pose_model])]
    guard = OutputGuard([*read, *data.image_files()])
    for name in ("json", "csv", "plot"):
        if vars(options)[name] is not None:
            guard.claim(name, vars(options)[name])
    if options.results is not None:
        for model in options.pose_model:
            guard.claim("results", report.result_file(options.results, model, options.pose_model))


def _boxes(choice: str, data: CocoData) -> BoxesByImage | None:
    if choice == DETECTOR:
        return None
    return data.true_boxes() if choice == TRUE_BOXES else boxes_from_file(file_path(choice))


def _run(name: str, options: argparse.Namespace, data: CocoData, image_ids: list[int], boxes: BoxesByImage | None) -> report.Run:
    settings = FrameSettings.from_values(vars(options) | {"keypoint_threshold": 0.0, "detector_interval": 1})
    with _load(name, options) as pipeline:
        begin = time.perf_counter()
        with _progress(image_ids, name) as shown:
            result = measure(pipeline, data, shown, boxes=boxes, settings=settings)
        seconds = time.perf_counter() - begin
        provider = pipeline.selected_providers["pose"].provider
    if options.results:
        report.write_results(report.result_file(options.results, name, options.pose_model), result.rows)
    run = report.Run(
        model=name,
        boxes=options.boxes if options.boxes != DETECTOR else options.detector_model,
        flip_test=options.flip_test,
        provider=provider,
        images=result.images,
        persons=result.persons,
        ms_per_person=result.ms_per_person,
        images_per_second=result.images / seconds,
        measures=coco_measures(data, result.rows, image_ids),
        published=_published(name),
    )
    print(report.table(run) + "\n")
    return run


def _load(name: str, options: argparse.Namespace) -> PosePipeline:
    settings = LoadSettings.from_values(vars(options) | {"pose_model": name, "skeleton": "coco17"})
    if options.boxes != DETECTOR:
        settings = replace(settings, detector_model=FULL_FRAME)  # it needs no network, and is not asked
    return load_pipeline(settings)


def _progress(image_ids: list[int], name: str) -> Any:
    from tqdm import tqdm

    return tqdm(image_ids, desc=name, unit="image", disable=None)  # shown on a terminal only


def _published(name: str) -> dict[str, float]:
    entry = find_entry(name)
    figures = dict(entry.accuracy) if entry else {}
    return {measure: value for measure, value in figures.items() if measure in MEASURES}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m pose_resnet_ros evaluate", description=__doc__)
    parser.add_argument(
        "--annotations", type=file_path, required=True, help="person_keypoints_val2017.json, or another COCO file"
    )
    parser.add_argument("--images", type=file_path, required=True, metavar="DIR", help="folder of its pictures")
    parser.add_argument(
        "--boxes",
        default=TRUE_BOXES,
        help=f"{TRUE_BOXES} (default), {DETECTOR} (--detector-model), or a COCO result file of person boxes",
    )
    parser.add_argument(
        "--pose-model", nargs="+", default=["pose_resnet_lite"], metavar="NAME", help="names or paths, measured in turn"
    )
    parser.add_argument("--limit", type=integer(1), metavar="N", help="only the first N images")
    parser.add_argument("--results", type=file_path, metavar="FILE", help="write the persons in COCO's result format")
    parser.add_argument("--json", type=file_path, metavar="FILE", help="write all figures")
    parser.add_argument("--csv", type=file_path, metavar="FILE", help="write all figures, a line for each model")
    parser.add_argument("--plot", type=file_path, metavar="FILE", help="draw accuracy against time (png, svg or pdf)")
    rows = (*LoadSettings.settings(), *FrameSettings.settings())
    add_options(parser, [row for row in rows if row.name not in _LEFT_OUT])
    return parser
