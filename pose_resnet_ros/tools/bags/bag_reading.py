# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Images from recordings, without ROS: rosbag2 (mcap and db3, a file or a folder), also when cut off, and ROS 1's .bag files."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pose_resnet_ros.core.errors import ImageError, PoseError, SettingsError
from pose_resnet_ros.tools.bags.bag_limits import limit_ros1_chunks, require_small_chunks, unpacked_message
from pose_resnet_ros.tools.bags.bag_messages import typestore
from pose_resnet_ros.tools.bags.bag_salvage import CDR, BagError, RawMessage, Salvage
from pose_resnet_ros.video.packets import TYPES as VIDEO_TYPES

if TYPE_CHECKING:
    from rosbags.interfaces import Connection
    from rosbags.rosbag1 import Reader as Reader1
    from rosbags.rosbag2 import Reader as Reader2

    Reader = Reader1 | Reader2

IMAGE, COMPRESSED = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"
SUFFIXES = (".mcap", ".db3")
MIN_PART_IMAGES = 100  # loading the models takes as long as some tens of images
SpanNs = tuple[int | None, int | None]
WHOLE: SpanNs = (None, None)
PACKED = ".zstd"  # follows them where `ros2 bag record` compressed whole files
_ROS1_MAGIC = b"#ROSBAG V"


@dataclass(frozen=True, eq=False)
class BagImage:
    """raw: bytes of a message of this type, as they were stored; log_ns: when it was recorded; is_ros1: serialized by ROS 1."""

    raw: bytes
    type_name: str
    log_ns: int
    is_ros1: bool = False

    @property
    def is_compressed(self) -> bool:
        return self.type_name == COMPRESSED

    @cached_property
    def message(self) -> Any:
        """The fields of ROS 2's message. Raises ImageError if the bytes are no such message."""
        store = typestore()
        try:
            cdr = store.ros1_to_cdr(self.raw, self.type_name) if self.is_ros1 else unpacked_message(self.raw)
            return store.deserialize_cdr(cdr, self.type_name)
        except Exception as error:  # rosbags', struct's, NumPy's, zstandard's
            raise ImageError(f"the bytes are not a message of type {self.type_name} ({error})") from error


def is_bag(path: Path) -> bool:
    """Whether this is a recording, by its name, by its first bytes (ROS 1) or by what lies in the folder."""
    return _is_storage(path) or (path.is_dir() and bool(_files(path))) or _is_ros1(path)


