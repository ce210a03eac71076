# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The running node with somebody else's detector, played by the test."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("rclpy")
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from pose_resnet_ros.msg import PersonArray
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from vision_msgs.msg import Detection2D, Detection2DArray, ObjectHypothesisWithPose

BOX = (80.0, 60.0, 40.0, 60.0)  # centre x, centre y, width, height: around the spot of the test's image


def detections(header: Header, *found: tuple[str, float]) -> Detection2DArray:
    """One box at BOX for each (class id, score)."""
    message = Detection2DArray(header=header)
    for class_id, score in found:
        result = ObjectHypothesisWithPose()
        result.hypothesis.class_id, result.hypothesis.score = class_id, score
        detection = Detection2D(header=header, results=[result])
        detection.bbox.center.position.x, detection.bbox.center.position.y, *_ = BOX
        detection.bbox.size_x, detection.bbox.size_y = BOX[2:]
        message.detections.append(detection)
    return message


class Setup:
    """A pose node without a detector, and both of its inputs."""

    def __init__(
        self, world: Any, image_message: Callable[..., Image], until_logged: Callable[[str], None], **parameters: Any
    ) -> None:
        self.world, self.image_message = world, image_message
        self.until_logged = until_logged
        self.results: list[PersonArray] = world.listen(PersonArray, "/pose_resnet/persons")
        self.diagnostics: list[DiagnosticArray] = world.listen(DiagnosticArray, "/diagnostics")
        self.node = world.pose_node(detector_model="external", **parameters)
        self.images = world.publisher(Image)
        self.boxes = world.publisher(Detection2DArray, "/detections", 10)

    def until_results(self, count: int) -> list[PersonArray]:
        self.world.until(lambda: len(self.results) >= count, f"{count} results")
        return self.results

    def until_value(self, key: str, value: str) -> None:
        """Until diagnostics show this."""

        def shown() -> bool:
            values = {v.key: v.value for d in self.diagnostics[-1:] for s in d.status for v in s.values}
            return values.get(key) == value

        self.world.until(shown, f"{key} to be {value}")

    def until_status(self, text: str) -> None:
        """Until diagnostics warn of this."""

        def warned() -> bool:
            (status,) = self.diagnostics[-1].status if self.diagnostics else [None]
            return status is not None and status.level == DiagnosticStatus.WARN and text in status.message

        self.world.until(warned, f"a warning '{text}'")


@pytest.fixture
def setup(
    world: Any, spot: str, image_message: Callable[..., Image], until_logged: Callable[[str], None]
) -> Callable[..., Setup]:
    return lambda **parameters: Setup(world, image_message, until_logged, pose_model=spot, **parameters)


@pytest.mark.parametrize("image_first", [True, False])
def test_boxes_and_image_of_one_stamp_meet_in_either_order(setup: Callable[..., Setup], image_first: bool) -> None:
    s = setup()
    image = s.image_message(number=3)
    messages = [(s.images, image), (s.boxes, detections(image.header, ("person", 0.75)))]
    for publisher, message in messages if image_first else reversed(messages):
        s.world.deliver(publisher, message)
    (result,) = s.until_results(1)
    assert result.header == image.header
    (person,) = result.persons
    assert (person.bbox.center.position.x, person.bbox.center.position.y) == BOX[:2]
    assert (person.bbox.size_x, person.bbox.size_y) == BOX[2:]
    assert person.score == 0.75
    # The spot's middle is (79.5, 59.5); a cell of the heatmap is 4 crop pixels, that is 5 image pixels.
    assert abs(person.keypoints[0].x - 79.5) < 5
    assert abs(person.keypoints[0].y - 59.5) < 5


def test_an_image_in_which_the_detector_found_nobody_is_published_too(setup: Callable[..., Setup]) -> None:
    s = setup()
    image = s.image_message()
    s.boxes.publish(detections(image.header))
    s.images.publish(image)
    assert s.until_results(1)[0].persons == []


def test_classes_scores_and_max_persons(setup: Callable[..., Setup]) -> None:
    s = setup(person_class_ids="human, 1", detection_threshold=0.5, max_persons=2)
    image = s.image_message()
    found = [("human", 0.6), ("person", 0.9), ("1", 0.7), ("1", 0.4), ("human", 0.8)]
    s.boxes.publish(detections(image.header, *found))
    s.images.publish(image)
    assert [round(p.score, 4) for p in s.until_results(1)[0].persons] == [0.8, 0.7]


def test_messages_without_partner_are_counted_and_the_next_pair_is_served(setup: Callable[..., Setup]) -> None:
    s = setup()
    lonely, image = s.image_message(number=1), s.image_message(number=2)
    s.world.deliver(s.images, lonely)
    s.boxes.publish(detections(s.image_message(number=9).header, ("person", 0.9)))
    s.boxes.publish(detections(image.header, ("person", 0.9)))
    s.images.publish(image)
    assert s.until_results(1)[0].header.stamp.sec == 2
    s.until_value("images without detections", "1")
    s.until_value("external detections joined", "1")


