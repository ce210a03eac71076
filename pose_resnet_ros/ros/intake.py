# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Everything that brings images to the worker while the node is active."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.node import Node

from pose_resnet_ros.core.types import Detections
from pose_resnet_ros.ros import qos
from pose_resnet_ros.ros.external_detections import ExternalInput
from pose_resnet_ros.ros.health.statistics import Statistics
from pose_resnet_ros.ros.image_input import ImageInput
from pose_resnet_ros.ros.latched_image import LatchedImage
from pose_resnet_ros.ros.transports import Transport
from pose_resnet_ros.settings import Settings


class Intake:
    """The image subscription, the look-out for pictures that were there before it, and with ``detector_model: external`` the
    subscription of boxes. On the executor's thread, but for ``resume`` and ``split``.
    """

    def __init__(
        self,
        node: Node,
        transport: Transport,
        *,
        settings: Callable[[], Settings],
        to_worker: Callable[[Any, float], None],
        is_idle: Callable[[], bool],
        statistics: Statistics,
    ) -> None:
        """to_worker: takes an image message, or with external boxes a pair, and when the image was received in seconds of the
        monotonic clock; is_idle: whether the worker would take one at once.
        """
        self._node = node
        self._transport = transport
        self._settings = settings
        self._to_worker = to_worker
        self._is_idle = is_idle
        self._statistics = statistics
        self.external: ExternalInput | None = None
        self._input: ImageInput | None = None
        self._latched: LatchedImage | None = None

    def open(self) -> None:
        """Subscribe. Should it fail half way, ``close`` takes back what was made."""
        forward = self._to_worker
        if self._settings().is_external:
            self.external = ExternalInput(self._node, settings=self._settings, forward=self._to_worker)
            forward = self.external.put
        source = self._transport.message_type, self._transport.topic(self._node)
        self._input = ImageInput(
            self._node,
            *source,
            qos.input_profile(self._settings().input.image_reliability),
            # Whoever joins images with detections wants each of them.
            is_idle=self._is_idle if self.external is None else lambda: True,
            forward=forward,
            statistics=self._statistics,
        )
        self._latched = LatchedImage(
            self._node, *source, forward=forward, statistics=self._statistics, is_waiting=lambda: self.is_waiting
        )

    def split(self, message: Any) -> tuple[Any, Detections | None]:
        """What ``to_worker`` took as an image message and its persons; None: the pipeline finds them."""
        return (message, None) if self.external is None else self.external.split(message)

    @property
    def is_waiting(self) -> bool:
        """Whether frames stay unread just now."""
        return self._input is not None and self._input.is_waiting

    @property
    def matched_publishers(self) -> int | None:
        """How many cameras are connected; None where rclpy does not tell."""
        return None if self._input is None else self._input.matched_publishers()

    def resume(self) -> None:
        """The worker is idle again."""
        if (image_input := self._input) is not None:
            image_input.resume()

    def close(self) -> None:
        """Unsubscribe."""
        for part in (self._input, self._latched, self.external):
            if part is not None:
                part.close()
        self._input = self._latched = self.external = None
