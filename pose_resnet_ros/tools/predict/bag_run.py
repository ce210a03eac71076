# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""``predict`` on rosbag2 recordings: the node's messages into another bag, faster or slower than real time, without ROS."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from pose_resnet_ros.core.draw import draw_people
from pose_resnet_ros.core.errors import ImageError, SettingsError
from pose_resnet_ros.identities import Identities, IdentitySettings
from pose_resnet_ros.pipeline import PosePipeline, load_pipeline
from pose_resnet_ros.sequence import ImageSequence
from pose_resnet_ros.tools.bags import bag_messages
from pose_resnet_ros.tools.bags.bag_reading import BagImage, BagImages, encodings
from pose_resnet_ros.tools.bags.bag_salvage import BagError
from pose_resnet_ros.tools.bags.bag_writing import BagResults
from pose_resnet_ros.tools.options import draw_arguments, frame_settings, load_arguments


@dataclass(frozen=True)
class BagJob:
    """One recording; it can be sent to another process. values: of all options, by their names."""

    source: Path
    output: Path
    topic: str | None
    annotated: bool
    values: Mapping[str, Any]


@dataclass(frozen=True)
class BagReport:
    """What became of a job. bad: images that could not be used; passed_over: topics that are not ROS 2's, in words; problem: why
    the bag was not read to its end, "" if it was.
    """

    job: BagJob
    images: int = 0
    persons: int = 0
    bad: int = 0
    passed_over: str = ""
    problem: str = ""
    skipped: bool = False

    def __str__(self) -> str:
        if self.skipped:
            return f"{self.job.output}: is there already, left as it is"
        what = f"{self.job.source} -> {self.job.output}: {self.images} images, {self.persons} persons"
        return (
            what
            + (f", {self.bad} bad images" if self.bad else "")
            + (f"; passed over, since not ROS 2's: {self.passed_over}" if self.passed_over else "")
            + (f"; {self.problem}" if self.problem else "")
        )


def predict_bag(job: BagJob, advance: Callable[[int | None], Any] = lambda total: None) -> BagReport:
    """One bag, in this process. advance: called after each image with the number of images, if it is known.

    A problem with this bag is in the report; raises PoseError for what concerns every bag (the models, the options).
    """
    with load_pipeline(**load_arguments(job.values)) as pipeline:
        try:
            with BagImages(job.source, job.topic) as images, BagResults(job.output, annotated=job.annotated) as results:
                return _Run(job, pipeline, results).over(images, advance)
        except (BagError, SettingsError) as error:
            return BagReport(job, problem=str(error))


class _Run:
    """The images of one bag, one after the other."""

    def __init__(self, job: BagJob, pipeline: PosePipeline, results: BagResults) -> None:
        self._report = BagReport(job)
        self._pipeline, self._sequence = pipeline, ImageSequence(pipeline)
        self._results = results
        self._settings = frame_settings(job.values)
        self._draw = draw_arguments(job.values)
        self._identities = Identities(pipeline.skeleton, IdentitySettings.from_options(job.values))

    def over(self, images: BagImages, advance: Callable[[int | None], Any]) -> BagReport:
        try:
            for number, image in enumerate(images):
                if number == 0:
                    self._results.write_skeleton(self._pipeline.skeleton, log_ns=image.log_ns)
                try:
                    self._one(image)
                except ImageError as error:
                    self._report = replace(self._report, bad=self._report.bad + 1)
                    tqdm.write(f"error: {images.topic} at {image.log_ns} ns: {error}", file=sys.stderr)
                advance(images.length)
        except BagError as error:  # what was read until then is kept
            self._report = replace(self._report, problem=str(error))
        return replace(self._report, passed_over=encodings(images.passed_over))

    def _one(self, image: BagImage) -> None:
        bgr = _decode(image)
        header, log_ns = image.message.header, image.log_ns
        stamp_s = (header.stamp.sec * 1_000_000_000 + header.stamp.nanosec or log_ns) / 1e9
        result = self._sequence.run(bgr, settings=self._settings, stamp_s=stamp_s)
        people = self._identities.update(result.people, stamp_s=stamp_s, image=bgr)
        skeleton, threshold = self._pipeline.skeleton, self._settings.keypoint_threshold
        size = bgr.shape[1], bgr.shape[0]
        message = bag_messages.person_array(header, people, skeleton, image_wh=size, keypoint_threshold=threshold)
        self._results.write_persons(message, log_ns=log_ns)
        detections = bag_messages.detection_array(header, result.detections, track_ids=people.track_ids)
        self._results.write_detections(detections, log_ns=log_ns)
        if self._report.job.annotated:
            picture = draw_people(bgr, people, skeleton, keypoint_threshold=threshold, **self._draw)
            self._results.write_picture(header, picture, log_ns=log_ns)
        persons = self._report.persons + len(people)
        self._report = replace(self._report, images=self._report.images + 1, persons=persons)


def _decode(image: BagImage) -> Any:
    from pose_resnet_ros.ros.codecs.compressed import compressed_to_bgr  # neither imports ROS
    from pose_resnet_ros.ros.codecs.image import image_to_bgr

    return compressed_to_bgr(image.message) if image.is_compressed else image_to_bgr(image.message)
