# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Measure accuracy on a COCO data set with the code that the node runs, and compare with the published figures."""

from __future__ import annotations

import argparse
import csv
import io
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from tqdm import tqdm

from pose_resnet_ros.core.errors import SettingsError
from pose_resnet_ros.models.registry import FULL_FRAME, find_entry
from pose_resnet_ros.output_files import OutputGuard, write_json, write_whole
from pose_resnet_ros.pipeline import PosePipeline, load_pipeline
from pose_resnet_ros.settings import FrameSettings, LoadSettings
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
# AP ranks all detections by their scores: a threshold that suits a robot would cut its curve off.
_DETECTION_THRESHOLD = 0.05
_LEFT_OUT = ("pose_model", "skeleton", "keypoint_threshold", "detector_interval")
_PUBLISHED_WITH = (
    "The published figures were measured with the flip test and the boxes of a detector with a person AP of 56.4. To compare, use"
    " --flip-test, and --boxes FILE with that detector's boxes. Ground-truth boxes give higher figures."
)


@dataclass(frozen=True)
class Run:
    """One model on one data set. measures and published: by the names of ``MEASURES``, 0..1; published may be empty."""

    model: str
    boxes: str
    flip_test: bool
    provider: str
    images: int
    persons: int
    ms_per_person: float
    images_per_second: float
    measures: dict[str, float]
    published: dict[str, float]

    def __str__(self) -> str:
        rows: dict[str, list[str]] = {"": list(MEASURES), "measured": [f"{self.measures[name]:.3f}" for name in MEASURES]}
        if self.published:
            difference = {name: self.measures[name] - value for name, value in self.published.items()}
            rows["published"] = [f"{self.published[name]:.3f}" if name in self.published else "-" for name in MEASURES]
            rows["difference"] = [f"{difference[name]:+.3f}" if name in difference else "-" for name in MEASURES]
        return "\n".join(
            [
                f"{self.model}, boxes: {self.boxes}, flip test {'on' if self.flip_test else 'off'}, {self.provider}",
                *(f"  {name:<11}" + "".join(f"{cell:>8}" for cell in cells) for name, cells in rows.items()),
                f"{self.images} images, {self.persons} people, {self.ms_per_person:.1f} ms per person (crop, network, decoding), "
                f"{self.images_per_second:.2f} images per second",
            ]
        )


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
    writers: dict[str, Callable[[Path, Sequence[Run]], None]] = {
        "json": lambda path, runs: write_json(path, list(map(asdict, runs))),
        "csv": _write_csv,
        "plot": _write_plot,
    }
    for name, write in writers.items():
        if vars(options)[name] is not None:
            write(vars(options)[name], runs)
    if any(run.published for run in runs):
        print(_PUBLISHED_WITH)
    return 0


def _keep_inputs(options: argparse.Namespace, data: CocoData) -> None:
    """Raises SettingsError where an output would overwrite an input."""
    read = [options.annotations, *map(file_path, [options.boxes, options.detector_model, *options.pose_model])]
    guard = OutputGuard([*read, *data.image_files()])
    for name in ("json", "csv", "plot"):
        if vars(options)[name] is not None:
            guard.claim(name, vars(options)[name])
    if options.results is not None:
        for model in options.pose_model:
            guard.claim("results", _results_of(model, options))


def _results_of(model: str, options: argparse.Namespace) -> Path:
    """The result file of one of the models: with several each gets one, named after it."""
    path: Path = options.results
    return path if len(options.pose_model) == 1 else path.with_name(f"{path.stem}_{Path(model).stem}{path.suffix}")


def _boxes(choice: str, data: CocoData) -> BoxesByImage | None:
    if choice == DETECTOR:
        return None
    return data.true_boxes() if choice == TRUE_BOXES else boxes_from_file(file_path(choice))


def _run(name: str, options: argparse.Namespace, data: CocoData, image_ids: list[int], boxes: BoxesByImage | None) -> Run:
    settings = FrameSettings.from_values(vars(options) | {"keypoint_threshold": 0.0, "detector_interval": 1})
    with _load(name, options) as pipeline:
        begin = time.perf_counter()
        with tqdm(image_ids, desc=name, unit="image", disable=None) as shown:
            result = measure(pipeline, data, shown, boxes=boxes, settings=settings)
        seconds = time.perf_counter() - begin
        provider = pipeline.selected_providers["pose"].provider
    if options.results:
        write_whole(_results_of(name, options), json.dumps(result.rows).encode(), name="results")
    run = Run(
        model=name,
        boxes=options.boxes if options.boxes != DETECTOR else options.detector_model,
        flip_test=options.flip_test,
        provider=provider,
        images=len(image_ids),
        persons=result.persons,
        ms_per_person=1e3 * result.pose_seconds / max(1, result.persons),
        images_per_second=len(image_ids) / seconds,
        measures=coco_measures(data, result.rows, image_ids),
        published=_published(name),
    )
    print(f"{run}\n")
    return run