class BagImages(AbstractContextManager["BagImages"]):
    """The images of one topic in the order of recording. Close it, or use it in a ``with``.

    topic: the topic that is read; length: how many images the whole recording has, None if only reading to the end tells;
    passed_over: topics whose messages are not in ROS's encoding, with the encoding that they have.
    """

    def __init__(self, path: Path, topic: str | None, span_ns: SpanNs = WHOLE) -> None:
        """topic: None takes the only image topic that there is; span_ns: only images recorded from the first time until before
        the second (of an intact recording). Raises BagError, or SettingsError for the topic.
        """
        if not path.exists():
            raise BagError(f"{path}: there is no such recording")
        self._path, self._span_ns = path, span_ns
        self.passed_over: dict[str, str] = {}
        self._files = _files(path) if path.is_dir() else [path]
        require_small_chunks(self._files)
        self._is_ros1 = _is_ros1(path)
        self._readers, self._problem = _open_ros1(path) if self._is_ros1 else _open(path, self._files)
        try:
            topics = self._topics()
            self.topic = _choose(topics, topic, path, self.passed_over)
        except PoseError:
            self.close()
            raise
        self._type = topics[self.topic]
        counts = [c.msgcount for reader in self._readers for c in self._connections(reader)]
        self.length = sum(counts) if self._readers else None

    def __iter__(self) -> Iterator[BagImage]:
        """Raises BagError where the recording ends before its end, after all images that are whole."""
        done = 0
        try:
            salvaged = ((found.log_ns, found.raw) for found in self._salvage_all() if found.topic == self.topic)
            for log_ns, raw in self._indexed() if self._readers else salvaged:
                yield BagImage(raw, self._type, log_ns, self._is_ros1)
                done += 1
        except Exception as error:  # noqa: BLE001 - as in _open; what the consumer of the images raises does not come here
            self._problem = str(error)
        if self._problem:
            raise BagError(f"{self._path}: damaged or cut off after {done} images: {self._problem}")

    def spans_ns(self, count: int) -> list[SpanNs]:
        """The recording in at most so many parts of equal duration, with ``MIN_PART_IMAGES`` each on average; the whole if it
        is damaged, and for a video, whose images need those before them.
        """
        count = min(count, (self.length or 0) // MIN_PART_IMAGES)
        if count < 2 or self._type in VIDEO_TYPES:
            return [WHOLE]
        start = min(reader.start_time for reader in self._readers)
        end = max(reader.end_time for reader in self._readers)
        cuts = [start + (end - start) * part // count for part in range(1, count)]
        return list(zip([None, *cuts], [*cuts, None], strict=True))

    def close(self) -> None:
        for reader in self._readers:
            reader.close()
        self._readers = []

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _topics(self) -> dict[str, str]:
        """Image topics and their types."""
        found: dict[str, str] = {}
        for reader in self._readers:
            for connection in reader.connections:
                if (encoding := _encoding(connection)) == CDR:
                    found[connection.topic] = connection.msgtype
                else:
                    self.passed_over[connection.topic] = encoding
        if not self._readers:
            found = {message.topic: message.type_name for message in self._salvage_all()}
        return {topic: kind for topic, kind in found.items() if kind in (IMAGE, COMPRESSED, *VIDEO_TYPES)}

    def _connections(self, reader: Reader) -> list[Connection]:
        return [c for c in reader.connections if c.topic == self.topic and _encoding(c) == CDR]

    def _indexed(self) -> Iterator[tuple[int, bytes]]:
        wanted = [(reader, self._connections(reader)) for reader in self._readers]
        # To rosbags no connection means every connection.
        streams = [reader.messages(connections, *self._span_ns) for reader, connections in wanted if connections]
        return ((log_ns, raw) for _, log_ns, raw in heapq.merge(*streams, key=lambda message: message[1]))

    def _salvage_all(self) -> Iterator[RawMessage]:
        """What is whole in any of the files, none of which need be damaged. Raises BagError if that is nothing."""
        found, whole = 0, 0
        for salvage in map(Salvage, self._files):
            with suppress(BagError):  # nothing left of this one; self._problem says what is wrong with the recording
                for message in salvage:
                    yield message
                    found += 1
            self.passed_over |= salvage.passed_over
            whole += salvage.is_whole
        if whole == len(self._files) and not _absent(self._path):
            self._problem = ""  # rosbags only did not know what some channel is
        elif not found:
            raise BagError(f"{self._path}: not a rosbag2 recording, or damaged beyond recovery: {self._problem}")


def _encoding(connection: Connection) -> str:
    return getattr(connection.ext, "serialization_format", CDR) or CDR


def _absent(folder: Path) -> list[str]:
    """Files that a recording's metadata.yaml names and that are not there."""
    from ruamel.yaml import YAML  # rosbags needs it too

    try:
        facts = YAML(typ="safe").load((folder / "metadata.yaml").read_text(encoding="utf-8"))
        names = [Path(name).name for name in facts["rosbag2_bagfile_information"]["relative_file_paths"]]
    except Exception:  # noqa: BLE001 - no such file, or one that is damaged: then the files speak for themselves
        return []
    return [name for name in names if not (folder / name).exists()]


def _open(path: Path, files: list[Path]) -> tuple[list[Reader], str]:
    """Its readers; none, and the reason, where rosbags cannot read the recording.

    Not rosbags' AnyReader, which refuses a recording for any message definition in it that it cannot parse, and a robot's
    has many. Raises BagError for files that must be unpacked first.
    """
    from rosbags.rosbag2 import Reader as Reader2

    # A recorder that was killed leaves no metadata.yaml: then the files by themselves.
    paths = [path] if (path / "metadata.yaml").exists() else files
    if packed := [file for file in paths if file.suffix == PACKED]:
        raise BagError(f"{packed[0]} is compressed as a whole: give its folder with metadata.yaml, or unpack it first (unzstd)")
    with ExitStack() as opened:
        try:
            readers: list[Reader1 | Reader2] = [opened.enter_context(Reader2(each)) for each in paths]
        except Exception as error:  # noqa: BLE001 - rosbags', sqlite's, and what its unpacking makes of a file that was cut off
            return [], str(error)
        opened.pop_all()
    return readers, ""


def _open_ros1(path: Path) -> tuple[list[Reader], str]:
    from rosbags.rosbag1 import Reader as Reader1

    reader = Reader1(path)
    try:
        reader.open()
    except Exception as error:  # rosbags', and what it makes of damaged bytes
        raise BagError(f"{path}: cannot read this ROS 1 recording, try `rosbag reindex` on it: {error}") from error
    limit_ros1_chunks(reader.chunks)
    return [reader], ""


def _choose(topics: dict[str, str], topic: str | None, path: Path, passed_over: dict[str, str]) -> str:
    if not topics and passed_over:
        raise SettingsError(f"topic: {path} has no images of ROS 2; its other topics: {encodings(passed_over)}")
    there = ", ".join(sorted(topics)) or "none"
    if topic is None and len(topics) == 1:
        return next(iter(topics))
    if topic is None:
        raise SettingsError(f"topic: say which one of {path} to read (--topic); its image topics: {there}")
    if topic not in topics:
        raise SettingsError(f"topic: there is no image topic '{topic}' in {path}; its image topics: {there}")
    return topic


def encodings(passed_over: dict[str, str]) -> str:
    """``/note (json), /video (protobuf)``."""
    return ", ".join(f"{topic} ({encoding})" for topic, encoding in sorted(passed_over.items()))


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(file for file in folder.iterdir() if _is_storage(file))
    except OSError as error:
        raise BagError(f"cannot read the folder {folder}: {error.strerror}") from error


def _is_storage(path: Path) -> bool:
    return Path(path.name.removesuffix(PACKED)).suffix in SUFFIXES


def _is_ros1(path: Path) -> bool:
    with suppress(OSError):
        if path.is_file():
            with path.open("rb") as file:
                return file.read(len(_ROS1_MAGIC)) == _ROS1_MAGIC
    return False
