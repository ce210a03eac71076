# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Measure a detector of the package, alone or with a pose network, on held-out photographs: ``... measure --help``."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from pose_resnet_ros.core.types import Detections
from pose_resnet_ros.models.detector import load_detector
from pose_resnet_ros.models.registry import own_precision
from pose_resnet_ros.pipeline import load_pipeline
from pose_resnet_ros.settings import FrameSettings
from training.data_options import add_data_options, new_parser, open_images, read_split
from training.detector.check import BoxCheck
from training.detector.evaluation import measure
from training.detector.labels import BoxLabels, labels_of

LOWEST_SCORE = 0.02
THRESHOLDS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
Find = Callable[[np.ndarray, float], Detections]


def main(arguments: list[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    _, validation = read_split(options)
    labels = [labels_of(photograph) for photograph in validation]
    images = open_images(options, validation)
    with _open_finder(options) as find:
        found = [find(images.read(label.file_name), LOWEST_SCORE) for label in tqdm(labels, desc="detecting", disable=None)]
        _print_photographs(found, labels)
        if options.check:
            _print_check(find, options.check)


def _print_photographs(found: list[Detections], labels: list[BoxLabels]) -> None:
    tall, every = measure(found, labels), measure(found, labels, counted_above_px=0)
    print(f"AP50 {tall.ap50:.3f} for persons over 40 px, {every.ap50:.3f} for all, on {len(labels)} photographs\n")
    print("| threshold | precision | recall |\n| --- | --- | --- |")
    for threshold in THRESHOLDS:
        precision, recall = tall.at(threshold)
        print(f"| {threshold} | {precision:.2f} | {recall:.2f} |")


def _print_check(find: Find, folder: Path) -> None:
    """COCO's box AP, and what the default threshold does."""
    check, threshold = BoxCheck(folder), FrameSettings().detection_threshold
    ranked = check.measure(lambda image: find(image, LOWEST_SCORE))
    kept = check.measure(lambda image: find(image, threshold), threshold=threshold)
    print(f"\n{folder.name}: AP50 {ranked.ap50:.3f}, AP {ranked.ap:.3f}, AP of large persons {ranked.ap_large:.3f}")
    print(f"at {threshold}: precision {kept.precision:.2f}, recall {kept.recall:.2f}")
    print(f"best F1 {ranked.best_f1:.3f} at {ranked.best_threshold:.2f}")
    print(f"{kept.false_alarms} of {kept.empty} pictures without anybody got a person")


@contextmanager
def _open_finder(options: argparse.Namespace) -> Iterator[Find]:
    """What finds the persons in an image above a score: the detector alone, or together with a pose network."""
    settings, precision = FrameSettings(), own_precision(options.model)
    if options.verify_by is None:
        with closing(load_detector(options.model, precision=precision)) as detector:
            yield lambda image, threshold: detector.detect(
                image, detection_threshold=threshold, nms_threshold=settings.nms_threshold
            )
        return
    with load_pipeline(
        detector_model=options.model,
        pose_model=options.verify_by,
        detector_precision=precision,
        precision=own_precision(options.verify_by),
        skeleton="native",
    ) as pipeline:
        yield lambda image, threshold: pipeline.run(image, settings=replace(settings, detection_threshold=threshold)).detections


def _parser() -> argparse.ArgumentParser:
    parser = new_parser(__doc__)
    add_data_options(parser)
    parser.add_argument("--model", default="person_lite", help="a detector's name, or the path of an ONNX file")
    parser.add_argument("--verify-by", help="a pose network, whose keypoints score the persons too, as verify_persons does")
    parser.add_argument("--check", type=Path, help="COCO folder with boxes of all persons, measured as well")
    return parser


if __name__ == "__main__":
    main()
