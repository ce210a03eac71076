#!/usr/bin/env python3
# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""How well the tracker keeps ids on a street, against tracks drawn by hand (benchmarks/street_tracks.json).

python3 -m benchmarks.tracking vtest.avi --people people.npz

vtest.avi is OpenCV's (samples/data). Persons, poses and colours are computed once, in minutes, and kept in the file of --people.
"""

from __future__ import annotations

import argparse
import json
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.track_metrics import Boxes, TrackMetrics, measure
from pose_resnet_ros.core.appearance import appearance_of
from pose_resnet_ros.core.skeletons import COCO17
from pose_resnet_ros.core.tracking import PoseTracker
from pose_resnet_ros.core.types import People
from pose_resnet_ros.media import open_media
from pose_resnet_ros.pipeline import load_pipeline

TRACKS = Path(__file__).with_name("street_tracks.json")
LEAST_IOU = 0.3  # hand-drawn boxes of persons 60 px high are off by some pixels, and so are the detector's
CANDIDATES = {"iou": 0.2, "oks": 0.05}  # least similarity


def between(drawn: dict[str, list[float]], size_wh: list[int]) -> dict[int, np.ndarray]:
    """frame -> (4,) box inside the image: the drawn boxes of one person, and straight lines between them."""
    frames, boxes = np.array([int(frame) for frame in drawn]), np.array(list(drawn.values()))
    every = np.arange(frames[0], frames[-1] + 1)
    lines = np.stack([np.interp(every, frames, side) for side in boxes.T], axis=1)
    return dict(zip(every.tolist(), np.clip(lines, 0, np.tile(size_wh, 2)), strict=True))


def truth_of(part: dict[str, Any], size_wh: list[int]) -> list[Boxes]:
    """One part's persons, frame by frame."""
    first, last = part["frames"]
    lines = {name: between(drawn, size_wh) for name, drawn in part["persons"].items()}
    return [{name: line[k] for name, line in lines.items() if k in line} for k in range(first, last + 1)]


def look_at(source: str, target: Path) -> None:
    """Everybody in each image of the video, into a file: a row each."""
    rows: dict[str, list[np.ndarray]] = {name: [] for name in ("frame", "box", "score", "xy", "xy_score", "appearance")}
    with load_pipeline(skeleton="native") as pipeline, closing(open_media(source)) as media:
        while (picture := media.read()) is not None:
            people = pipeline.run(picture.bgr).native
            rows["frame"].append(np.full(len(people), picture.index))
            rows["box"].append(people.boxes_xyxy)
            rows["score"].append(people.box_scores)
            rows["xy"].append(people.keypoints_xy)
            rows["xy_score"].append(people.keypoint_scores)
            rows["appearance"].append(appearance_of(picture.bgr, people.boxes_xyxy))
    np.savez_compressed(target, **{name: np.concatenate(arrays) for name, arrays in rows.items()})


def track(seen: dict[str, np.ndarray], frames: range, fps: float, *, similarity: str, appearance: bool) -> list[Boxes]:
    """Frame by frame: id -> box."""
    tracker = PoseTracker(oks_sigmas=COCO17.oks_sigmas)
    tracked: list[Boxes] = []
    for frame in frames:
        rows = seen["frame"] == frame
        nobody = np.full(rows.sum(), -1, np.int32)
        people = People(*(seen[name][rows] for name in ("box", "score", "xy", "xy_score")), nobody)
        ids = tracker.update(
            people,
            stamp_s=frame / fps,
            appearance=seen["appearance"][rows] if appearance else None,
            similarity=similarity,
            min_similarity=CANDIDATES[similarity],
        ).tolist()
        tracked.append({str(i): box for i, box in zip(ids, people.boxes_xyxy, strict=True) if i > 0})
    return tracked


def row(name: str, part: str, found: TrackMetrics) -> str:
    figures = (found.switches, found.taken_over, found.fragmentations, found.ids, found.false_positives)
    return f"| {name} | {part} | {found.idf1:.3f} | " + " | ".join(map(str, figures)) + f" | {found.found:.3f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source")
    parser.add_argument("--people", type=Path, default=Path("people.npz"))
    options = parser.parse_args()
    if not options.people.exists():
        look_at(options.source, options.people)
    seen = dict(np.load(options.people))
    drawn = json.loads(TRACKS.read_text())
    print("| tracker | part | IDF1 | switches | of them taken over | interruptions | ids | false | found |")
    print("|---|---|---|---|---|---|---|---|---|")
    for part, content in drawn["parts"].items():
        truth = truth_of(content, drawn["image_size"])
        frames = range(content["frames"][0], content["frames"][1] + 1)
        for kind in CANDIDATES:
            for appearance in (True, False):
                ids = track(seen, frames, drawn["fps"], similarity=kind, appearance=appearance)
                name = kind if appearance else f"{kind}, no colours"
                print(row(name, part, measure(truth, ids, least_iou=LEAST_IOU)))


if __name__ == "__main__":
    main()
