# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""``predict`` on one recording, or a part of one: the node's messages into another bag, without ROS."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from pose_resnet_ros.core.draw import draw_people
from pose_resnet_ros.core.errors import ImageError, SettingsError
from pose_resnet_ros.core.types import People
from pose_resnet_ros.pipeline import PosePipeline, load_pipeline
from pose_resnet_ros.settings import DrawSettings, LoadSettings, StreamSettings
from pose_resnet_ros.stream import PersonStream
from pose_resnet_ros.tools.bags import bag_messages
from pose_resnet_ros.tools.bags.bag_reading import WHOLE, BagImage, BagImages, SpanNs, encodings
from pose_resnet_ros.tools.bags.bag_salvage import BagError
from pose_resnet_ros.tools.bags.bag_writing import ANNOTATED, ANNOTATIONS, DETECTIONS, PERSONS, SKELETON, BagResults
from pose_resnet_ros.video.packets import TYPES as VIDEO_TYPES
from pose_resnet_ros.video.packets import VideoDecoder

IDS_PER_PART = 1_000_000
Advance = Callable[[int, int | None], Any]
Complain = Callable[[str], Any]
Decoded = tuple[Any, np.ndarray]  # an image message, and its image


def print_error(text: str) -> None:
    """On stderr, above a progress bar."""
    tqdm.write(f"error: {text}", file=sys.stderr)


@dataclass(frozen=True)
class BagJob:
    """One recording, or a part of one; it can be sent to another process.

    optional: topics that are written besides the usual ones; span_ns: the part of it; part: its number from 0. Track ids of part
    n begin at n * ``IDS_PER_PART`` + 1.
    """

    source: Path
    output: Path
    topic: str | None
    optional: tuple[str, ...] = ()
    span_ns: SpanNs = WHOLE
    part: int = 0


@dataclass(frozen=True)
class BagReport:
    """The outcome of a job. bad: images that could not be used; before_key_frame: packets of a video that could not be decoded,
    since the images that they refer to are missing; passed_over: topics that are not in ROS's encoding, in words;
    problem: why the bag was not read to its end, "" if it was; parts: that it was cut into, for several workers.
    """

    job: BagJob
    images: int = 0
    persons: int = 0
    bad: int = 0
    before_key_frame: int = 0
    passed_over: str = ""
    problem: str = ""
    skipped: bool = False
    parts: int = 1

    def __str__(self) -> str:
        if self.skipped:
            return f"{self.job.output}: already exists, kept"
        what = f"{self.job.source} -> {self.job.output}: {self.images} images, {self.persons} people"
        return (
            what
            + (f", {self.bad} unusable images" if self.bad else "")
            + (
                f"; the video starts in the middle, or has gaps: {self.before_key_frame} packets skipped until a key frame"
                if self.before_key_frame
                else ""
            )
            + (f", in {self.parts} parts (new track ids in each)" if self.parts > 1 else "")
            + (f"; skipped topics whose encoding is not ROS's: {self.passed_over}" if self.passed_over else "")
            + (f"; {self.problem}" if self.problem else "")
        )


class BagPredictor:
    """The models of one process, for one bag after the other; they are loaded for the first one.

    advance: called with the number of images done since the last call, and of those in the recording (None: not known);
    complain: called with what is wrong with an image.
    """

    def __init__(self, values: Mapping[str, Any], *, advance: Advance, complain: Complain = print_error) -> None:
        """values: of all options, by their names."""
        self._values, self._advance, self._complain = values, advance, complain

    @cached_property
    def _pipeline(self) -> PosePipeline:
        return load_pipeline(LoadSettings.from_values(self._values))

    def run(self, job: BagJob) -> BagReport:
        """One bag, or a part of one; what is wrong with the whole bag is in the report. Raises what ``load_pipeline`` and
        ``advance`` raise.
        """
        self._advance(0, None)
        run = _Run(job, self._values, self._pipeline)
        try:
            with (
                BagImages(job.source, job.topic, job.span_ns) as images,
                BagResults(job.output, optional=job.optional) as results,
            ):
                return run.over(images, results, self._advance, self._complain)
        except (BagError, SettingsError) as error:
            return BagReport(job, problem=str(error))


