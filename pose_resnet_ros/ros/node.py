# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The pose node: a lifecycle node that turns camera images into persons. Wiring only; the work is done elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from rclpy import get_rmw_implementation_identifier
from rclpy.task import Future
from std_srvs.srv import Trigger

from pose_resnet_ros.core.errors import BackendError, PoseError
from pose_resnet_ros.models.registry import FULL_FRAME
from pose_resnet_ros.msg import Skeleton as SkeletonMessage
from pose_resnet_ros.pipeline import PosePipeline, load_pipeline
from pose_resnet_ros.ros import memory, messages, qos
from pose_resnet_ros.ros.depth.depth_3d import Depth3D
from pose_resnet_ros.ros.external_detections import TOPIC as DETECTIONS_TOPIC
from pose_resnet_ros.ros.frame_processor import FrameProcessor
from pose_resnet_ros.ros.health.diagnostics import NodeState, loss_cure
from pose_resnet_ros.ros.health.reporter import HealthReporter
from pose_resnet_ros.ros.health.statistics import Statistics
from pose_resnet_ros.ros.hri_publisher import HriPublisher, own_prefix
from pose_resnet_ros.ros.intake import Intake
from pose_resnet_ros.ros.latest import LatestWorker
from pose_resnet_ros.ros.lifecycle import GuardedLifecycleNode
from pose_resnet_ros.ros.outputs import Outputs
from pose_resnet_ros.ros.parameters import Parameters
from pose_resnet_ros.ros.ros_log import forward_logs, stop_forwarding
from pose_resnet_ros.ros.runner import run_node
from pose_resnet_ros.ros.transports import TRANSPORTS, Transport, published_elsewhere, publishers_of
from pose_resnet_ros.settings import Settings
from pose_resnet_ros.stream import PersonStream

NAME = "pose_resnet"
STOP_TIMEOUT_S = 4.0  # a cancelled inference ends within one operator of the network


