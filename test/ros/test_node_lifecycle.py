# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The node under a lifecycle manager, over the real services."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("rclpy")

from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState
from pose_resnet_ros.msg import PersonArray
from rclpy.lifecycle import TransitionCallbackReturn
from sensor_msgs.msg import Image

from pose_resnet_ros.core.errors import PoseError


class Manager:
    """Calls the node's lifecycle services, as Nav2's manager does."""

    def __init__(self, world: Any) -> None:
        self._world = world
        self._change = world.peer.create_client(ChangeState, "/pose_resnet/change_state")
        self._get = world.peer.create_client(GetState, "/pose_resnet/get_state")
        world.until(self._change.service_is_ready, "the lifecycle services")

    def _call(self, client: Any, request: Any) -> Any:
        future = client.call_async(request)
        self._world.until(future.done, "an answer")
        return future.result()

    def change(self, transition: int) -> bool:
        return self._call(self._change, ChangeState.Request(transition=Transition(id=transition))).success

    @property
    def state(self) -> int:
        return self._call(self._get, GetState.Request()).current_state.id


@pytest.fixture
def managed(world: Any, spot: str) -> tuple[Any, Manager]:
    node = world.pose_node(pose_model=spot, autostart=False)
    return node, Manager(world)


def test_the_whole_life(world: Any, managed: tuple[Any, Manager], image_message: Callable[..., Image]) -> None:
    node, manager = managed
    persons = world.listen(PersonArray, "/pose_resnet/persons")
    camera = world.peer.create_publisher(Image, "/image", 1)
    assert manager.state == State.PRIMARY_STATE_UNCONFIGURED
    for turn in (1, 2):  # everything works a second time
        assert manager.change(Transition.TRANSITION_CONFIGURE)
        assert manager.state == State.PRIMARY_STATE_INACTIVE
        assert camera.get_subscription_count() == 0
        for activation in (1, 2):
            assert manager.change(Transition.TRANSITION_ACTIVATE)
            world.until(camera.get_subscription_count, "the subscription")
            count = len(persons)
            world.until(lambda c=count, n=10 * turn + activation: _sent(camera, image_message, n) and len(persons) > c, "persons")
            assert manager.change(Transition.TRANSITION_DEACTIVATE)
            world.until(lambda: camera.get_subscription_count() == 0, "the end of the subscription")
        assert manager.change(Transition.TRANSITION_CLEANUP)
        assert node._pipeline is None
    assert manager.change(Transition.TRANSITION_UNCONFIGURED_SHUTDOWN)


def _sent(camera: Any, image_message: Callable[..., Image], number: int) -> bool:
    camera.publish(image_message(number=number))
    return True


def test_each_transition_is_one_line_in_the_log(managed: tuple[Any, Manager], capfd: pytest.CaptureFixture[str]) -> None:
    _, manager = managed
    for transition, says in (
        (Transition.TRANSITION_CONFIGURE, "loaded: "),
        (Transition.TRANSITION_ACTIVATE, "activated: now active"),
        (Transition.TRANSITION_DEACTIVATE, "deactivated: now inactive"),
        (Transition.TRANSITION_CLEANUP, "cleaned up: now unconfigured"),
        (Transition.TRANSITION_UNCONFIGURED_SHUTDOWN, "shut down: now finalized"),
    ):
        assert manager.change(transition)
        log = capfd.readouterr().err
        assert log.count(says) == 1
        assert transition == Transition.TRANSITION_CONFIGURE or log.count("[INFO]") == 1


def test_activate_before_configure_is_refused_and_does_no_harm(world: Any, managed: tuple[Any, Manager]) -> None:
    _, manager = managed
    assert not manager.change(Transition.TRANSITION_ACTIVATE)
    assert manager.state == State.PRIMARY_STATE_UNCONFIGURED
    assert manager.change(Transition.TRANSITION_CONFIGURE)
    assert manager.change(Transition.TRANSITION_ACTIVATE)


