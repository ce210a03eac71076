# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Video topics: one packet of a stream in each message, decoded by PyAV. Imports no ROS: it reads the messages' fields.

Sources: ffmpeg_image_transport_msgs, FFMPEGPacket.msg; foxglove_msgs, CompressedVideo.msg.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from pose_resnet_ros.core.errors import ImageError
from pose_resnet_ros.core.library_setup import MAX_PIXELS
from pose_resnet_ros.core.types import names_of
from pose_resnet_ros.video.frames import bgr_of
from pose_resnet_ros.video.source import pyav

PACKET, VIDEO = "ffmpeg_image_transport_msgs/msg/FFMPEGPacket", "foxglove_msgs/msg/CompressedVideo"
TYPES = (PACKET, VIDEO)
CODECS = {"h264": "h264", "h265": "hevc", "hevc": "hevc", "av1": "av1", "vp8": "vp8", "vp9": "vp9"}
# Encodings of ffmpeg_image_transport that name the encoder.
ENCODERS = {"libx264": "h264", "libx265": "hevc", "libsvtav1": "av1", "libaom-av1": "av1"}
# FFmpeg's own decoder of AV1 needs hardware.
_DECODERS = {"av1": ("libdav1d", "libaom-av1", "av1")}
_LONGEST_DELAY = 64  # packets until an image comes out; H.264 and H.265 reorder 16 at most
_MOST_TRUST = 8


@dataclass(frozen=True, eq=False)
class DecodedFrame:
    """An image of a video. origin: what came with its packet; codec: its name; decoded: PyAV's frame."""

    origin: Any
    codec: str
    decoded: Any

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.decoded.width, self.decoded.height

    def to_bgr(self) -> np.ndarray:
        """(H, W, 3) uint8 BGR. Raises ImageError for a pixel format that cannot be converted."""
        try:
            return bgr_of(self.decoded)
        except (ValueError, pyav().error.FFmpegError) as error:
            raise ImageError(f"the video's pixel format {self.decoded.format.name} cannot be converted: {error}") from error


class VideoDecoder:
    """One stream, packet by packet. Images come in the order of display, the first of them from a key frame, since all others
    refer to images before them.

    is_waiting: for a key frame, at the beginning and after a gap; why: what made it wait, in words.
    """

    def __init__(self) -> None:
        self.is_waiting, self.why = True, "the stream was joined in the middle"
        self._skipped = 0
        self._codec_name = ""
        self._codec: Any = None
        self._count = self._first = 0  # packets; the first one since the last gap
        self._origins: dict[int, Any] = {}
        self._pts: int | None = None
        self._trust = 0  # in pts as a count of images

    @property
    def skipped(self) -> int:
        """How many packets came before a key frame, so that they could not be decoded."""
        return self._skipped + (self._count - self._first if self.is_waiting else 0)

    def decode(self, message: Any, origin: Any) -> list[DecodedFrame]:
        """The images that this FFMPEGPacket or CompressedVideo completes: usually its own; with B-frames, which are coded after
        images that they precede, none or an earlier one. origin: comes back with the image.

        Raises ImageError for a codec that is not in CODECS, and for a damaged packet, after which it waits for a key frame.
        """
        self._open(_codec_of(message))
        if not len(message.data):
            raise ImageError("the video packet is empty")
        self._look_for_gap(getattr(message, "pts", None))
        packet = pyav().Packet(bytes(message.data))
        packet.pts = self._count  # the image has it too, whatever the order
        self._origins[self._count] = origin
        self._origins.pop(self._count - _LONGEST_DELAY, None)
        self._count += 1
        try:
            return self._usable(self._codec.decode(packet))
        except pyav().error.FFmpegError as error:
            was_waiting = self.is_waiting
            self.interrupt(self.why if was_waiting else "a packet is damaged")
            if was_waiting:
                return []
            raise ImageError(f"the video packet cannot be decoded: {error.strerror}") from error

    def flush(self) -> list[DecodedFrame]:
        """The images that were still held back, at the end of the stream."""
        with suppress(pyav().error.FFmpegError):
            return self._usable(self._codec.decode(None)) if self._codec else []
        return []

    def interrupt(self, why: str) -> None:
        """Packets are missing before the next one: no image is usable until a key frame."""
        self._reset_codec()
        self._skipped = self.skipped
        self._first = self._count
        self.is_waiting, self.why = True, why

    def _reset_codec(self) -> None:
        """Forget earlier images and damage: after some packets, VP9's decoder takes no further one, even if it is flushed.

        H.265 goes on as it is: once flushed, FFmpeg 7.1 gives no further image of a stream with B-frames.
        """
        if self._codec_name == "h264" and hasattr(self._codec, "flush_buffers"):  # not in PyAV 12.0
            self._codec.flush_buffers()  # keeps the parameter sets, which may have been sent at the beginning only
        elif self._codec_name not in ("", "hevc"):
            self._codec = _decoder(self._codec_name)

    def _usable(self, frames: list[Any]) -> list[DecodedFrame]:
        return [DecodedFrame(self._origins.pop(f.pts), self._codec_name, f) for f in frames if self._is_usable(f)]

    def _is_usable(self, frame: Any) -> bool:
        """Whether the image is whole; the first one that is ends the waiting, unless it was sent before the gap."""
        if frame.is_corrupt or frame.pts not in self._origins:
            return False
        # After a reset, H.264 may be refreshed bit by bit, without key frames; FFmpeg gives no image of it that is not whole.
        is_whole = frame.key_frame or self._codec_name == "h264"
        if self.is_waiting and is_whole and frame.pts >= self._first:
            self._skipped += frame.pts - self._first
            self.is_waiting = False
        return not self.is_waiting

    def _look_for_gap(self, pts: int | None) -> None:
        """ffmpeg_image_transport counts images in pts. Only where no B-frame changes the order does a step tell of a gap."""
        if pts is None:
            return
        is_next = self._pts is not None and pts == self._pts + 1
        if self._trust and not is_next and not self._codec.has_b_frames:
            self.interrupt("packets are missing")
        self._pts, self._trust = pts, min(self._trust + 1, _MOST_TRUST) if is_next else self._trust // 2

    def _open(self, name: str) -> None:
        """A new decoder where the stream's codec has changed."""
        if name != self._codec_name:
            if self._codec_name:
                self.interrupt("the codec has changed")
            self._codec = _decoder(name)
            self._codec_name = name


def _decoder(name: str) -> Any:
    av = pyav("video topics")
    for decoder in _DECODERS.get(name, (name,)):
        with suppress(av.codec.codec.UnknownCodecError):
            codec = av.CodecContext.create(decoder, "r")
            codec.options = {"flags": "low_delay", "max_pixels": str(MAX_PIXELS)}
            codec.thread_count = 1  # several would give each image later, or wait for one another on busy cores
            return codec
    raise ImageError(f"this build of PyAV (av {av.__version__}) cannot decode {name}")


def _codec_of(message: Any) -> str:
    declared = message.format if hasattr(message, "format") else message.encoding
    name = declared.partition(";")[0].strip().lower()
    base = ENCODERS.get(name, name.partition("_")[0])  # h264_nvenc, hevc_vaapi
    if base not in {*CODECS, *CODECS.values()}:
        raise ImageError(f"video format '{declared}': expected {names_of(sorted(CODECS))}")
    return CODECS[base]
