# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Images, skeletons and scores over time in a file for the Rerun viewer (rerun.io)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pose_resnet_ros.core.errors import SettingsError
from pose_resnet_ros.core.skeletons import Skeleton
from pose_resnet_ros.core.types import People

JPEG_QUALITY = 85
UNTRACKED = 0  # class of persons without a track id; ids count from 1


class RerunLog:
    """One recording. Entities: ``image``, ``image/boxes``, ``image/joints``, ``scores/person_ID``; times: the image's
    number, and seconds where the source has a rate.
    """

    def __init__(self, path: Path, skeleton: Skeleton) -> None:
        """Raises SettingsError if rerun-sdk is missing, or if the file cannot be written."""
        try:
            import rerun
        except ImportError as error:
            raise SettingsError("rerun: needs the package rerun-sdk: pip install rerun-sdk") from error
        self._rerun = rerun
        self._skeleton = skeleton
        self._count = 0
        self._described = 0
        self._log = rerun.RecordingStream("pose_resnet_ros")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._log.save(path)
        except (OSError, RuntimeError) as error:
            raise SettingsError(f"rerun: cannot write {path}: {error}") from error
        self._describe(0)

    def put(self, bgr: np.ndarray, people: People, *, stamp_s: float | None, keypoint_threshold: float) -> None:
        """One image, (H, W, 3) uint8 BGR, and its people, with the joints of the skeleton."""
        rerun, log = self._rerun, self._log
        log.set_time("image", sequence=self._count)
        if stamp_s is not None:
            log.set_time("time", duration=stamp_s)
        self._count += 1
        self._describe(int(people.track_ids.max(initial=0)))
        log.log("image", rerun.Image(bgr, color_model="BGR").compress(jpeg_quality=JPEG_QUALITY))
        classes = _classes(people)
        boxes = rerun.Boxes2D(array=people.boxes_xyxy, array_format=rerun.Box2DFormat.XYXY, class_ids=classes)
        log.log("image/boxes", boxes)
        rows, joints = np.nonzero(people.keypoint_scores > keypoint_threshold)
        ids = joints.astype(np.uint16)
        log.log("image/joints", rerun.Points2D(people.keypoints_xy[rows, joints], class_ids=classes[rows], keypoint_ids=ids))
        scores = people.pose_scores(keypoint_threshold)
        for track_id, score in zip(people.track_ids.tolist(), scores.tolist(), strict=True):
            if track_id > 0:
                log.log(f"scores/person_{track_id}", rerun.Scalars(score))

    def close(self) -> None:
        """Write what is left, and end the file."""
        self._log.flush()
        self._log.disconnect()

    def _describe(self, last_id: int) -> None:
        """Rerun draws limbs by class: the skeleton's table, for every person that there has been."""
        if self._described > last_id and self._described:
            return
        self._described = 2 * last_id + 16
        rerun = self._rerun
        named_colours = zip(self._skeleton.joint_names, self._skeleton.joint_colours_rgb, strict=True)
        joints = [rerun.AnnotationInfo(k, name, colour) for k, (name, colour) in enumerate(named_colours)]
        classes = [
            rerun.ClassDescription(
                info=rerun.AnnotationInfo(track_id, f"person {track_id}" if track_id else "person"),
                keypoint_annotations=joints,
                keypoint_connections=list(self._skeleton.edges),
            )
            for track_id in range(self._described)
        ]
        self._log.log("image", rerun.AnnotationContext(classes), static=True)


def _classes(people: People) -> np.ndarray:
    """(N,) uint16; a track id beyond its range begins again."""
    return np.where(people.track_ids > 0, people.track_ids % 65535, UNTRACKED).astype(np.uint16)
