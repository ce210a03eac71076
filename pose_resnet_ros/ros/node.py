# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The pose node: a lifecycle node that turns camera images into persons. It holds the models and the cameras that share them."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from rclpy import get_rmw_implementation_identifier
from rclpy.task import Future
from std_srvs.srv import Trigger

from pose_resnet_ros.core.errors import BackendError, PoseError
from pose_resnet_ros.models.hardware import share_cores
from pose_resnet_ros.models.registry import FULL_FRAME
from pose_resnet_ros.msg import Skeleton as SkeletonMessage
from pose_resnet_ros.pipeline import PosePipeline, load_pipeline
from pose_resnet_ros.ros import messages, qos
from pose_resnet_ros.ros.camera import Camera
from pose_resnet_ros.ros.external_detections import TOPIC as DETECTIONS_TOPIC
from pose_resnet_ros.ros.health.diagnostics import loss_cure
from pose_resnet_ros.ros.health.reporter import HealthReporter
from pose_resnet_ros.ros.hri_publisher import TrackedBodies
from pose_resnet_ros.ros.lifecycle import GuardedLifecycleNode
from pose_resnet_ros.ros.parameters import Parameters
from pose_resnet_ros.ros.ros_log import forward_logs, stop_forwarding
from pose_resnet_ros.ros.runner import run_node
from pose_resnet_ros.ros.topics import NODE_NAME, CameraContext
from pose_resnet_ros.ros.worker import FrameWorker
from pose_resnet_ros.settings import Settings

STOP_TIMEOUT_S = 4.0  # a cancelled inference ends within one operator of the network