def _load(name: str, options: argparse.Namespace) -> PosePipeline:
    settings = LoadSettings.from_values(vars(options) | {"pose_model": name, "skeleton": "coco17"})
    if options.boxes != DETECTOR:
        settings = replace(settings, detector_model=FULL_FRAME)  # it needs no network, and is not asked
    return load_pipeline(settings)


def _published(name: str) -> dict[str, float]:
    entry = find_entry(name)
    figures = dict(entry.accuracy) if entry else {}
    return {measure: value for measure, value in figures.items() if measure in MEASURES}


def _write_csv(path: Path, runs: Sequence[Run]) -> None:
    """One line a run; published figures have columns of their own."""
    facts = [name for name in Run.__dataclass_fields__ if name not in ("measures", "published")]
    text = io.StringIO()
    writer = csv.DictWriter(text, [*facts, *MEASURES, *(f"published {name}" for name in MEASURES)], lineterminator="\n")
    writer.writeheader()
    for run in runs:
        measured = {name: f"{run.measures[name]:.4f}" for name in MEASURES}
        published = {f"published {name}": value for name, value in run.published.items()}
        writer.writerow({**{name: getattr(run, name) for name in facts}, **measured, **published})
    write_whole(path, text.getvalue().encode(), name="csv")


def _write_plot(path: Path, runs: Sequence[Run]) -> None:
    """Accuracy against time for each model, as PNG, SVG or PDF by the suffix. Raises SettingsError without matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise SettingsError("--plot needs matplotlib; pip install matplotlib") from error
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.add_subplot()
    for run in runs:
        label = Path(run.model).stem + (" + flip test" if run.flip_test else "")
        (points,) = axes.plot(run.ms_per_person, run.measures["AP"], "o", label=label)
        if "AP" in run.published:
            axes.plot(run.ms_per_person, run.published["AP"], "_", color=points.get_color(), markersize=14)
    axes.margins(x=0.3, y=0.2)
    axes.set_xlim(left=0)
    axes.set_xlabel("ms per person (crop, network, decoding)")
    axes.set_ylabel("COCO AP")
    axes.set_title(f"Dots: measured, boxes: {Path(runs[0].boxes).name}. Dashes: published", fontsize="medium")
    axes.legend(fontsize="small")
    axes.grid(alpha=0.3)
    try:
        figure.savefig(path, dpi=120)
    except (OSError, ValueError) as error:
        raise SettingsError(f"--plot: {error}") from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="pose_resnet_ros evaluate", description=__doc__)
    annotations = "person_keypoints_val2017.json or another COCO annotation file"
    parser.add_argument("--annotations", type=file_path, required=True, metavar="FILE", help=annotations)
    parser.add_argument("--images", type=file_path, required=True, metavar="DIR", help="folder of its images")
    parser.add_argument(
        "--boxes",
        default=TRUE_BOXES,
        metavar=f"{TRUE_BOXES}|{DETECTOR}|FILE",
        help=f"where the people's boxes come from: {TRUE_BOXES} (default) takes those of the annotations, {DETECTOR} runs"
        " --detector-model, FILE is a COCO result file of person boxes",
    )
    models = "one or more models (names or paths), measured one after the other; default pose_resnet_lite"
    parser.add_argument("--pose-model", nargs="+", default=["pose_resnet_lite"], metavar="NAME", help=models)
    parser.add_argument("--limit", type=integer(1), metavar="N", help="use only the first N images")
    results = "write the people in COCO's result format; with several models, a file for each"
    parser.add_argument("--results", type=file_path, metavar="FILE", help=results)
    parser.add_argument("--json", type=file_path, metavar="FILE", help="write all measurements as JSON")
    parser.add_argument("--csv", type=file_path, metavar="FILE", help="write all measurements as a table, one line per model")
    parser.add_argument("--plot", type=file_path, metavar="FILE", help="plot accuracy against time (.png, .svg or .pdf)")
    rows = [row for row in (*LoadSettings.settings(), *FrameSettings.settings()) if row.name not in _LEFT_OUT]
    add_options(
        parser, [replace(row, default=_DETECTION_THRESHOLD) if row.name == "detection_threshold" else row for row in rows]
    )
    return parser
