# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""One run of ``predict``: every frame of every input through the pipeline, its result to where it was asked for."""

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
    """errors: how many inputs and frames could not be used; each was reported on stderr at its turn."""

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
        rerun: takes the frames, and the people with the joints of the output skeleton.
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
        self.errors = self._frames = self._people = 0
        self._total_ms = 0.0

    def run(self, inputs: Sequence[str]) -> None:
        """All inputs, one after the other. Raises Quit, and SettingsError where a result cannot be written."""
        self._names = ImageNames(inputs)
        with tqdm(total=_count(inputs), unit="image", disable=None) as progress:
            for text in inputs:
                try:
                    media = open_media(text)
                except PoseError as error:
                    self._complain(error)
                    continue
                with closing(media):
                    self._all_of(media, progress)

    def summary(self) -> str:
        """One line on what was done."""
        each = f", {self._total_ms / self._frames:.0f} ms per image" if self._frames else ""
        where = f"; see {self._sinks.folder.folder}" if self._sinks.folder else ""
        return f"images: {self._frames}, people: {self._people}, errors: {self.errors}{each}{where}"

    def _all_of(self, media: Media, progress: tqdm) -> None:
        moving = media.name is not None
        if moving and self._given is not None:
            self._complain(SettingsError("boxes: they can only be given for image files, not for a video, a webcam or a stream"))
            return
        stream = PersonStream(self._pipeline) if moving else None
        self._sinks.begin(media)
        while True:
            try:
                frame = media.read()
                if frame is None:
                    return
                self._one(frame, stream)
            except ImageError as error:
                self._complain(error)
            progress.update()

    def _one(self, frame: Frame, stream: PersonStream | None) -> None:
        places = self._places(frame)
        begin = time.perf_counter()
        try:
            result = self._result(frame, stream, places)
        except ImageError as error:
            raise ImageError(f"{frame.path}: {error}") from error
        self._total_ms += 1e3 * (time.perf_counter() - begin)
        with interrupts.held():  # else the JSON could have a frame that the video has not
            self._keep(frame, result, places)

    def _result(self, frame: Frame, stream: PersonStream | None, places: list[int] | None) -> PipelineResult:
        if stream is not None:
            return stream.run(frame.bgr, stamp_s=frame.time_s, settings=self._settings, keep_heatmaps=self._heatmaps)
        boxes = self._given.detections(places) if self._given and places is not None else None
        return self._pipeline.run(frame.bgr, settings=self._settings.frame, boxes=boxes, keep_heatmaps=self._heatmaps)

    def _keep(self, frame: Frame, result: PipelineResult, places: list[int] | None) -> None:
        self.results.add(
            result.native,
            frame,
            file_name=self._names.of(frame.path),
            keypoint_threshold=self._settings.frame.keypoint_threshold,
            places=places,
        )
        self._frames += 1
        self._people += len(result.native)
        if self._rerun is not None:
            threshold = self._settings.frame.keypoint_threshold
            self._rerun.put(frame.bgr, result.people, stamp_s=frame.time_s, keypoint_threshold=threshold)
        if self._sinks:
            self._sinks.put(frame, self._drawn(result, frame.bgr))

    def _places(self, frame: Frame) -> list[int] | None:
        """Which of the given boxes belong to this image; those outside it are reported and left out."""
        if self._given is None:
            return None
        usable, outside = self._given.for_frame(frame)
        height, width = frame.bgr.shape[:2]
        for place in outside:
            bbox = self._given.boxes[place].bbox_xywh
            self._complain(DataFileError(f"{frame.path}: box {place}, {bbox}, is outside the image of {width} x {height} pixels"))
        return usable

    def _drawn(self, result: PipelineResult, image: np.ndarray) -> dict[str, np.ndarray]:
        """Annotated images by what is added to the file's name."""
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
    """Frames in all inputs; None if the length of one is not known."""
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
