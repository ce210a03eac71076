# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Publishes the node's health on /diagnostics once a second, in every lifecycle state; tells the log when it changes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from pose_resnet_ros.ros import qos
from pose_resnet_ros.ros.health import diagnostics
from pose_resnet_ros.ros.health.statistics import Summary
from pose_resnet_ros.ros.ros_log import Throttle

PERIOD_S = 1.0
LOGGED_ELSEWHERE = "warning"  # the part that has it logs it


class HealthReporter:
    """A publisher and a timer of ``node``; summary, condition, min_output_ratio: asked each time."""

    def __init__(
        self,
        node: Node,
        *,
        summary: Callable[[], Summary],
        condition: Callable[[], diagnostics.NodeState],
        min_output_ratio: Callable[[], float],
    ) -> None:
        self._node = node
        self._summary = summary
        self._condition = condition
        self._min_output_ratio = min_output_ratio
        self._warned_of = ""
        self._throttle = Throttle()
        self._alone_until_s = self._kept_up_s = time.monotonic()
        self._publisher = node.create_publisher(DiagnosticArray, "/diagnostics", qos.results_profile())
        # A steady clock: with use_sim_time the node's own stands still when the simulation or the bag does.
        node.create_timer(PERIOD_S, self._report, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def _report(self) -> None:
        condition = self._condition()
        summary = self._without_first_silence(self._summary(), condition)
        condition = replace(condition, slow_s=self._slow_s(summary, condition))
        node_name = self._node.get_fully_qualified_name().lstrip("/")
        status = diagnostics.status(node_name, summary, condition)
        message = DiagnosticArray(status=[status])
        message.header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(message)
        self._log_changes(diagnostics.evaluate(summary, condition), summary)

    def _without_first_silence(self, summary: Summary, condition: diagnostics.NodeState) -> Summary:
        """A camera started after the node is not to blame for the time before."""
        now_s = time.monotonic()
        if not condition.publishers:
            self._alone_until_s = now_s
            return summary
        return replace(summary, silent_s=min(summary.silent_s, now_s - self._alone_until_s))

    def _slow_s(self, summary: Summary, condition: diagnostics.NodeState) -> float:
        """For how long the results have been fewer than they should be."""
        now_s, wanted_hz = time.monotonic(), self._min_output_ratio() * diagnostics.came_hz(summary)
        if condition.state != "active" or summary.output_hz >= wanted_hz:
            self._kept_up_s = now_s
        return now_s - self._kept_up_s

    def _log_changes(self, verdict: diagnostics.Verdict, summary: Summary) -> None:
        """A camera that is not there, or stops, is said once, also to who does not look at diagnostics (errors are logged
        where they happen)."""
        if verdict.level == DiagnosticStatus.WARN and verdict.kind != self._warned_of:
            if verdict.kind != LOGGED_ELSEWHERE and self._throttle.may_say(verdict.kind):
                self._node.get_logger().warning(verdict.message)
            self._warned_of = verdict.kind
        elif verdict.level == DiagnosticStatus.OK and self._warned_of:
            self._warned_of = ""
            if summary.output_hz:  # else the next thing is waited for, as a camera that has only just started
                self._node.get_logger().info(f"back to normal: {verdict.message}")
