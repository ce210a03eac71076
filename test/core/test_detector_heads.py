# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Detector decoders against hand-made outputs and the literal implementation."""

import literal
import numpy as np
import pytest

from pose_resnet_ros.core.detector_heads import DECODERS
from pose_resnet_ros.core.errors import ModelError
from pose_resnet_ros.core.types import InputSpec, YoloScale
from pose_resnet_ros.models.spec import DetectorSpec

TINY_SCALES = (YoloScale(32, ((81, 82), (135, 169), (344, 319))), YoloScale(16, ((23, 27), (37, 58), (81, 82))))


def detector(decoder, *, wh=(96, 64), classes=80, person=0, scales=TINY_SCALES):
    pixels = InputSpec(*wh, "rgb", 1 / 255)
    return DetectorSpec("d", pixels, "darknet", decoder, scales=scales, class_count=classes, person_class=person)


def assert_same(found, rows):
    """Detections against literal rows, in any order."""
    assert len(found) == len(rows)
    ours = np.concatenate([found.boxes_xyxy, found.scores[:, None]], axis=1)
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours[np.lexsort(ours.T)], rows[np.lexsort(rows.T)], atol=0.01, rtol=1e-5)


@pytest.mark.parametrize("threshold", [0.0, 0.005, 0.25, 0.5, 0.9999, 1.0])
@pytest.mark.parametrize(("classes", "person"), [(1, 0), (80, 0), (5, 3)])
def test_yolov3_against_the_literal_one(threshold, classes, person):
    rng = np.random.default_rng(classes)
    grids = [rng.normal(-0.5, 1.5, (1, 3 * (5 + classes), 64 // s, 96 // s)).astype(np.float32) for s in (32, 16)]
    spec = detector("yolov3", classes=classes, person=person)
    found = DECODERS["yolov3"].decode(grids, spec=spec, threshold=threshold)
    scales = [(scale.stride, scale.anchors) for scale in TINY_SCALES]
    assert_same(found, literal.yolov3(grids, scales, classes, person, threshold))


def test_yolov3_one_cell_by_hand():
    grids = [np.full((1, 18, 2, 3), -20, np.float32), np.full((1, 18, 4, 6), -20, np.float32)]
    # Anchor 1 (37 x 58) of the fine grid, column 4, row 2: centre (4.5, 2.5) * 16, size doubled in x, scores
    # 0.5 * 0.5.
    grids[1][0, 6:12, 2, 4] = [0, 0, np.log(2), 0, 0, 0]
    found = DECODERS["yolov3"].decode(grids, spec=detector("yolov3", classes=1), threshold=0.2)
    np.testing.assert_allclose(found.boxes_xyxy, [[72 - 37, 40 - 29, 72 + 37, 40 + 29]], atol=0.01)
    np.testing.assert_allclose(found.scores, [0.25])
    assert len(DECODERS["yolov3"].decode(grids, spec=detector("yolov3", classes=1), threshold=0.25)) == 0


def test_yolov3_a_dog_does_not_count():
    grids = [np.full((1, 21, 2, 3), -20, np.float32), np.full((1, 21, 4, 6), -20, np.float32)]
    grids[0][0, 4:7, 0, 0] = [9, -9, 9]  # object: surely; person: no; dog: surely
    assert len(DECODERS["yolov3"].decode(grids, spec=detector("yolov3", classes=2), threshold=0.3)) == 0
    assert len(DECODERS["yolov3"].decode(grids, spec=detector("yolov3", classes=2, person=1), threshold=0.3)) == 1


def test_yolov3_wild_values_stay_finite():
    grids = [np.full((1, 18, 2, 3), 300, np.float32), np.full((1, 18, 4, 6), -300, np.float32)]
    found = DECODERS["yolov3"].decode(grids, spec=detector("yolov3", classes=1), threshold=0.5)
    assert len(found) == 18
    assert np.isfinite(found.boxes_xyxy).all()


def test_yolov3_outputs_of_another_model_are_refused():
    spec = detector("yolov3", classes=1)
    coarse, fine = np.zeros((1, 18, 2, 3), np.float32), np.zeros((1, 18, 4, 6), np.float32)
    with pytest.raises(ModelError, match="expected 2 output grids, the model gave 1"):
        DECODERS["yolov3"].decode([coarse], spec=spec, threshold=0.5)
    with pytest.raises(ModelError, match=r"expected an output of shape \(1, 18, 2, 3\) at stride 32, got \(1, 18, 4, 6\)"):
        DECODERS["yolov3"].decode([fine, coarse], spec=spec, threshold=0.5)


@pytest.mark.parametrize("threshold", [0.0, 0.1, 0.5, 1.0])
def test_yolox_against_the_literal_one(threshold):
    rng = np.random.default_rng(0)
    cells = 12 * 8 + 6 * 4 + 3 * 2
    rows = rng.normal(size=(cells, 85)).astype(np.float32)
    rows[:, 4:] = rng.random((cells, 81))
    found = DECODERS["yolox"].decode([rows[None]], spec=detector("yolox", scales=()), threshold=threshold)
    assert_same(found, literal.yolox(rows, (96, 64), 0, threshold))


def test_yolox_at_another_size_is_refused():
    with pytest.raises(ModelError, match=r"expected output rows of shape \(126, 85\) for an input of 96x64"):
        DECODERS["yolox"].decode([np.zeros((1, 3549, 85), np.float32)], spec=detector("yolox"), threshold=0.5)


def test_yolox_with_suppression_in_the_graph():
    rows = np.array([[[1, 2, 3, 4, 0.9], [5, 6, 7, 8, 0.3], [0, 0, 9, 9, 0.8]]], np.float32)
    labels = np.array([[0, 0, 16]])
    everybody = DECODERS["yolox_nms"].decode([rows, labels], spec=detector("yolox_nms", classes=1), threshold=0.3)
    np.testing.assert_array_equal(everybody.boxes_xyxy, rows[0, [0, 2], :4])
    persons = DECODERS["yolox_nms"].decode([rows, labels], spec=detector("yolox_nms", classes=80), threshold=0.3)
    np.testing.assert_array_equal(persons.scores, rows[0, :1, 4])
    assert len(DECODERS["yolox_nms"].decode([rows[:, :0]], spec=detector("yolox_nms", classes=1), threshold=0.3)) == 0


@pytest.mark.parametrize("leading", [(), (1,)])
def test_the_index_list_of_onnx_zoo(leading):
    boxes = np.array([[[10, 20, 30, 40], [1, 2, 3, 4], [5, 6, 7, 8]]], np.float32)  # y1, x1, y2, x2
    scores = np.zeros((1, 80, 3), np.float32)
    scores[0, 0] = [0.9, 0.2, 0.7]
    scores[0, 7] = 0.99
    indices = np.array([[0, 0, 2], [0, 7, 1], [0, 0, 0], [0, 0, 1], [-1, -1, -1], [0, 0, 0]], np.int32)
    outputs = [boxes, scores, indices.reshape(*leading, 6, 3)]
    found = DECODERS["onnx_zoo"].decode(outputs, spec=detector("onnx_zoo", scales=()), threshold=0.5)
    np.testing.assert_array_equal(found.boxes_xyxy, [[6, 5, 8, 7], [20, 10, 40, 30]])
    np.testing.assert_array_equal(found.scores, scores[0, 0, [2, 0]])


def test_the_empty_list_of_onnx_zoo():
    outputs = [np.zeros((1, 3, 4), np.float32), np.zeros((1, 80, 3), np.float32), np.zeros((0, 3), np.int32)]
    assert len(DECODERS["onnx_zoo"].decode(outputs, spec=detector("onnx_zoo", scales=()), threshold=0.5)) == 0


RTDETR = detector("rtdetr", scales=())


def test_rtdetr_s_own_export():
    labels = np.array([[0, 7, 0]], np.int64)
    boxes = np.array([[[1, 2, 30, 40], [5, 6, 7, 8], [0, 0, 9, 9]]], np.float32)
    scores = np.array([[0.9, 0.99, 0.3]], np.float32)
    decoder = DECODERS["rtdetr"]
    found = decoder.decode([labels, boxes, scores], spec=RTDETR, threshold=0.3)
    np.testing.assert_array_equal(found.boxes_xyxy, boxes[0, :1])
    np.testing.assert_array_equal(found.scores, scores[0, :1])
    assert len(decoder.decode([labels[:, :0], boxes[:, :0], scores[:, :0]], spec=RTDETR, threshold=0.3)) == 0
    assert decoder.further_inputs(RTDETR.input) == ((96, 64),)
    assert not decoder.needs_nms


def test_rtdetr_without_its_post_processing():
    """Two queries see a person, one surely; a third sees another class."""
    logits = np.full((1, 3, 2), -400, np.float32)
    logits[0, 0, 1], logits[0, 1, 1], logits[0, 2, 0] = np.log(9), -1, 5
    boxes = np.array([[[0.5, 0.5, 0.25, 0.5], [0.1, 0.1, 0.1, 0.1], [0.2, 0.2, 0.2, 0.2]]], np.float32)
    spec = detector("rtdetr_logits", scales=(), classes=2, person=1)
    found = DECODERS["rtdetr_logits"].decode([logits, boxes], spec=spec, threshold=0.3)
    np.testing.assert_allclose(found.boxes_xyxy, [[36, 16, 60, 48]], atol=1e-5)
    np.testing.assert_allclose(found.scores, [0.9], atol=1e-6)
    assert len(DECODERS["rtdetr_logits"].decode([logits, boxes], spec=spec, threshold=0.0)) == 3


@pytest.mark.parametrize(
    ("name", "outputs"),
    [
        ("rtdetr", [np.zeros((1, 3), np.int64), np.zeros((1, 3, 4), np.float32)]),
        ("rtdetr", [np.zeros((1, 3), np.float32), np.zeros((1, 3, 4), np.float32), np.zeros((1, 3), np.float32)]),
        ("rtdetr", [np.zeros((1, 3), np.int64), np.zeros((1, 4, 4), np.float32), np.zeros((1, 3), np.float32)]),
        ("rtdetr_logits", [np.zeros((1, 3, 80), np.float32)]),
        ("rtdetr_logits", [np.zeros((1, 3, 91), np.float32), np.zeros((1, 3, 4), np.float32)]),
    ],
    ids=["no scores", "labels that are no integers", "boxes of other queries", "no boxes", "other classes"],
)
def test_outputs_that_are_not_rtdetr_s_are_refused(name, outputs):
    with pytest.raises(ModelError, match=rf"^{name}: expected .*boxes \(1, n, 4\).*got \(1, 3"):
        DECODERS[name].decode(outputs, spec=RTDETR, threshold=0.5)


@pytest.mark.parametrize(
    ("name", "shapes", "count"),
    [
        ("yolov3", [(1, 255, 2, 3), (1, 255, 4, 6)], 80),
        ("yolov3", [(1, None, None, None)], None),
        ("yolox", [(1, 126, 6)], 1),
        ("yolox", [(None, None, None)], None),
        ("yolox_nms", [(1, None, 5), (1, None)], None),
        ("onnx_zoo", [(1, None, 4), (1, 80, None), (None, 3)], None),
        ("rtdetr", [(None, 300), (None, 300, 4), (None, 300)], None),
        ("rtdetr_logits", [(None, 300, 91), (None, 300, 4)], 91),
        ("rtdetr_logits", [()], None),
    ],
)
def test_the_number_of_classes_is_read_from_the_shapes_where_they_tell_it(name, shapes, count):
    assert DECODERS[name].class_count(shapes, detector(name)) == count