def test_a_failed_configure_leaves_the_node_unconfigured_and_says_why(
    world: Any, tmp_path: Path, spot: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "late.onnx"
    node = world.pose_node(pose_model=str(path), autostart=False)
    manager = Manager(world)
    assert not manager.change(Transition.TRANSITION_CONFIGURE)
    assert manager.state == State.PRIMARY_STATE_UNCONFIGURED
    assert str(path) in capfd.readouterr().err
    assert str(path) in node.problem
    path.write_bytes(Path(spot).read_bytes())  # the user puts the file there and tries again
    assert manager.change(Transition.TRANSITION_CONFIGURE)
    assert node.problem == ""


def test_a_configure_that_fails_half_way_keeps_nothing(managed: tuple[Any, Manager], monkeypatch: pytest.MonkeyPatch) -> None:
    node, manager = managed

    def refused(*_: object) -> None:
        raise PoseError("no outputs today")

    with monkeypatch.context() as patch:
        patch.setattr("pose_resnet_ros.ros.camera.ImageOutput", refused)
        assert not manager.change(Transition.TRANSITION_CONFIGURE)
    assert node.problem == "cannot configure: no outputs today"
    assert node._pipeline is None
    assert manager.change(Transition.TRANSITION_CONFIGURE)


def test_an_activate_that_fails_leaves_the_node_inactive(managed: tuple[Any, Manager], monkeypatch: pytest.MonkeyPatch) -> None:
    node, manager = managed
    assert manager.change(Transition.TRANSITION_CONFIGURE)

    def refused(*_: object, **__: object) -> None:
        raise PoseError("no subscription today")

    with monkeypatch.context() as patch:
        patch.setattr("pose_resnet_ros.ros.qos.create_subscription", refused)
        assert not manager.change(Transition.TRANSITION_ACTIVATE)
    assert manager.state == State.PRIMARY_STATE_INACTIVE
    assert node._worker is None
    assert manager.change(Transition.TRANSITION_ACTIVATE)


def test_an_unexpected_error_in_a_transition_is_seen_and_recovered_from(
    managed: tuple[Any, Manager], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    _, manager = managed

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("nobody expected this")

    with monkeypatch.context() as patch:
        patch.setattr("pose_resnet_ros.ros.node.load_pipeline", broken)
        assert not manager.change(Transition.TRANSITION_CONFIGURE)
    assert "nobody expected this" in capfd.readouterr().err  # rclpy itself would say nothing
    assert manager.state == State.PRIMARY_STATE_UNCONFIGURED
    assert manager.change(Transition.TRANSITION_CONFIGURE)


@pytest.mark.parametrize("what", ["activate", "deactivate", "cleanup"])
def test_an_unexpected_error_in_any_transition_frees_all_and_can_be_recovered_from(
    world: Any, spot: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], what: str
) -> None:
    node = world.pose_node(pose_model=spot, autostart=False)
    node.trigger_configure()
    if what == "deactivate":
        node.trigger_activate()

    def broken(*_: object, **__: object) -> None:
        patch.undo()  # once only
        raise RuntimeError("nobody expected this")

    with monkeypatch.context() as patch:
        patch.setattr(node.cameras[0] if what == "activate" else node, "activate" if what == "activate" else "deactivate", broken)
        assert getattr(node, f"trigger_{what}")() == TransitionCallbackReturn.ERROR
    assert "nobody expected this" in capfd.readouterr().err
    assert (node.state, node._pipeline, node._worker, node.cameras[0].input) == ("unconfigured", None, None, None)
    assert "nobody expected this" in node.problem
    node.configure_and_activate()
    assert (node.state, node.problem) == ("active", "")


def test_a_start_that_failed_leaves_later_errors_audible(world: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    node = world.pose_node(pose_model=str(tmp_path / "late.onnx"), start=False)
    with pytest.raises(PoseError, match=r"late\.onnx"):
        node.start()
    assert "cannot configure" not in capfd.readouterr().err  # who starts it says so
    assert node.trigger_configure() == TransitionCallbackReturn.FAILURE
    assert "cannot configure" in capfd.readouterr().err


@pytest.fixture
def no_cycle_collection() -> Iterator[None]:
    """What is not freed at once shows."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize(
    "parameters",
    [{}, {"use_depth": True}, {"detector_model": "external"}, {"image_transport": "compressed"}],
    ids=lambda given: "".join(given),
)
def test_cleanup_frees_the_models_at_once(
    world: Any, spot: str, image_message: Callable[..., Image], no_cycle_collection: None, parameters: dict[str, Any]
) -> None:
    node = world.pose_node(pose_model=spot, **parameters)
    camera = node.cameras[0]
    parts = [node._pipeline, node._worker, *camera.outputs, camera._processor]
    parts += [camera.input, camera.input.images, camera.input.latched, camera.input.external]
    freed = [weakref.ref(part) for part in parts if part is not None]
    parts.clear()
    if not parameters:
        persons = world.listen(PersonArray, "/pose_resnet/persons")
        world.publisher(Image).publish(image_message())
        world.until(lambda: persons, "persons")
    for change in (node.trigger_deactivate, node.trigger_cleanup):
        assert change() == TransitionCallbackReturn.SUCCESS
    world.spin_for(0.1)  # what the executor still holds
    assert [part() for part in freed if part() is not None] == []


def test_deactivate_ends_an_inference_that_would_never_end(
    world: Any, endless_spot: str, spot: str, image_message: Callable[..., Image]
) -> None:
    node = world.pose_node(pose_model=endless_spot)
    camera = world.publisher(Image)
    camera.publish(image_message())
    world.until(lambda: node._pipeline._canceller._active, "the inference to begin")
    assert node.trigger_deactivate() == TransitionCallbackReturn.SUCCESS
    assert node._worker is None
    assert node.cameras[0].statistics.summary().errors == {}  # being stopped is no error
    assert node.trigger_activate() == TransitionCallbackReturn.SUCCESS
    persons = world.listen(PersonArray, "/pose_resnet/persons")
    camera = world.publisher(Image)
    dark = image_message()
    dark.data = type(dark.data)("B", bytes(len(dark.data)))  # no spot, no delay

    world.until(lambda: camera.publish(dark) or persons, "persons of a dark picture")


def test_an_inference_that_was_left_behind_never_shares_the_networks_with_a_new_worker(
    world: Any, endless_spot: str, image_message: Callable[..., Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pose_resnet_ros.ros.node.STOP_TIMEOUT_S", 0.1)
    node = world.pose_node(pose_model=endless_spot)
    world.publisher(Image).publish(image_message())
    world.until(lambda: node._pipeline._canceller._active, "the inference to begin")
    worker = node._worker
    with monkeypatch.context() as patch:
        patch.setattr(node._pipeline, "cancel", lambda: None)  # as a driver that hangs
        assert node.trigger_deactivate() == TransitionCallbackReturn.SUCCESS
        assert node.trigger_activate() == TransitionCallbackReturn.FAILURE
        assert "the previous inference is still running" in node.problem
    assert node.state == "inactive"
    node._pipeline.cancel()
    world.until(lambda: not worker.alive, "the old worker to end")
    assert node.trigger_activate() == TransitionCallbackReturn.SUCCESS


def test_a_closed_node_leaves_the_graph(world: Any, managed: tuple[Any, Manager]) -> None:
    """Not first when its state machine, which refers to itself and to the node, is collected."""
    node, _ = managed
    gc.disable()
    try:
        node.close()
        world.until(lambda: "pose_resnet" not in world.peer.get_node_names(), "the node to leave")
    finally:
        gc.enable()