class PoseNode(GuardedLifecycleNode):
    """Unconfigured: parameters only. Inactive: the models are loaded. Active: subscribed, and a worker runs."""

    def __init__(self, **node_arguments: Any) -> None:
        """node_arguments: as rclpy.node.Node takes them. Raises SettingsError for a parameter that is not allowed."""
        super().__init__(NAME, **node_arguments)
        self.finished = Future()  # never completed: the node works until it is stopped
        self._log_handler = forward_logs(self.get_logger())
        self._statistics = Statistics()
        self._loss_cure = loss_cure(get_rmw_implementation_identifier(), os.environ)
        self._pipeline: PosePipeline | None = None
        self._outputs: Outputs | None = None
        self._worker: LatestWorker | None = None
        self._left_behind: LatestWorker | None = None
        self._intake: Intake | None = None
        self._stream: PersonStream | None = None
        self._processor: FrameProcessor | None = None
        self._space: Depth3D | None = None
        self._bodies: HriPublisher | None = None
        try:
            self._declared = Parameters(self, Settings, state=lambda: self.state)
        except PoseError:
            self.close()
            raise
        # These two speak in every state, so they are no lifecycle publishers.
        self._skeleton = qos.create_publisher(self, self.create_publisher, SkeletonMessage, "~/skeleton", qos.latched_profile())
        self._health = HealthReporter(
            self,
            summary=self._statistics.summary,
            condition=self._condition,
            min_output_ratio=lambda: self._settings.node.min_output_ratio,
        )
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
        boxes = f"boxes come on {self.resolve_topic_name(DETECTIONS_TOPIC)}"
        if self._settings.is_external:
            load = replace(load, detector_model=FULL_FRAME)  # it needs no network, and is not asked
        detector = boxes if self._settings.is_external else load.detector_model
        self.get_logger().info(f"loading {load.pose_model}, {detector} (backend {load.backend}) ...")
        self._pipeline = load_pipeline(load, cancelled=self.finished.done)
        self._outputs = Outputs(self, self._pipeline)
        self._stream = PersonStream(self._pipeline)
        if self._settings.depth.use_depth:
            self._space = Depth3D(self, self._pipeline.skeleton)
        if self._settings.hri.publish_hri:
            self._bodies = HriPublisher(
                self, self._pipeline.skeleton, prefix=self._settings.hri.hri_id_prefix or own_prefix(self, NAME)
            )
        self._skeleton.publish(messages.skeleton_message(self._pipeline.skeleton))
        providers = ", ".join(f"{network} on {provider}" for network, provider in self._providers().items())
        self.get_logger().info(
            f"loaded: {providers}; skeleton {self._pipeline.skeleton.name}; input {self._transport.topic(self)}"
            f" ({self._transport.name}, {self._settings.input.image_reliability})"
        )

    def activate(self) -> None:
        """Start the worker, then subscribe. Raises BackendError while an inference of before has not ended."""
        if self._left_behind is not None and self._left_behind.alive:
            raise BackendError(
                "the inference that was left behind has still not ended; wait and activate again, or clean up and configure"
            )
        assert self._pipeline  # the state machine activates only what was configured
        self._pipeline.resume()
        self._statistics.restart()
        self._intake = Intake(
            self,
            self._transport,
            settings=lambda: self._settings,
            to_worker=self._to_worker,
            is_idle=lambda: self._worker is not None and self._worker.idle,
            statistics=self._statistics,
        )
        self._processor = self._make_processor(self._intake.split)
        self._worker = LatestWorker(
            self._processor,
            on_stale=self._statistics.frame_stale,
            on_idle=self._on_idle,
            max_age_ms=lambda: self._settings.input.max_age_ms,
        )
        self._worker.start()
        if self._space is not None:
            self._space.subscribe()
        self._intake.open()

    def _make_processor(self, split: Callable[[Any], tuple[Any, Any]]) -> FrameProcessor:
        assert self._outputs
        assert self._stream
        self._stream.reset()
        return FrameProcessor(
            self._stream,
            self._outputs,
            split=split,
            space=self._space,
            bodies=self._bodies,
            decode=self._transport.decode,
            settings=lambda: self._settings,
            statistics=self._statistics,
            now_ns=lambda: self.get_clock().now().nanoseconds,
            shutting_down=lambda: not self.context.ok(),
            topic=self._transport.topic(self),
            logger=self.get_logger(),
        )

    def _to_worker(self, message: Any, received_s: float) -> None:
        if self._worker is not None:
            self._worker.put(message, received_s)

    def _on_idle(self) -> None:
        if (intake := self._intake) is not None:
            intake.resume()

    def _reset_tracking(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        """The service ~/reset_tracking."""
        response.success = self._processor is not None
        response.message = "everybody is new from the next frame on" if self._processor else "not active: nobody is tracked"
        if self._processor is not None:
            self._processor.reset_tracking()
        return response

    def deactivate(self) -> None:
        """Unsubscribe, and end the worker, also out of the middle of an inference."""
        if self._intake is not None:
            self._intake.close()
            self._intake = None
        if self._pipeline is not None:
            self._pipeline.cancel()
        worker, self._worker, self._processor = self._worker, None, None
        if worker is not None and not worker.stop(timeout_s=STOP_TIMEOUT_S):
            self.get_logger().error(f"the inference in progress did not end within {STOP_TIMEOUT_S:.0f} s; left behind")
            self._left_behind = worker
        if self._space is not None:
            self._space.unsubscribe()
        if self._bodies is not None:
            self._bodies.clear()

    def release(self) -> None:
        """Stop work and free the models."""
        self.deactivate()
        for part in (self._outputs, self._space, self._bodies):
            if part is not None:
                part.destroy()
        self._outputs = self._space = self._bodies = None
        if self._pipeline is not None:
            self._pipeline.close()
            self._pipeline = self._stream = None
        self._left_behind = None  # at most, it has the old pipeline for itself
        memory.give_back()

    @property
    def _settings(self) -> Settings:
        return self._declared.settings

    @property
    def _transport(self) -> Transport:
        return TRANSPORTS[self._settings.input.image_transport]

    def _providers(self) -> dict[str, str]:
        providers = self._pipeline.selected_providers if self._pipeline else {}
        return {network: selected.provider for network, selected in providers.items()}

    def _condition(self) -> NodeState:
        topic = self._transport.topic(self)
        intake = self._intake
        parts = [part for part in (intake.external if intake else None, self._space) if part is not None]
        publishers, other_types = publishers_of(self, topic, self._transport.message_type)
        return NodeState(
            state=self.state,
            topic=topic,
            providers=self._providers(),
            publishers=publishers,
            other_types=other_types,
            elsewhere=None if publishers else published_elsewhere(self, self._transport),
            matched=None if intake is None else intake.matched_publishers,
            is_waiting=intake is not None and intake.is_waiting,
            problem=self.problem,
            worker_died=self._worker is not None and not self._worker.alive,
            warning=next((part.warning for part in parts if part.warning), ""),
            loss_cure=self._loss_cure,
            further={key: value for part in parts for key, value in part.values().items()},
        )


def main(args: Sequence[str] | None = None) -> int:
    """Run the pose node; the exit code."""
    return run_node(NAME, PoseNode, args, rows=Settings.settings())


if __name__ == "__main__":
    sys.exit(main())
