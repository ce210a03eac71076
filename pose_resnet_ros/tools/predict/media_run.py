# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""One run of ``predict``: every picture of every input through the pipeline, its result to where it was asked for."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from typing import Any

import numpy as np
from tqdm import tqdm

from pose_resnet_ros import interrupts
from pose_resnet_ros.core.boxes import touches_image
from pose_resnet_ros.core.draw import draw_heatmaps, draw_people
from pose_resnet_ros.core.errors import DataFileError, ImageError, PoseError, SettingsError
from pose_resnet_ros.media import Media, open_media
from pose_resnet_ros.pipeline import PipelineResult, PosePipeline
from pose_resnet_ros.settings import DrawSettings, StreamSettings
from pose_resnet_ros.stream import PersonStream
from pose_resnet_ros.tools.predict.annotated_outputs import Sinks
from pose_resnet_ros.tools.predict.coco_results import CocoResults, ImageNames
from pose_resnet_ros.tools.predict.given_boxes import GivenBoxes
from pose_resnet_ros.tools.predict.rerun_log import RerunLog
from pose_resnet_ros.video.frames import Frame
from pose_resnet_ros.video.source import is_video_only


class Prediction:
    """errors: how many inputs and pictures could not be used; each was reported on stderr when met."""

    def __init__(
        self,
        pipeline: PosePipeline,
        values: Mapping[str, Any],
        sinks: Sinks,
        *,
        heatmaps: bool = False,
        given: GivenBoxes | None = None,
        rerun: RerunLog | None = None,
    ) -> None:
        """values: of all options, by their names; heatmaps: draw them too; given: boxes in place of the detector's;
        rerun: takes the pictures and people with the joints of the pipeline's output skeleton.
        """
        self._pipeline = pipeline
        self._settings = StreamSettings.from_values(values)
        self._draw = asdict(DrawSettings.from_values(values))
        self._sinks = sinks
        self._heatmaps = heatmaps
        self._given = given
        self._rerun = rerun
        self.results = CocoResults(pipeline.native_skeleton, given.boxes if given else ())
        self._names = ImageNames(())
        self._seen: set[int] = set()  # places of the given boxes whose picture came
        self.errors = self._pictures = self._persons = 0
        self._total_ms = 0.0

    def run(self, inputs: Sequence[str]) -> None:
        """All inputs, one after the other. Raises Quit, and SettingsError where a result cannot be written."""
        self._names = ImageNames(inputs)
        with tqdm(total=_count(inputs), unit="picture", disable=None) as progress:
            for text in inputs:
                try:
                    media = open_media(text)
                except PoseError as error:
                    self._complain(error)
                    continue
                with closing(media):
                    self._all_of(media, progress)

    def boxes_left(self) -> list[int]:
        """Places of the given boxes that belonged to no picture."""
        return [place for place in range(len(self._given.boxes)) if place not in self._seen] if self._given else []

    def summary(self) -> str:
        """One line on what was done."""
        each = f", {self._total_ms / self._pictures:.0f} ms a picture" if self._pictures else ""
        where = f"; see {self._sinks.folder.folder}" if self._sinks.folder else ""
        return f"pictures: {self._pictures}, persons: {self._persons}, errors: {self.errors}{each}{where}"

    def _all_of(self, media: Media, progress: tqdm) -> None:
        moving = media.name is not None
        if moving and self._given is not None:
            self._complain(SettingsError("boxes: they belong to image files; a video, a webcam or a stream cannot have any"))
            return
        stream = PersonStream(self._pipeline) if moving else None
        self._sinks.begin(media)
        while True:
            try:
                picture = media.read()
                if picture is None:
                    return
                self._one(picture, stream)
            except ImageError as error:
                self._complain(error)
            progress.update()

    def _one(self, picture: Frame, stream: PersonStream | None) -> None:
        places = self._places(picture)
        begin = time.perf_counter()
        try:
            result = self._result(picture, stream, places)
        except ImageError as error:
            raise ImageError(f"{picture.path}: {error}") from error
        self._total_ms += 1e3 * (time.perf_counter() - begin)
        with interrupts.held():  # else the JSON could have a picture that the video has not
            self._keep(picture, result, places)

    def _result(self, picture: Frame, stream: PersonStream | None, places: list[int] | None) -> PipelineResult:
        if stream is not None:
            return stream.run(picture.bgr, stamp_s=picture.time_s, settings=self._settings, keep_heatmaps=self._heatmaps)
        boxes = self._given.detections(places) if self._given and places is not None else None
        return self._pipeline.run(picture.bgr, settings=self._settings.frame, boxes=boxes, keep_heatmaps=self._heatmaps)

    def _keep(self, picture: Frame, result: PipelineResult, places: list[int] | None) -> None:
        self.results.add(
            result.native,
            picture,
            file_name=self._names.of(picture.path),
            keypoint_threshold=self._settings.frame.keypoint_threshold,
            places=places,
        )
        self._pictures += 1
        self._persons += len(result.native)
        if self._rerun is not None:
            threshold = self._settings.frame.keypoint_threshold
            self._rerun.put(picture.bgr, result.people, stamp_s=picture.time_s, keypoint_threshold=threshold)
        if self._sinks:
            self._sinks.put(picture, self._drawn(result, picture.bgr))

    def _places(self, picture: Frame) -> list[int] | None:
        """Which of the given boxes belong to this picture; those that do not touch it are named and left out."""
        if self._given is None:
            return None
        places = self._given.indices_of(picture.path)
        self._seen.update(places)
        if places and picture.page is not None:
            raise ImageError(f"{picture.path}: has several pages, and the boxes do not say which is theirs")
        height, width = picture.bgr.shape[:2]
        declared = {self._given.boxes[place].image_wh or (width, height) for place in places}
        if others := declared - {(width, height)}:
            raise ImageError(
                f"{picture.path}: has {width} x {height} pixels (upright, where it has an EXIF orientation), but its boxes are"
                f" for {' x '.join(map(str, others.pop()))}"
            )
        boxes = self._given.detections(places).boxes_xyxy
        usable = touches_image(boxes, width=width, height=height)
        for place in np.array(places, int)[~usable]:
            bbox = self._given.boxes[place].bbox_xywh
            self._complain(
                DataFileError(f"{picture.path}: box {place}, {bbox}, does not touch the picture of {width} x {height}")
            )
        return [place for place, good in zip(places, usable, strict=True) if good]

    def _drawn(self, result: PipelineResult, image: np.ndarray) -> dict[str, np.ndarray]:
        """What is to be seen, by the addition to the file's name."""
        threshold = self._settings.frame.keypoint_threshold
        drawn = {"": draw_people(image, result.people, result.skeleton, keypoint_threshold=threshold, **self._draw)}
        if result.heatmaps is not None and result.image_from_crop is not None:
            input_wh = self._pipeline.pose_net.input_wh
            drawn["_heatmaps"] = draw_heatmaps(image, result.heatmaps, result.image_from_crop, input_wh=input_wh)
        return drawn

    def _complain(self, error: PoseError) -> None:
        self.errors += 1
        tqdm.write(f"error: {error}", file=sys.stderr)


def _count(inputs: Sequence[str]) -> int | None:
    """Pictures in all inputs; None if one does not know its length."""
    total = 0
    for text in inputs:
        if is_video_only(text):
            return None  # opening a webcam or a stream twice may fail
        try:
            with closing(open_media(text)) as media:
                if media.length is None:
                    return None
                total += media.length
        except PoseError:
            continue  # reported when its turn comes
    return total
