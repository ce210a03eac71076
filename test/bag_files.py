# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Recordings for tests, written by rosbags."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

TOPIC = "/camera/image_raw"
FIRST_NS = 1_700_000_000_000_000_000
STEP_NS = 100_000_000
_STORE = get_typestore(Stores.ROS2_JAZZY)
_IMAGE, _COMPRESSED = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"


def picture(number: int) -> np.ndarray:
    """(96, 128, 3) BGR of noise, so that no compression makes it small."""
    return np.random.default_rng(number).integers(0, 255, (96, 128, 3), np.uint8)


def image(number: int, **changes: Any) -> Any:
    pixels = picture(number)
    fields = {
        "height": 96,
        "width": 128,
        "encoding": "bgr8",
        "is_bigendian": 0,
        "step": 384,
        "data": pixels.ravel(),
    }
    return _STORE.types[_IMAGE](header=header(number), **{**fields, **changes})


def jpeg(number: int) -> Any:
    data = cv2.imencode(".jpg", picture(number))[1].ravel()
    return _STORE.types[_COMPRESSED](header=header(number), format="bgr8; jpeg compressed bgr8", data=data)


def header(number: int) -> Any:
    """Stamped 5 ms before it was recorded."""
    sec, nanosec = divmod(log_ns(number) - 5_000_000, 1_000_000_000)
    stamp = _STORE.types["builtin_interfaces/msg/Time"](sec=sec, nanosec=nanosec)
    return _STORE.types["std_msgs/msg/Header"](stamp=stamp, frame_id="camera_optical_frame")


def log_ns(number: int) -> int:
    return FIRST_NS + number * STEP_NS


def write_bag(
    folder: Path, topics: dict[str, list[Any]], *, storage: str = "mcap", compressed: str = "none"
) -> Path:
    """A recording whose message number n of each topic was recorded at log_ns(n); compressed: none, message or file."""
    writer = Writer(folder, version=9, storage_plugin=StoragePlugin[storage.upper()])
    writer.set_compression(CompressionMode[compressed.upper()], CompressionFormat.ZSTD)
    with writer:
        rows = []
        for topic, messages in topics.items():
            kind = messages[0].__msgtype__ if messages else _IMAGE
            connection = writer.add_connection(topic, kind, typestore=_STORE)
            rows += [(log_ns(number), connection, kind, message) for number, message in enumerate(messages)]
        for when, connection, kind, message in sorted(rows, key=lambda row: row[0]):
            writer.write(connection, when, _STORE.serialize_cdr(message, kind))
    return folder


def only_file(folder: Path) -> Path:
    """The storage file of a recording."""
    (file,) = [f for f in folder.iterdir() if f.suffix in (".mcap", ".db3")]
    return file
