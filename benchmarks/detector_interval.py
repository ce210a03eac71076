#!/usr/bin/env python3
# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""What detector_interval saves, and what it costs: keypoints against those of a detection in every image.

python3 -m benchmarks.detector_interval street.avi --frames 200
"""

from __future__ import annotations

import argparse
import time
from contextlib import closing

import numpy as np
from scipy.optimize import linear_sum_assignment

from pose_resnet_ros.core.boxes import iou_matrix
from pose_resnet_ros.core.types import People
from pose_resnet_ros.media import open_media
from pose_resnet_ros.pipeline import PosePipeline, load_pipeline
from pose_resnet_ros.settings import FrameSettings, StreamSettings, TrackingSettings
from pose_resnet_ros.stream import PersonStream

INTERVALS = (1, 2, 3, 5, 10)  # the first is what the others are compared with
SAME_PERSON_IOU = 0.3
WITHIN = 0.1  # of the person's height


class Candidate:
    """One interval: its results, time and detections."""

    def __init__(self, pipeline: PosePipeline, interval: int) -> None:
        self.interval = interval
        self._stream = PersonStream(pipeline)
        untracked = TrackingSettings(tracker="none")
        self._settings = StreamSettings(frame=FrameSettings(detector_interval=interval), tracking=untracked)
        self.people: list[People] = []
        self.seconds = 0.0
        self.detections = 0

    def run(self, image: np.ndarray) -> None:
        begin = time.perf_counter()
        result = self._stream.run(image, settings=self._settings)
        self.seconds += time.perf_counter() - begin
        self.detections += "detect" in result.stage_ms
        self.people.append(result.native)


def compare(reference: list[People], own: list[People]) -> tuple[float, float]:
    """Share of the reference's persons found again, and of their sure joints that lie within ``WITHIN`` of the height."""
    matched, close, joints = 0, 0, 0
    for before, now in zip(reference, own, strict=True):
        similarity = iou_matrix(before.boxes_xyxy, now.boxes_xyxy)
        for row, column in zip(*linear_sum_assignment(-similarity), strict=True):
            if similarity[row, column] <= SAME_PERSON_IOU:
                continue
            matched += 1
            sure = before.keypoint_scores[row] > FrameSettings().keypoint_threshold
            distance = np.linalg.norm(before.keypoints_xy[row] - now.keypoints_xy[column], axis=-1)[sure]
            height = before.boxes_xyxy[row, 3] - before.boxes_xyxy[row, 1]
            close += int((distance < WITHIN * height).sum())
            joints += int(sure.sum())
    return matched / max(1, sum(map(len, reference))), close / max(1, joints)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source")
    parser.add_argument("--frames", type=int, default=200)
    parser.add_argument("--threads", type=int, default=0)
    options = parser.parse_args()
    with load_pipeline(threads=options.threads) as pipeline, closing(open_media(options.source)) as media:
        candidates = [Candidate(pipeline, interval) for interval in INTERVALS]
        for _ in range(options.frames):
            picture = media.read()
            if picture is None:
                break
            for candidate in candidates:  # in turns
                candidate.run(picture.bgr)
    first = candidates[0]
    print("| interval | images with a detection | persons found again | joints within 0.1 of the height | time |")
    print("|---|---|---|---|---|")
    for one in candidates:
        again, close = compare(first.people, one.people)
        share = one.detections / len(one.people)
        print(f"| {one.interval} | {share:.0%} | {again:.1%} | {close:.1%} | {one.seconds / first.seconds:.2f} |")


if __name__ == "__main__":
    main()
