# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Recordings for tests, written by rosbags."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mcap.writer import Writer as McapWriter
from rosbags.rosbag1 import Writer as Writer1
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
    fields = {"height": 96, "width": 128, "encoding": "bgr8", "is_bigendian": 0, "step": 384, "data": pixels.ravel()}
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


def write_bag(folder: Path, topics: dict[str, list[Any]], *, storage: str = "mcap", compressed: str = "none") -> Path:
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


def write_ros1_bag(path: Path, messages: list[Any], *, compression: str | None = None) -> Path:
    """A ROS 1 recording of these ROS 2 messages on ``TOPIC``; compression: BZ2 or LZ4, of each chunk."""
    writer = Writer1(path)
    if compression:
        writer.set_compression(writer.CompressionFormat[compression])
    store, kind = get_typestore(Stores.ROS1_NOETIC), messages[0].__msgtype__
    with writer:
        connection = writer.add_connection(TOPIC, kind, typestore=store)
        for number, message in enumerate(messages):
            writer.write(connection, log_ns(number), _STORE.cdr_to_ros1(_STORE.serialize_cdr(message, kind), kind))
    return path


def mixed_mcap(path: Path, *others: str, profile: str = "ros2", images: int = 10) -> Path:
    """A whole mcap file of images, in small chunks, beside channels that robots' recordings also have: ``noschema`` (schema id
    0), ``proto`` (protobuf), ``idl``, ``weird`` (a definition that is none) and ``empty``.
    """
    with path.open("wb") as file:
        writer = McapWriter(file, chunk_size=4096)
        writer.start(profile, "test")
        definition = _STORE.generate_msgdef(_IMAGE, ros_version=2)[0].encode()
        camera = writer.register_channel(TOPIC, "cdr", writer.register_schema(_IMAGE, "ros2msg", definition))
        channels = []
        for name in others:
            encoding, schema, data = _OTHERS[name]
            number = writer.register_schema(*schema) if schema else 0
            channels.append((writer.register_channel(f"/{name}", encoding, number), data))
        for number in range(images):
            when = log_ns(number)
            writer.add_message(camera, when, bytes(_STORE.serialize_cdr(image(number), _IMAGE)), when)
            for channel, data in channels:
                writer.add_message(channel, when, data, when)
        writer.finish()
    return path


_OTHERS: dict[str, tuple[str, tuple[str, str, bytes] | None, bytes]] = {
    "noschema": ("json", None, b'{"a": 1}'),
    "proto": ("protobuf", ("foxglove.CompressedVideo", "protobuf", b"\1\2"), b"zz"),
    "idl": ("cdr", ("my_pkg/msg/A", "ros2idl", b"module my_pkg { struct A { long x; }; };"), b"\0\1\0\0\0\0\0\0"),
    "weird": ("cdr", ("my_pkg/msg/Weird", "ros2msg", b"no definition ] [\n"), b"\0\1\0\0abc"),
    "empty": ("cdr", ("std_msgs/msg/Empty", "ros2msg", b""), b"\0\1\0\0\0"),
}


def only_file(folder: Path) -> Path:
    """The storage file of a recording."""
    (file,) = [f for f in folder.iterdir() if f.suffix in (".mcap", ".db3")]
    return file
