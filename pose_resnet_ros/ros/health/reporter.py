# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Publishes the health of the node's cameras on /diagnostics once a second, in every lifecycle state."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from pose_resnet_ros.ros import qos
from pose_resnet_ros.ros.health import diagnostics
from pose_resnet_ros.ros.health.diagnostics import NodeState
from pose_resnet_ros.ros.health.statistics import Summary
from pose_resnet_ros.ros.ros_log import Throttle
from pose_resnet_ros.ros.topics import CameraContext

PERIOD_S = 1.0


class HealthReporter:
    """A publisher and a timer of ``node``; statuses: gives one for each camera."""

    def __init__(self, node: Node, statuses: Callable[[], list[DiagnosticStatus]]) -> None:
        self._node = node
        self._statuses = statuses
        self._publisher = node.create_publisher(DiagnosticArray, "/diagnostics", qos.results_profile())
        # A steady clock: with use_sim_time the node's own stands still when the simulation or the bag does.
        node.create_timer(PERIOD_S, self._report, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def _report(self) -> None:
        message = DiagnosticArray(status=self._statuses())
        message.header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(message)


class CameraHealth:
    """One camera's status, and a line in the log when it changes."""

    def __init__(self, context: CameraContext) -> None:
        self._context = context
        self._warned_of = ""
        self._throttle = Throttle()
        self._is_alone = True
        self._alone_until_s = self._kept_up_s = time.monotonic()

    def status(self, summary: Summary, state: NodeState) -> DiagnosticStatus:
        """To be called about once a second."""
        summary = self._without_pauses(self._without_first_silence(summary, state))
        state = replace(state, overloaded_s=self._overloaded_s(summary, state))
        self._log_changes(diagnostics.evaluate(summary, state), summary)
        name = f"{self._context.node.get_fully_qualified_name().lstrip('/')}: {diagnostics.TASK} {self._context.name}"
        return diagnostics.status(name.rstrip(), summary, state)

    def _without_first_silence(self, summary: Summary, state: NodeState) -> Summary:
        """A camera started after the node is not to blame for the time before it was first seen."""
        now_s, was_alone, self._is_alone = time.monotonic(), self._is_alone, not state.publishers
        if was_alone or self._is_alone:
            self._alone_until_s = now_s
        if self._is_alone:
            return summary
        return replace(summary, silent_s=min(summary.silent_s, now_s - self._alone_until_s))

    def _without_pauses(self, summary: Summary) -> Summary:
        """Between the frames that max_rate_hz allows, none is missing."""
        max_hz = self._context.settings().input.max_rate_hz
        pause_s = 1.0 / max_hz if max_hz else 0.0
        return replace(summary, seconds_without_result=max(summary.seconds_without_result - pause_s, 0.0))

    def _overloaded_s(self, summary: Summary, state: NodeState) -> float:
        """For how long there have been fewer results than there should be."""
        now_s, settings = time.monotonic(), self._context.settings()
        expected_hz = min(diagnostics.arrived_hz(summary), settings.input.max_rate_hz or math.inf)
        if state.lifecycle != "active" or summary.output_hz >= settings.node.min_output_ratio * expected_hz:
            self._kept_up_s = now_s
        return now_s - self._kept_up_s

    def _log_changes(self, verdict: diagnostics.Verdict, summary: Summary) -> None:
        """A camera that is missing or stops is logged once, for those who do not look at diagnostics; errors are logged where
        they happen."""
        if verdict.level == DiagnosticStatus.WARN and verdict.kind != self._warned_of:
            if verdict.kind != diagnostics.PART_WARNING and self._throttle.may_say(verdict.kind):
                self._context.logger.warning(verdict.message)
            self._warned_of = verdict.kind
        elif verdict.level == DiagnosticStatus.OK and self._warned_of:
            self._warned_of = ""
            if summary.output_hz:  # else something is still awaited, such as the first image of a camera that has just started
                self._context.logger.info(f"back to normal: {verdict.message}")
