# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Video topics of a recording: one packet of a stream in each message, decoded by PyAV.

Sources: ffmpeg_image_transport_msgs, FFMPEGPacket.msg; foxglove_msgs, CompressedVideo.msg.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pose_resnet_ros.core.errors import ImageError
from pose_resnet_ros.core.library_setup import MAX_PIXELS
from pose_resnet_ros.core.types import names_of
from pose_resnet_ros.video.source import pyav

PACKET, VIDEO = "ffmpeg_image_transport_msgs/msg/FFMPEGPacket", "foxglove_msgs/msg/CompressedVideo"
TYPES = (PACKET, VIDEO)
CODECS = {"h264": "h264", "h265": "hevc", "hevc": "hevc", "av1": "av1", "vp8": "vp8", "vp9": "vp9"}
# What ffmpeg_image_transport calls them that names the encoder.
ENCODERS = {"libx264": "h264", "libx265": "hevc", "libsvtav1": "av1", "libaom-av1": "av1"}


class VideoDecoder:
    """One stream, packet by packet. before_key_frame: packets at the beginning that cannot be decoded, because the key frame that
    they refer to was not recorded.
    """

    def __init__(self) -> None:
        self.before_key_frame = 0
        self._codec_name = ""
        self._codec: Any = None
        self._is_running = False

    def decode(self, message: Any) -> np.ndarray | None:
        """The image of a FFMPEGPacket or CompressedVideo, (H, W, 3) uint8 BGR; None while there has been no key frame.

        Raises ImageError for a codec that is not in CODECS, for a damaged packet (after which the next key frame is waited for),
        and for a packet that does not hold exactly one image.
        """
        av = pyav()
        codec = self._opened(_codec_of(message))
        try:
            frames = codec.decode(av.Packet(bytes(message.data)))
        except av.error.FFmpegError as error:
            if not self._is_running:
                self.before_key_frame += 1
                return None
            self._is_running = False
            raise ImageError(f"the video packet cannot be decoded: {error.strerror}") from error
        if not self._is_running and not (frames and frames[-1].key_frame):
            self.before_key_frame += 1
            return None
        self._is_running = True
        if len(frames) != 1:
            raise ImageError(f"expected one image in each video packet, got {len(frames)}")
        return np.asarray(frames[0].to_ndarray(format="bgr24"))

    def _opened(self, name: str) -> Any:
        """The decoder; a new one where the stream's codec has changed."""
        if name != self._codec_name:
            self._codec = pyav().CodecContext.create(name, "r")
            self._codec.options = {"flags": "low_delay", "max_pixels": str(MAX_PIXELS)}
            self._codec.thread_type = "SLICE"  # threads by frame would give each image later
            self._codec_name, self._is_running = name, False
        return self._codec


def _codec_of(message: Any) -> str:
    declared = message.format if hasattr(message, "format") else message.encoding
    name = declared.partition(";")[0].strip().lower()
    base = ENCODERS.get(name, name.partition("_")[0])  # h264_nvenc, hevc_vaapi
    if base not in {*CODECS, *CODECS.values()}:
        raise ImageError(f"video format '{declared}': expected {names_of(sorted(CODECS))}")
    return CODECS[base]
