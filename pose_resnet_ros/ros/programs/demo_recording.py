# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""What the demo leaves behind: a video, a picture, the persons as JSON, and a few figures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from pose_resnet_ros.output_files import write_whole
from pose_resnet_ros.video.writer import VideoWriter

MAX_HOLD_S = 2.0  # a longer gap (the source paused) is shortened in the video


@dataclass(frozen=True)
class PersonsFrame:
    """One ``~/persons`` message. stamp_ns: the image's stamp; age_ms: from that stamp to the arrival of the message."""

    stamp_ns: int
    age_ms: float
    persons: list[dict[str, Any]]


@dataclass(frozen=True)
class Picture:
    """One ``~/annotated_image``. stamp_ns: the input image's stamp; jpeg: the picture, encoded to keep memory small."""

    stamp_ns: int
    jpeg: np.ndarray


def person_to_dict(person: Any) -> dict[str, Any]:
    """A ``Person`` message as plain JSON types; ``box`` is x, y, width, height from its top left corner in pixels."""
    width, height = person.bbox.size_x, person.bbox.size_y
    centre = person.bbox.center.position
    return {
        "track_id": person.track_id,
        "box": [round(v, 2) for v in (centre.x - width / 2, centre.y - height / 2, width, height)],
        "score": round(person.score, 4),
        "pose_score": round(person.pose_score, 4),
        "keypoints": {k.name: [round(k.x, 2), round(k.y, 2), round(k.score, 4)] for k in person.keypoints},
    }


def write_persons(path: Path, frames: Sequence[PersonsFrame]) -> None:
    """A list of frames, oldest first, each with ``stamp`` (sec, nanosec) and ``persons``."""
    rows = [{"stamp": _stamp(f.stamp_ns), "persons": f.persons} for f in frames]
    write_whole(path, f"{json.dumps(rows, indent=1)}\n".encode(), name="output")


def write_video(path: Path, pictures: Sequence[Picture]) -> None:
    """Each picture is held until the stamp of the next one, so that the video plays at the pace of the source.

    Raises SettingsError if it cannot be written. Pictures of another size than the first are scaled to it.
    """
    times_s = _times_s(pictures)
    fps = (len(pictures) - 1) / times_s[-1] if times_s[-1] > 0 else None
    writer = VideoWriter(path, fps)
    for picture, time_s in zip(pictures, times_s, strict=True):
        writer.write(_decode(picture), time_s)
    writer.close()


def write_picture(path: Path, pictures: Sequence[Picture], frames: Sequence[PersonsFrame]) -> None:
    """The annotated frame with the most persons (the first of equals)."""
    count_at = {f.stamp_ns: len(f.persons) for f in frames}
    best = max(pictures, key=lambda picture: count_at.get(picture.stamp_ns, -1))
    write_whole(path, cv2.imencode(path.suffix, _decode(best))[1].tobytes(), name="output")


def summary(frames: Sequence[PersonsFrame], *, frames_in: int | None) -> str:
    """The figures of a run, a line each; ages are from the image's stamp to the arrival of its persons."""
    persons = [len(f.persons) for f in frames]
    ages_ms = [f.age_ms for f in frames]
    seconds = (frames[-1].stamp_ns - frames[0].stamp_ns) / 1e9
    rate = f" ({(len(frames) - 1) / seconds:.1f} a second)" if seconds > 0 else ""
    return "\n".join(
        [
            f"frames in          {'unknown' if frames_in is None else frames_in}",
            f"frames out         {len(frames)}{rate}",
            f"persons per frame  {np.mean(persons):.1f} (at most {max(persons)})",
            f"age of results     median {np.median(ages_ms):.0f} ms, 95 % under {np.percentile(ages_ms, 95):.0f} ms",
        ]
    )


def _times_s(pictures: Sequence[Picture]) -> list[float]:
    """When each picture appears, in seconds from the first one."""
    stamps_s = np.array([p.stamp_ns for p in pictures], np.int64) / 1e9
    return [0.0, *np.cumsum(np.clip(np.diff(stamps_s), 0.0, MAX_HOLD_S)).tolist()]


def _stamp(stamp_ns: int) -> dict[str, int]:
    sec, nanosec = divmod(stamp_ns, 1_000_000_000)
    return {"sec": sec, "nanosec": nanosec}


def _decode(picture: Picture) -> np.ndarray:
    return cv2.imdecode(picture.jpeg, cv2.IMREAD_COLOR)  # type: ignore[return-value]