class _Run:
    """The images of one job, one after the other."""

    def __init__(self, job: BagJob, values: Mapping[str, Any], pipeline: PosePipeline) -> None:
        self._report = BagReport(job)
        self._pipeline, self._stream = pipeline, PersonStream(pipeline)
        self._settings = StreamSettings.from_values(values)
        self._draw = asdict(DrawSettings.from_values(values))
        self._video = VideoDecoder()

    def over(self, images: BagImages, results: BagResults, advance: Advance, complain: Complain) -> BagReport:
        self._topic = images.topic
        image: BagImage | None = None
        try:
            for number, image in enumerate(images):
                if number == 0:
                    message = bag_messages.skeleton_message(self._pipeline.skeleton)
                    results.write(SKELETON, message, log_ns=image.log_ns)
                self._each(self._decoded(image), image, results, complain)
                advance(1, images.length)
        except BagError as error:  # what was read until then is kept
            self._report = replace(self._report, problem=str(error))
        if image is not None:
            self._each(((frame.origin, frame.to_bgr()) for frame in self._video.flush()), image, results, complain)
        return replace(self._report, before_key_frame=self._video.skipped, passed_over=encodings(images.passed_over))

    def _each(self, decoded: Iterable[Decoded], image: BagImage, results: BagResults, complain: Complain) -> None:
        """Process what this image completes; results have the time at which it was recorded."""
        try:
            for message, bgr in decoded:
                self._one(message, bgr, results, log_ns=image.log_ns)
        except ImageError as error:
            self._report = replace(self._report, bad=self._report.bad + 1)
            complain(f"{self._topic} at {image.log_ns} ns: {error}")

    def _one(self, message: Any, bgr: np.ndarray, results: BagResults, *, log_ns: int) -> None:
        header = bag_messages.header_of(message)
        stamp_s = (header.stamp.sec * 1_000_000_000 + header.stamp.nanosec or log_ns) / 1e9
        result = self._stream.run(bgr, stamp_s=stamp_s, settings=self._settings)
        people = self._with_ids_of_part(result.people)
        skeleton, threshold = result.skeleton, self._settings.frame.keypoint_threshold
        size = bgr.shape[1], bgr.shape[0]
        persons_message = bag_messages.person_array(header, people, skeleton, image_wh=size, keypoint_threshold=threshold)
        results.write(PERSONS, persons_message, log_ns=log_ns)
        detections = bag_messages.detection_array(header, result.detections, track_ids=people.track_ids)
        results.write(DETECTIONS, detections, log_ns=log_ns)
        if ANNOTATED in self._report.job.optional:
            drawn = draw_people(bgr, people, skeleton, keypoint_threshold=threshold, **self._draw)
            results.write(ANNOTATED, bag_messages.jpeg_message(header, drawn), log_ns=log_ns)
        if ANNOTATIONS in self._report.job.optional:
            vectors = bag_messages.annotations_message(header, people, skeleton, keypoint_threshold=threshold, draw=self._draw)
            results.write(ANNOTATIONS, vectors, log_ns=log_ns)
        persons = self._report.persons + len(people)
        self._report = replace(self._report, images=self._report.images + 1, persons=persons)

    def _decoded(self, image: BagImage) -> Iterator[Decoded]:
        """(H, W, 3) uint8 BGR, with the message that it belongs to: a packet of a video may complete none or an earlier one."""
        from pose_resnet_ros.ros.codecs.compressed import compressed_to_bgr  # neither imports ROS
        from pose_resnet_ros.ros.codecs.image import image_to_bgr

        if image.type_name in VIDEO_TYPES:
            for frame in self._video.decode(image.message, image.message):
                yield frame.origin, frame.to_bgr()
        else:
            yield image.message, compressed_to_bgr(image.message) if image.is_compressed else image_to_bgr(image.message)

    def _with_ids_of_part(self, people: People) -> People:
        first = self._report.job.part * IDS_PER_PART
        return replace(people, track_ids=np.where(people.track_ids > 0, people.track_ids + first, people.track_ids))