class PoseNode(GuardedLifecycleNode):
    """Unconfigured: parameters only. Inactive: the models are loaded. Active: subscribed, and a worker runs."""

    def __init__(self, **node_arguments: Any) -> None:
        """node_arguments: as rclpy.node.Node takes them. Raises SettingsError for a parameter that is not allowed."""
        super().__init__(NODE_NAME, **node_arguments)
        self.finished = Future()  # never completed: the node works until it is stopped
        self._log_handler = forward_logs(self.get_logger())
        self._loss_cure = loss_cure(get_rmw_implementation_identifier(), os.environ)
        self._pipeline: PosePipeline | None = None
        self._frames_at_once = 1
        self._worker: FrameWorker | None = None
        self._left_behind: FrameWorker | None = None
        self.cameras: list[Camera] = []
        try:
            self._declared = Parameters(self, Settings, state=lambda: self.state)
        except PoseError:
            self.close()
            raise
        self._bodies = TrackedBodies(self)
        self.cameras = [Camera(self._camera_context(name), self._state) for name in self._settings.input.cameras or ("",)]
        # These two speak in every state, so they are no lifecycle publishers.
        self._skeleton = qos.create_publisher(self, self.create_publisher, SkeletonMessage, "~/skeleton", qos.latched_profile())
        self._health = HealthReporter(self, lambda: [camera.status() for camera in self.cameras])
        self.create_service(Trigger, "~/reset_tracking", self._reset_tracking)

    def start(self) -> None:
        """With ``autostart``: configure and activate. Raises PoseError with the reason if that fails."""
        if self._settings.node.autostart:
            self.configure_and_activate()
        else:
            self.get_logger().info("autostart is false: waiting to be configured")

    def close(self) -> None:
        """Stop work, free the models, destroy the node; from any state."""
        self.release()
        stop_forwarding(self._log_handler)
        self.destroy_node()

    def configure(self) -> None:
        """Load the models, and announce the results' topics. Raises PoseError."""
        load = self._settings.load
        detector = load.detector_model
        if self._settings.is_external:
            load = replace(load, detector_model=FULL_FRAME)  # it needs no network, and is not asked
            detector = f"boxes from {', '.join(camera.context.input_topic(DETECTIONS_TOPIC) for camera in self.cameras)}"
        self.get_logger().info(f"loading {load.pose_model}, {detector} (backend {load.backend}) ...")
        self._frames_at_once, load = share_cores(load, streams=len(self.cameras))
        self._pipeline = load_pipeline(load, cancelled=self.finished.done)
        for camera in self.cameras:
            camera.configure(self._pipeline, self._bodies)
        self._warn_of_shared_topics()
        self._skeleton.publish(messages.skeleton_message(self._pipeline.skeleton))
        providers = ", ".join(f"{network} on {provider}" for network, provider in self._providers().items())
        inputs = ", ".join(camera.context.input_in_words() for camera in self.cameras)
        self.get_logger().info(f"loaded: {providers}; skeleton {self._pipeline.skeleton.name}; input {inputs}")

    def activate(self) -> None:
        """Subscribe, and start the worker. Raises BackendError while a previous inference is still running."""
        if self._left_behind is not None and self._left_behind.alive:
            raise BackendError("the previous inference is still running; activate again later, or clean up and configure")
        assert self._pipeline  # the state machine activates only what was configured
        self._pipeline.resume()
        on_cpu = all(selected.backend == "cpu" for selected in self._pipeline.selected_providers.values())
        self._worker = FrameWorker(threads=self._frames_at_once if on_cpu else 1)
        for camera in self.cameras:
            camera.activate(self._pipeline, self._worker)
        self._worker.start()

    def deactivate(self) -> None:
        """Unsubscribe, and end the worker, even in the middle of an inference."""
        for camera in self.cameras:
            camera.unsubscribe()
        if self._pipeline is not None:
            self._pipeline.cancel()
        worker, self._worker = self._worker, None
        if worker is not None and not worker.stop(timeout_s=STOP_TIMEOUT_S):
            self.get_logger().error(f"the inference in progress did not end within {STOP_TIMEOUT_S:.0f} s; it is abandoned")
            self._left_behind = worker
        for camera in self.cameras:
            camera.stop()

    def release(self) -> None:
        """Stop work and free the models."""
        self.deactivate()
        for camera in self.cameras:
            camera.close()
        if self._pipeline is not None:
            self._pipeline.close()
            self._pipeline = None
        self._left_behind = None  # at most, it has the old pipeline for itself
        return_free_memory()

    def _warn_of_shared_topics(self) -> None:
        """Two cameras may look at the same images, each with its own region or rotation; more often it is a wrong remapping."""
        names: dict[str, list[str]] = {}
        for camera in self.cameras:
            names.setdefault(camera.context.image_topic, []).append(camera.context.name)
        for topic, sharing in names.items():
            if len(sharing) > 1:
                self.get_logger().warning(
                    f"cameras {' and '.join(sharing)} take the same images, from {topic}; if that is a mistake, remap"
                    f" {sharing[-1]}/image to another topic"
                )

    def _reset_tracking(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        """The service ~/reset_tracking."""
        response.success = self.state == "active"
        response.message = (
            "tracks reset; new ids start with the next frame" if response.success else "not active: there are no tracks"
        )
        for camera in self.cameras:
            camera.reset_tracking()
        return response

    def _camera_context(self, camera: str) -> CameraContext:
        declared = self._declared
        return CameraContext(self, camera, lambda: declared.camera_settings.get(camera, declared.settings))

    @property
    def _settings(self) -> Settings:
        return self._declared.settings

    def _providers(self) -> dict[str, str]:
        providers = self._pipeline.selected_providers if self._pipeline else {}
        return {network: selected.provider for network, selected in providers.items()}

    def _state(self) -> dict[str, Any]:
        """The fields of NodeState that all cameras share."""
        return {
            "lifecycle": self.state,
            "providers": self._providers(),
            "problem": self.problem,
            "worker_died": self._worker is not None and not self._worker.alive,
            "loss_cure": self._loss_cure,
        }


def return_free_memory() -> None:
    """Return what is free to the system, which else counts as this process's, where the C library can be asked to (glibc)."""
    with suppress(OSError, AttributeError, TypeError):  # musl, macOS; Windows
        ctypes.CDLL(None).malloc_trim(0)


def main(args: Sequence[str] | None = None) -> int:
    """Run the pose node; the exit code."""
    return run_node(NODE_NAME, PoseNode, args, rows=Settings.settings())


if __name__ == "__main__":
    sys.exit(main())
