# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Images out of rosbag2 recordings (mcap and db3, a file or a folder), without ROS; also out of a recording that was cut off."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pose_resnet_ros.core.errors import SettingsError
from pose_resnet_ros.tools.bag_salvage import BagError, RawMessage, whole_messages
from pose_resnet_ros.tools.bag_types import typestore

if TYPE_CHECKING:
    from rosbags.highlevel import AnyReader

IMAGE, COMPRESSED = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"
SUFFIXES = (".mcap", ".db3")


@dataclass(frozen=True, eq=False)
class BagImage:
    """message: the fields of sensor_msgs/Image or CompressedImage; log_ns: when it was recorded."""

    message: Any
    log_ns: int
    is_compressed: bool


def is_bag(path: Path) -> bool:
    """Whether this is a rosbag2 recording, by its name or by what lies in the folder."""
    return path.suffix in SUFFIXES or (path.is_dir() and bool(_files(path)))


class BagImages:
    """The images of one topic in the order of recording. Close it, or use it in a ``with``.

    topic: the topic that is read; length: how many images it has, None if the recording was cut off.
    """

    def __init__(self, path: Path, topic: str | None) -> None:
        """topic: None takes the only image topic that there is. Raises BagError, or SettingsError for the topic."""
        self._path = path
        self._files = _files(path) if path.is_dir() else [path]
        self._reader, self._problem = _open(path, self._files)
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
            for log_ns, raw in self._whole() if self._reader is not None else self._salvaged():
                yield BagImage(typestore().deserialize_cdr(raw, self._type), log_ns, self._type == COMPRESSED)
                done += 1
        except Exception as error:  # noqa: BLE001 - as in _open; what the consumer of the images raises does not come here
            self._problem = str(error)
        if self._problem:
            raise BagError(f"{self._path}: damaged or cut off after {done} whole images: {self._problem}")

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()

    def __enter__(self) -> BagImages:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _topics(self) -> dict[str, str]:
        """Image topics and their types."""
        if self._reader is not None:
            found = {c.topic: c.msgtype for c in self._reader.connections}
        else:
            found = {message.topic: message.type_name for message in self._salvage_all()}
        return {topic: kind for topic, kind in found.items() if kind in (IMAGE, COMPRESSED)}

    def _count(self) -> int | None:
        if self._reader is None:
            return None
        return sum(c.msgcount for c in self._reader.connections if c.topic == self.topic)

    def _whole(self) -> Iterator[tuple[int, bytes]]:
        assert self._reader is not None
        connections = [c for c in self._reader.connections if c.topic == self.topic]
        for _, log_ns, raw in self._reader.messages(connections):
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


def _open(path: Path, files: list[Path]) -> tuple[AnyReader | None, str]:
    """The reader, or None and the reason where rosbags cannot read the recording."""
    import rosbags.highlevel

    # A recorder that was killed leaves no metadata.yaml: then the files by themselves.
    paths = [path] if path.is_file() or (path / "metadata.yaml").exists() else files
    try:
        reader = rosbags.highlevel.AnyReader(paths, default_typestore=typestore())
        reader.open()
    except Exception as error:  # noqa: BLE001 - rosbags', sqlite's, and what its unpacking makes of a file that was cut off
        return None, str(error)
    return reader, ""


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
    return sorted(file for file in folder.iterdir() if file.suffix in SUFFIXES)
