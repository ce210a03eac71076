# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Images out of rosbag2 recordings (mcap and db3, a file or a folder), without ROS; also out of a recording that was cut off."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pose_resnet_ros.core.errors import SettingsError
from pose_resnet_ros.tools.bag_salvage import BagError, RawMessage, whole_messages
from pose_resnet_ros.tools.bag_types import typestore

if TYPE_CHECKING:
    from rosbags.interfaces import Connection
    from rosbags.rosbag2 import Reader

IMAGE, COMPRESSED = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"
SUFFIXES = (".mcap", ".db3")
PACKED = ".zstd"  # follows them where `ros2 bag record` compressed whole files
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"  # a message in CDR begins with 0


@dataclass(frozen=True, eq=False)
class BagImage:
    """message: the fields of sensor_msgs/Image or CompressedImage; log_ns: when it was recorded."""

    message: Any
    log_ns: int
    is_compressed: bool


def is_bag(path: Path) -> bool:
    """Whether this is a rosbag2 recording, by its name or by what lies in the folder."""
    return _is_storage(path) or (path.is_dir() and bool(_files(path)))


class BagImages:
    """The images of one topic in the order of recording. Close it, or use it in a ``with``.

    topic: the topic that is read; length: how many images it has, None if the recording was cut off.
    """

    def __init__(self, path: Path, topic: str | None) -> None:
        """topic: None takes the only image topic that there is. Raises BagError, or SettingsError for the topic."""
        if not path.exists():
            raise BagError(f"{path}: there is no such recording")
        self._path = path
        self._files = _files(path) if path.is_dir() else [path]
        self._readers, self._problem = _open(path, self._files)
        topics = self._topics()
        try:
            self.topic = _choose(topics, topic, path)
        except SettingsError:
            self.close()
            raise
        self._type = topics[self.topic]
        self.length = self._count()

    def __iter__(self) -> Iterator[BagImage]:
        """Raises BagError where the recording ends before its end, after all images that are whole."""
        done = 0
        try:
            for log_ns, raw in self._whole() if self._readers else self._salvaged():
                message = typestore().deserialize_cdr(_unpacked(raw), self._type)
                yield BagImage(message, log_ns, self._type == COMPRESSED)
                done += 1
        except Exception as error:  # noqa: BLE001 - as in _open; what the consumer of the images raises does not come here
            self._problem = str(error)
        if self._problem:
            raise BagError(f"{self._path}: damaged or cut off after {done} whole images: {self._problem}")

    def close(self) -> None:
        for reader in self._readers:
            reader.close()
        self._readers = []

    def __enter__(self) -> BagImages:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _topics(self) -> dict[str, str]:
        """Image topics and their types."""
        if self._readers:
            found = {c.topic: c.msgtype for reader in self._readers for c in reader.connections}
        else:
            found = {message.topic: message.type_name for message in self._salvage_all()}
        return {topic: kind for topic, kind in found.items() if kind in (IMAGE, COMPRESSED)}

    def _count(self) -> int | None:
        if not self._readers:
            return None
        return sum(c.msgcount for reader in self._readers for c in self._connections(reader))

    def _connections(self, reader: Reader) -> list[Connection]:
        return [c for c in reader.connections if c.topic == self.topic]

    def _whole(self) -> Iterator[tuple[int, bytes]]:
        wanted = [(reader, self._connections(reader)) for reader in self._readers]
        # To rosbags no connection means every connection.
        streams = [reader.messages(connections) for reader, connections in wanted if connections]
        for _, log_ns, raw in heapq.merge(*streams, key=lambda message: message[1]):
            yield log_ns, raw

    def _salvaged(self) -> Iterator[tuple[int, bytes]]:
        return ((found.log_ns, found.raw) for found in self._salvage_all() if found.topic == self.topic)

    def _salvage_all(self) -> Iterator[RawMessage]:
        """What is whole in any of the files. Raises BagError if that is nothing."""
        found = 0
        for file in self._files:
            with suppress(
                BagError
            ):  # nothing left of this one; self._problem says what is wrong with the recording
                for message in whole_messages(file):
                    yield message
                    found += 1
        if not found:
            raise BagError(
                f"{self._path}: not a rosbag2 recording, or nothing is left of it: {self._problem}"
            )


def _open(path: Path, files: list[Path]) -> tuple[list[Reader], str]:
    """Its readers; none, and the reason, where rosbags cannot read the recording.

    Not rosbags' AnyReader, which refuses a recording for any message definition in it that it cannot parse, and a robot's
    has many. Raises BagError for files that must be unpacked first.
    """
    from rosbags.rosbag2 import Reader

    # A recorder that was killed leaves no metadata.yaml: then the files by themselves.
    paths = [path] if (path / "metadata.yaml").exists() else files
    if packed := [file for file in paths if file.suffix == PACKED]:
        raise BagError(
            f"{packed[0]} is compressed as a whole: give its folder with metadata.yaml, or unpack it first (unzstd)"
        )
    with ExitStack() as opened:
        try:
            readers = [opened.enter_context(Reader(each)) for each in paths]
        except Exception as error:  # noqa: BLE001 - rosbags', sqlite's, and what its unpacking makes of a file that was cut off
            return [], str(error)
        opened.pop_all()
    return readers, ""


def _choose(topics: dict[str, str], topic: str | None, path: Path) -> str:
    there = ", ".join(sorted(topics)) or "none"
    if topic is None and len(topics) == 1:
        return next(iter(topics))
    if topic is None:
        raise SettingsError(f"topic: say which one of {path} to read (--topic); its image topics: {there}")
    if topic not in topics:
        raise SettingsError(f"topic: there is no image topic '{topic}' in {path}; its image topics: {there}")
    return topic


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(file for file in folder.iterdir() if _is_storage(file))
    except OSError as error:
        raise BagError(f"cannot read the folder {folder}: {error.strerror}") from error


def _is_storage(path: Path) -> bool:
    return Path(path.name.removesuffix(PACKED)).suffix in SUFFIXES


def _unpacked(raw: bytes) -> bytes:
    """Messages that were compressed one by one: only metadata.yaml says so, and it may be missing."""
    if not raw.startswith(_ZSTD_MAGIC):
        return raw
    import zstandard

    return zstandard.ZstdDecompressor().decompress(raw)
