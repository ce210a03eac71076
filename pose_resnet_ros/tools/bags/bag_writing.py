# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Results into a rosbag2 recording, without ROS."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from pose_resnet_ros.core.errors import SettingsError
from pose_resnet_ros.core.skeletons import Skeleton
from pose_resnet_ros.tools.bags import bag_messages

NODE = "/pose_resnet"
TYPES = {
    f"{NODE}/persons": "pose_resnet_ros/msg/PersonArray",
    f"{NODE}/detections": "vision_msgs/msg/Detection2DArray",
    f"{NODE}/skeleton": "pose_resnet_ros/msg/Skeleton",
    f"{NODE}/annotated_image/compressed": "sensor_msgs/msg/CompressedImage",
}
JPEG_QUALITY = 90


def scratch_folder(output: Path) -> Path:
    """Where a bag grows until it is complete; what an interrupted run left there is deleted by the next one."""
    return output.with_name(f".{output.name}.part")


class BagResults:
    """A bag with the node's topics, under their default names. As a context: at its end the bag stands, complete, in its place;
    after an exception nothing is left of it.
    """

    def __init__(self, output: Path, *, annotated: bool) -> None:
        """output: one file where it ends in .mcap or .db3, else a folder with metadata.yaml.

        Raises SettingsError if it cannot be made.
        """
        from rosbags.rosbag2 import StoragePlugin, Writer

        self._output = output
        self._scratch = scratch_folder(output)
        self._part = self._scratch / output.name  # a bag's files are named after its folder
        shutil.rmtree(self._scratch, ignore_errors=True)  # of a run that was killed
        names = [name for name in TYPES if annotated or "annotated" not in name]
        try:
            with self._named():
                output.parent.mkdir(parents=True, exist_ok=True)
                plugin = StoragePlugin.SQLITE3 if output.suffix == ".db3" else StoragePlugin.MCAP
                self._writer = Writer(self._part, version=9, storage_plugin=plugin)
                self._writer.open()
                self._connections = {name: self._add(name) for name in names}
        except BaseException:
            shutil.rmtree(self._scratch, ignore_errors=True)
            raise

    def write_skeleton(self, skeleton: Skeleton, *, log_ns: int) -> None:
        """Once, first."""
        self._write("skeleton", bag_messages.skeleton_message(skeleton), log_ns)

    def write_persons(self, message: Any, *, log_ns: int) -> None:
        self._write("persons", message, log_ns)

    def write_detections(self, message: Any, *, log_ns: int) -> None:
        self._write("detections", message, log_ns)

    def write_picture(self, header: Any, bgr: np.ndarray, *, log_ns: int) -> None:
        """bgr: (H, W, 3) uint8, written as JPEG."""
        _, jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        self._write("annotated_image/compressed", bag_messages.jpeg_message(header, jpeg), log_ns)

    def __enter__(self) -> BagResults:
        return self

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
        durability = QosDurability.TRANSIENT_LOCAL if topic.endswith("skeleton") else QosDurability.VOLATILE
        qos = Qos(
            QosHistory.KEEP_LAST,
            1 if topic.endswith("skeleton") else 10,
            QosReliability.RELIABLE,
            durability,
            no_limit,
            no_limit,
            QosLiveliness.AUTOMATIC,
            no_limit,
            False,
        )
        store = bag_messages.typestore()
        return self._writer.add_connection(topic, TYPES[topic], typestore=store, offered_qos_profiles=[qos])

    def _write(self, name: str, message: Any, log_ns: int) -> None:
        topic = f"{NODE}/{name}"
        raw = bag_messages.typestore().serialize_cdr(message, TYPES[topic])
        with self._named():
            self._writer.write(self._connections[topic], log_ns, raw)