def test_a_detector_that_stamps_anew_is_named(setup: Callable[..., Setup], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pose_resnet_ros.ros.external_detections.COMPLAIN_AFTER_S", 0.2)
    s = setup()
    numbers = itertools.count(1)

    def send() -> None:
        number = next(numbers)
        s.images.publish(s.image_message(number=number))
        s.boxes.publish(detections(s.image_message(number=100_000 + number).header, ("person", 0.9)))

    s.until_logged("copy header.stamp from its image", meanwhile=send)
    assert s.results == []


def test_a_slow_camera_without_a_detector_is_named_also_after_better_times(
    setup: Callable[..., Setup], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fewer images than would wait, and a lonely message of each side from before: neither is mistaken for stamps that differ."""
    monkeypatch.setattr("pose_resnet_ros.ros.external_detections.COMPLAIN_AFTER_S", 0.3)
    s = setup()
    s.images.publish(s.image_message(number=1))
    s.boxes.publish(detections(s.image_message(number=2).header))
    pair = s.image_message(number=3)
    s.boxes.publish(detections(pair.header, ("person", 0.9)))
    s.images.publish(pair)
    s.until_results(1)
    for number in (4, 5, 6):
        s.images.publish(s.image_message(number=number))
        s.world.spin_for(0.2)
    s.until_logged("images arrive, but nothing on /detections: is the detector running?")
    s.until_status("images arrive, but nothing on /detections")


def test_unknown_classes_and_other_frames_are_named(setup: Callable[..., Setup]) -> None:
    s = setup()
    image = s.image_message()
    header = Header(stamp=image.header.stamp, frame_id="another_camera")
    s.boxes.publish(detections(header, ("pedestrian", 0.9)))
    s.images.publish(image)
    assert s.until_results(1)[0].persons == []
    s.until_logged("their class ids are pedestrian; person_class_ids accepts person, 0")
    s.until_logged("have frame_id 'another_camera', the image of the same time stamp has 'camera_optical_frame'")


def test_the_log_names_no_detector_that_is_not_loaded(setup: Callable[..., Setup], capfd: pytest.CaptureFixture[str]) -> None:
    setup()
    log = capfd.readouterr().err
    assert "boxes from /detections (backend auto)" in log
    assert "full_frame" not in log


def test_a_warning_is_logged_once_though_diagnostics_say_it_too(
    setup: Callable[..., Setup], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("pose_resnet_ros.ros.external_detections.COMPLAIN_AFTER_S", 0.0)
    s = setup()
    s.world.deliver(s.images, s.image_message())
    s.until_status("nothing on /detections")
    s.world.spin_for(0.2)
    assert capfd.readouterr().err.count("nothing on /detections") == 1


def test_what_is_wrong_in_a_detection_costs_that_box_alone(setup: Callable[..., Setup]) -> None:
    s = setup()
    image = s.image_message()
    wrong = [
        (field, value) for field in ("x", "y", "theta", "size_x", "size_y", "score") for value in (math.nan, math.inf, -math.inf)
    ]
    wrong += [("size_x", -5.0), ("size_y", 0.0), ("x", 1e30), ("y", -400.0), ("results", [])]
    message = detections(image.header, *[("person", 0.95)] * len(wrong), ("person", 0.5))
    for detection, (field, value) in zip(message.detections, wrong, strict=False):
        box = detection.bbox
        owner = {
            "x": box.center.position,
            "y": box.center.position,
            "theta": box.center,
            "size_x": box,
            "size_y": box,
            "score": detection.results[0].hypothesis,
            "results": detection,
        }[field]
        setattr(owner, field, value)
    s.boxes.publish(message)
    s.images.publish(image)
    (person,) = s.until_results(1)[0].persons
    assert person.score == 0.5
    s.until_logged("1 of 2 boxes on /detections lie outside the 160 x 120 image")
    assert s.node.cameras[0].statistics.summary().errors == {}


def test_a_box_without_area_stops_nothing(setup: Callable[..., Setup]) -> None:
    s = setup()
    image = s.image_message()
    message = detections(image.header, ("person", 0.9), ("person", 0.8))
    message.detections[0].bbox.size_x = 0.0
    s.boxes.publish(message)
    s.images.publish(image)
    assert len(s.until_results(1)[0].persons) == 1


def test_messages_without_a_stamp_are_never_paired_and_are_named(
    setup: Callable[..., Setup], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pose_resnet_ros.ros.external_detections.COMPLAIN_AFTER_S", 0.2)
    s = setup()
    image = s.image_message()
    image.header.stamp.sec = image.header.stamp.nanosec = 0
    for _ in range(20):
        s.images.publish(image)
        s.boxes.publish(detections(image.header, ("person", 0.9)))
        s.world.spin_for(0.03)
    s.until_logged("without a time stamp (header.stamp is 0), by which they are paired")
    assert s.results == []


def test_the_age_of_a_result_counts_from_the_receipt_of_its_image(setup: Callable[..., Setup]) -> None:
    s = setup()
    image = s.image_message()
    s.world.deliver(s.images, image)
    s.world.spin_for(0.3)
    s.boxes.publish(detections(image.header, ("person", 0.9)))
    s.until_results(1)
    s.world.until(lambda: s.node.cameras[0].statistics.summary().published, "the statistics")
    median_ms, _ = s.node.cameras[0].statistics.summary().age_ms
    assert median_ms > 250  # a detector that takes its time makes the results that old
