# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""What the demo leaves behind: the annotated video, its fullest frame, the persons as JSON, and a few figures."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from pose_resnet_ros.output_files import write_whole
from pose_resnet_ros.video.writer import VideoWriter

WRITTEN = ("persons.json", "annotated.png", "annotated.mp4")
MAX_HOLD_S = 2.0  # a longer gap (the source paused) is shortened in the video


@dataclass(frozen=True)
class PersonsFrame:
    """One ``~/persons`` message. stamp_ns: the image's stamp; age_ms: from that stamp to the arrival of the message."""

    stamp_ns: int
    age_ms: float
    persons: list[dict[str, Any]]


class Recording:
    """The video is written as its frames come, at the pace of their stamps; the rest by ``finish``."""

    def __init__(self, folder: Path) -> None:
        self.frames: list[PersonsFrame] = []
        self._persons_file, self._image_file, video_file = (folder / name for name in WRITTEN)
        self._video = VideoWriter(video_file)
        self._last_ns: int | None = None
        self._time_s = 0.0
        self._fullest: tuple[int, np.ndarray | None] = (-1, None)

    def add_image(self, stamp_ns: int, bgr: np.ndarray) -> None:
        """An annotated frame, (H, W, 3) uint8 BGR. Raises SettingsError if the video cannot be written."""
        if self._last_ns is not None:
            self._time_s += min(max((stamp_ns - self._last_ns) / 1e9, 0.0), MAX_HOLD_S)
        self._last_ns = stamp_ns
        self._video.write(bgr, self._time_s)
        persons = next((len(frame.persons) for frame in reversed(self.frames) if frame.stamp_ns == stamp_ns), 0)
        if persons > self._fullest[0]:
            self._fullest = persons, bgr

    def finish(self, *, frames_in: int | None) -> str:
        """Complete the files; a few figures, a line each. Ages are from the image's stamp to the arrival of its persons.

        Raises SettingsError if they cannot be written.
        """
        rows = [{"stamp": _stamp(frame.stamp_ns), "persons": frame.persons} for frame in self.frames]
        write_whole(self._persons_file, f"{json.dumps(rows, indent=1)}\n".encode(), name="output")
        if self._fullest[1] is not None:
            write_whole(self._image_file, cv2.imencode(".png", self._fullest[1])[1].tobytes(), name="output")
        self._video.close()
        persons, ages_ms = [len(f.persons) for f in self.frames], [f.age_ms for f in self.frames]
        seconds = (self.frames[-1].stamp_ns - self.frames[0].stamp_ns) / 1e9
        rate = f" ({(len(self.frames) - 1) / seconds:.1f} a second)" if seconds > 0 else ""
        return f"""frames in          {"unknown" if frames_in is None else frames_in}
frames out         {len(self.frames)}{rate}
persons per frame  {np.mean(persons):.1f} (at most {max(persons)})
age of results     median {np.median(ages_ms):.0f} ms, 95 % under {np.percentile(ages_ms, 95):.0f} ms"""

    def close(self) -> None:
        """Nothing is left of a video that was not finished."""
        self._video.discard()


def person_to_dict(person: Any) -> dict[str, Any]:
    """A ``Person`` message as plain JSON types; ``box`` is x, y, width, height from its top left corner in pixels."""
    centre, width, height = person.bbox.center.position, person.bbox.size_x, person.bbox.size_y
    return {
        "track_id": person.track_id,
        "box": [round(v, 2) for v in (centre.x - width / 2, centre.y - height / 2, width, height)],
        "score": round(person.score, 4),
        "pose_score": round(person.pose_score, 4),
        "keypoints": {k.name: [round(k.x, 2), round(k.y, 2), round(k.score, 4)] for k in person.keypoints},
    }


def _stamp(stamp_ns: int) -> dict[str, int]:
    sec, nanosec = divmod(stamp_ns, 1_000_000_000)
    return {"sec": sec, "nanosec": nanosec}
