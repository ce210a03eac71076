# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Results into a rosbag2 recording, without ROS."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

from pose_resnet_ros.core.errors import SettingsError
from pose_resnet_ros.tools.bags import bag_messages

NODE = "/pose_resnet"
PERSONS, DETECTIONS, SKELETON = f"{NODE}/persons", f"{NODE}/detections", f"{NODE}/skeleton"
TYPES = {
    PERSONS: "pose_resnet_ros/msg/PersonArray",
    DETECTIONS: "vision_msgs/msg/Detection2DArray",
    SKELETON: "pose_resnet_ros/msg/Skeleton",
}
# Written only where they are asked for.
ANNOTATED, ANNOTATIONS = f"{NODE}/annotated_image/compressed", f"{NODE}/annotations"
OPTIONAL_TYPES = {ANNOTATED: "sensor_msgs/msg/CompressedImage", ANNOTATIONS: "foxglove_msgs/msg/ImageAnnotations"}


def scratch_folder(output: Path) -> Path:
    """Where a bag is written until it is complete; the next run deletes what an interrupted one left there."""
    return output.with_name(f".{output.name}.part")


class BagResults(AbstractContextManager["BagResults"]):
    """A bag with the node's topics under their default names. Use it in a ``with``: at the end the complete bag is in its place;
    after an exception nothing is left of it.
    """

    def __init__(self, output: Path, *, optional: Collection[str] = ()) -> None:
        """output: one file if it ends in .mcap or .db3, else a folder with metadata.yaml; optional: topics of OPTIONAL_TYPES.

        Raises SettingsError if it cannot be made.
        """
        from rosbags.rosbag2 import StoragePlugin, Writer

        self._output = output
        self._types = TYPES | {topic: OPTIONAL_TYPES[topic] for topic in optional}
        self._scratch = scratch_folder(output)
        self._part = self._scratch / output.name  # a bag's files are named after its folder
        shutil.rmtree(self._scratch, ignore_errors=True)  # of a run that was killed
        try:
            with self._named():
                output.parent.mkdir(parents=True, exist_ok=True)
                plugin = StoragePlugin.SQLITE3 if output.suffix == ".db3" else StoragePlugin.MCAP
                self._writer = Writer(self._part, version=9, storage_plugin=plugin)
                self._writer.open()
                self._connections = {topic: self._add(topic) for topic in self._types}
        except BaseException:
            shutil.rmtree(self._scratch, ignore_errors=True)
            raise

    def write(self, topic: str, message: Any, *, log_ns: int) -> None:
        """message: of the topic's type. Raises SettingsError if the disk refuses it."""
        self.write_raw(topic, bag_messages.typestore().serialize_cdr(message, self._types[topic]), log_ns=log_ns)

    def write_raw(self, topic: str, raw: bytes | memoryview, *, log_ns: int) -> None:
        """As ``write``, for a serialized message."""
        with self._named():
            self._writer.write(self._connections[topic], log_ns, raw)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._finish()
            else:
                with suppress(Exception):  # it failed before
                    self._writer.close()
        finally:
            shutil.rmtree(self._scratch, ignore_errors=True)

    def _finish(self) -> None:
        with self._named():
            self._writer.close()
            if self._output.suffix in (".mcap", ".db3"):
                (file,) = self._part.glob(f"*{self._output.suffix}")
                file.replace(self._output)
            else:
                self._part.replace(self._output)

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Errors of the disk as SettingsError."""
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            reason = getattr(error, "strerror", None) or error
            raise SettingsError(f"output: cannot write {self._output}: {reason}") from error

    def _add(self, topic: str) -> Any:
        from rosbags.interfaces import Qos, QosDurability, QosHistory, QosLiveliness, QosReliability, QosTime

        no_limit = QosTime(9223372036, 854775807)
        is_latched = topic == SKELETON
        qos = Qos(
            QosHistory.KEEP_LAST,
            1 if is_latched else 10,
            QosReliability.RELIABLE,
            QosDurability.TRANSIENT_LOCAL if is_latched else QosDurability.VOLATILE,
            no_limit,
            no_limit,
            QosLiveliness.AUTOMATIC,
            no_limit,
            False,
        )
        store = bag_messages.typestore()
        return self._writer.add_connection(topic, self._types[topic], typestore=store, offered_qos_profiles=[qos])


def join(parts: Sequence[Path], output: Path, *, optional: Collection[str]) -> None:
    """One bag from result bags that follow one another in time. Raises SettingsError if it cannot be written."""
    from rosbags.rosbag2 import Reader

    has_skeleton = False
    with BagResults(output, optional=optional) as results:
        for part in parts:
            with Reader(part) as reader:
                for connection, log_ns, raw in reader.messages():
                    if connection.topic == SKELETON and has_skeleton:
                        continue
                    has_skeleton = has_skeleton or connection.topic == SKELETON
                    results.write_raw(connection.topic, raw, log_ns=log_ns)
