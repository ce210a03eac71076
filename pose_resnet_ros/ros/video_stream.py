# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The video of one camera: every packet is decoded, in order, on a thread of its own, and each image is passed on at once.

The worker keeps the newest image only, and converts it to BGR when its turn comes.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from std_msgs.msg import Header

from pose_resnet_ros.core.errors import ImageError
from pose_resnet_ros.ros.frame_errors import FrameErrors
from pose_resnet_ros.ros.health.statistics import Statistics
from pose_resnet_ros.ros.topics import VIDEO_DEPTH, CameraContext, VideoImage
from pose_resnet_ros.ros.worker import InputFrame
from pose_resnet_ros.video.packets import DecodedFrame, VideoDecoder

MOST_WAITING = VIDEO_DEPTH
TELL_AFTER_S = 1.0  # most encoders send key frames more often
COMPLAIN_AFTER_S = 10.0
LOST, ANOTHER = "packets were lost in transit", "another publisher has started"
SLOW = "decoding is too slow for this video"
_CURE = (
    "set the encoder to send one at least every second (ffmpeg_image_transport: the publisher's parameter gop_size; GStreamer:"
    " key-int-max; NVENC: iframeinterval or idrinterval)"
)


@dataclass(frozen=True)
class _Wait:
    """For a key frame. since_s: of the monotonic clock."""

    why: str
    since_s: float = 0.0
    packets: int = 0

    def __str__(self) -> str:
        """For the log and diagnostics; "" while it is too short to speak of."""
        waited_s = time.monotonic() - self.since_s
        if not self.packets or waited_s < TELL_AFTER_S:
            return ""
        cure = f"; {_CURE}" if waited_s >= COMPLAIN_AFTER_S else ""
        return f"waiting for a key frame for {waited_s:.0f} s ({self.packets} packets), because {self.why}{cure}"


class VideoStream:
    """Takes packets until it is closed. ``put``, ``lost`` and ``close`` are called on the executor's thread.

    forward is called on the stream's own thread with each image, a ``VideoImage``.
    """

    def __init__(self, context: CameraContext, *, forward: Callable[[InputFrame], None], statistics: Statistics) -> None:
        self._context, self._forward = context, forward
        self._errors = FrameErrors(context, statistics)
        self._decoder = VideoDecoder()
        self._changed = threading.Condition()
        self._waiting: deque[InputFrame | str] = deque()  # a string: why packets are missing here
        self._packets = 0
        self._number: int | None = None
        self._closing = False
        self._wait: _Wait | None = None  # since the first packet
        self._told = ""
        self._size = ""
        self._decode_ms = 0.0
        self._images = 0
        self._thread = threading.Thread(target=self._work, name="video_decoder", daemon=True)
        self._thread.start()

    def put(self, frame: InputFrame) -> None:
        """A packet has arrived."""
        with self._changed:
            if self._packets >= MOST_WAITING:
                self._waiting.clear()
                self._packets = 0
                self._waiting.append(SLOW)
            if self._number is not None and frame.number is not None and frame.number != self._number + 1:
                self._waiting.append(LOST if frame.number > self._number else ANOTHER)
            self._number = frame.number
            self._waiting.append(frame)
            self._packets += 1
            self._changed.notify()

    def lost(self, count: int) -> None:
        """So many packets were lost in transit; where packets are numbered, the next one's number says so."""
        with self._changed:
            if count and self._number is None:
                self._waiting.append(LOST)

    def close(self) -> None:
        """End with the packet in progress."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()

    @property
    def warning(self) -> str:
        """For how long it has been waiting for a key frame, why, and what helps; "" while it is not waiting."""
        text = str(self._wait or "")
        return f"{self._context.image_topic}: {text}" if text else ""

    def values(self) -> dict[str, str]:
        """What diagnostics show."""
        wait = self._wait  # the other thread may end it meanwhile
        waited_s = time.monotonic() - wait.since_s if wait else 0.0
        return {
            "video": self._size or "no image yet",
            "video packets waiting to be decoded": str(self._packets),
            "video packets skipped before a key frame": str(self._decoder.skipped),
            "waiting for a key frame (s)": f"{waited_s:.1f}",
            "video decoding (ms)": f"{self._decode_ms:.1f}",
        }

    def _work(self) -> None:
        while (item := self._next()) is not None:
            if isinstance(item, str):
                self._decoder.interrupt(item)
                continue
            try:
                self._decode(item)
            except ImageError as error:
                self._errors.bad_frame(error)
            except Exception as error:  # noqa: BLE001 - the next packets may be better
                self._errors.failure(error)
            else:
                self._note_wait()

    def _next(self) -> InputFrame | str | None:
        """None: the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._closing or self._waiting)
            if self._closing:
                return None
            item = self._waiting.popleft()
            self._packets -= not isinstance(item, str)
            return item

    def _decode(self, frame: InputFrame) -> None:
        start_s = time.perf_counter()
        images = self._decoder.decode(frame.image, replace(frame, image=_header_of(frame.image)))
        self._decode_ms += ((time.perf_counter() - start_s) * 1e3 - self._decode_ms) / min(self._images + 1, 30)
        for image in images:
            self._images += 1
            self._note_size(image)
            self._forward(replace(image.origin, image=VideoImage(image.origin.image, image)))

    def _note_size(self, image: DecodedFrame) -> None:
        width, height = image.size_wh
        before, self._size = self._size, f"{image.codec}, {width} x {height}"
        if before and before != self._size:
            self._context.logger.info(f"the video on {self._context.image_topic} has changed: {before} -> {self._size}")

    def _note_wait(self) -> None:
        """Logged when it begins to last, and once more when it has become too long."""
        if not self._decoder.is_waiting:
            if self._told:
                self._context.logger.info(f"{self._context.image_topic}: key frame received")
            self._wait, self._told = None, ""
            return
        wait = self._wait or _Wait(self._decoder.why, time.monotonic())
        self._wait = replace(wait, why=self._decoder.why, packets=wait.packets + 1)
        text = str(self._wait)
        if text and (not self._told or (_CURE in text and _CURE not in self._told)):
            self._told = text
            self._context.logger.warning(self.warning)


def _header_of(message: Any) -> Header:
    """A CompressedVideo has the fields of a header, but no header."""
    if hasattr(message, "header"):
        return message.header
    return Header(stamp=message.timestamp, frame_id=message.frame_id)
