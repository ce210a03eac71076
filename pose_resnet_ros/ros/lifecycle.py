# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""A lifecycle node whose transitions never fail silently: rclpy swallows their exceptions."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn

from pose_resnet_ros.core.errors import PoseError

RCLError: type[Exception] = rclpy_implementation.RCLError
SUCCESS, FAILURE, ERROR = (TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE, TransitionCallbackReturn.ERROR)


class GuardedLifecycleNode(LifecycleNode):
    """Subclasses implement ``configure``, ``activate``, ``deactivate`` and ``release``, which may raise.

    A PoseError leaves the state as it was; any other exception leads to unconfigured, through on_error, which releases all.
    state: the lifecycle state's name; problem: why the last transition failed, "" if it did not.
    """

    def __init__(self, name: str, **node_arguments: Any) -> None:
        super().__init__(name, **node_arguments)
        self.state, self.problem = "unconfigured", ""
        self._starting = False

    def destroy_node(self) -> None:
        """Destroy the node. rclpy leaves it in the ROS graph until the state machine is collected, which refers to itself."""
        super().destroy_node()
        self._state_machine = None

    def configure(self) -> None:
        """Load what is needed."""

    def activate(self) -> None:
        """Start working; managed publishers are enabled."""

    def deactivate(self) -> None:
        """Stop working; managed publishers are still enabled."""

    def release(self) -> None:
        """Stop, and give back what ``configure`` loaded; from any state."""

    def configure_and_activate(self) -> None:
        """What a lifecycle manager does. Raises PoseError with the reason if that fails."""
        self._starting = True
        try:
            for trigger in (self.trigger_configure, self.trigger_activate):
                if trigger() != SUCCESS:
                    raise PoseError(self.problem)
        finally:
            self._starting = False

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        result = self._guarded("configure", "inactive", self.configure)
        if result == FAILURE:
            self.release()  # what was loaded before it failed
        return result

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        super().on_activate(state)
        result = self._guarded("activate", "active", self.activate, done="activated")
        if result == FAILURE:
            self.deactivate()
            super().on_deactivate(state)
        return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        result = self._guarded("deactivate", "inactive", self.deactivate, done="deactivated")
        super().on_deactivate(state)
        return result

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        return self._guarded("clean up", "unconfigured", self.release, done="cleaned up")

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        return self._guarded("shut down", "finalized", self.release, done="shut down")

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        problem = self.problem
        result = self._guarded("recover from the error", "unconfigured", self.release)
        self.problem = problem
        return result

    def _guarded(self, what: str, target: str, body: Callable[[], None], *, done: str = "") -> TransitionCallbackReturn:
        """done: for the log; "" where the body says it."""
        try:
            body()
        except PoseError as error:
            self.problem = f"cannot {what}: {error}"
            if not self._starting:  # else the caller gets it
                self.get_logger().error(self.problem)
            return FAILURE
        except Exception as error:  # noqa: BLE001 - whatever it is, it must be seen
            self.problem = f"cannot {what}: {type(error).__name__}: {error}"
            if not self.context.ok():  # a signal came meanwhile
                return FAILURE
            self.get_logger().error(f"{self.problem}\n{traceback.format_exc()}")
            return ERROR
        self.state, self.problem = target, ""
        if done:
            self.get_logger().info(f"{done}: now {target}")
        return SUCCESS

    def _LifecycleNodeMixin__on_change_state(self, request: Any, response: Any) -> Any:  # noqa: N802 - rclpy's name
        """The service's callback. Up to Jazzy an illegal request raises out of it and ends the process (rclpy#1209)."""
        try:
            return super()._LifecycleNodeMixin__on_change_state(request, response)  # type: ignore[misc]
        except RCLError as error:
            self.get_logger().warning(f"transition refused in state {self.state}: {error}")
            response.success = False
            return response
