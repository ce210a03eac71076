# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""What CONTRIBUTING.md's recipes add, from a file to people: another skeleton, another detector head."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import known_models
import numpy as np
import onnx
import pytest

from pose_resnet_ros.core.errors import PoseError
from pose_resnet_ros.core.skeletons import SKELETONS, skeleton_named
from pose_resnet_ros.core.types import Detections
from pose_resnet_ros.models.spec import DetectorSpec, spec_from_json
from pose_resnet_ros.pipeline import load_pipeline
from pose_resnet_ros.settings import FrameSettings
from pose_resnet_ros.tools.models import verbs

IMAGE = np.full((480, 640, 3), 100, np.uint8)
PEAKS_XY = [(10 + joint, 30 + joint) for joint in range(26)]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSE_RESNET_ROS_HOME", str(tmp_path / "home"))


@pytest.mark.parametrize("decoder", ["dark", "simcc"])
@pytest.mark.parametrize("skeleton", ["halpe26", "native", "coco17", "openpose18"])
def test_a_network_of_halpe_26_gives_its_own_joints_and_those_of_smaller_sets(
    tmp_path: Path, decoder: str, skeleton: str
) -> None:
    answers = {"heatmaps": known_models.heatmaps_with_peaks(PEAKS_XY)}
    if decoder == "simcc":
        x, y = (np.zeros((1, 26, 2 * size)) for size in (192, 256))
        for joint, (column, row) in enumerate(PEAKS_XY):
            x[0, joint, 8 * column] = y[0, joint, 8 * row] = 0.9
        answers = {"x": x, "y": y}
    spec = replace(known_models.POSE_SPEC, decoder=decoder, skeleton="halpe26")
    path = known_models.constant_answers(tmp_path / "feet.onnx", answers, spec=spec)
    box = Detections(np.array([[100, 50, 180, 250]], np.float32), np.ones(1, np.float32))
    with load_pipeline(pose_model=path, detector_model="full_frame", skeleton=skeleton, backend="cpu") as pipeline:
        people = pipeline.run(IMAGE, boxes=box).people
    names = SKELETONS["halpe26" if skeleton == "native" else skeleton].joint_names
    halpe = skeleton_named("halpe26").joint_names
    # A cell is 3.90625 px, around the box's centre (140, 150).
    cells = np.array([PEAKS_XY[halpe.index(name)] for name in names]) - (24, 32)
    np.testing.assert_allclose(people.keypoints_xy[0], (140, 150) + 3.90625 * cells, atol=4.0)
    np.testing.assert_allclose(people.keypoint_scores, 0.9, atol=0.01)


# Both known boxes are the same, and no suppression is what is looked at.
DETECTORS_OWN = FrameSettings(verify_persons=False)


def test_an_rtdetr_of_one_s_own_is_added_and_finds_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = known_models.rtdetr(tmp_path / "trained_here.onnx", side=96)
    assert verbs.main(["add", str(file), "--like", "rtdetrv2_s", "--name", "mine"]) == 0
    pose = known_models.pose_net(tmp_path / "pose.onnx")
    with load_pipeline(pose_model=pose, detector_model="mine", backend="cpu") as pipeline:
        people = pipeline.run(IMAGE, settings=DETECTORS_OWN).people
    np.testing.assert_allclose(people.boxes_xyxy, [[160, 120, 320, 360]] * 2, atol=0.01)
    assert verbs.main(["info", "mine"]) == 0
    printed = capsys.readouterr().out
    assert "decoder:       rtdetr" in printed
    assert "'orig_target_sizes' (any, 2) tensor(int64)" in printed


def test_an_rtdetr_that_gives_logits_is_another_decoder_for_the_same_row(tmp_path: Path) -> None:
    """Its number of classes is read from the file."""
    answers = {"logits": np.full((1, 2, 91), 1.0), "pred_boxes": np.full((1, 2, 4), 0.5)}
    file = known_models.constant_answers(tmp_path / "logits.onnx", answers, spec=None, wh=(96, 64))
    add_declared_shapes(file, answers)
    as_row = ["--like", "rtdetrv2_s", "--decoder", "rtdetr_logits", "--person-class", "1", "--letterbox", "ultralytics"]
    assert verbs.main(["add", str(file), *as_row]) == 0
    spec = spec_from_json(onnx.load(tmp_path / "home" / "logits.onnx").metadata_props[0].value)
    assert isinstance(spec, DetectorSpec)
    assert (spec.decoder, spec.letterbox, spec.class_count, spec.person_class) == ("rtdetr_logits", "ultralytics", 91, 1)
    with load_pipeline(
        pose_model=known_models.pose_net(tmp_path / "pose.onnx"), detector_model="logits", backend="cpu"
    ) as pipeline:
        assert len(pipeline.run(IMAGE, settings=DETECTORS_OWN).people) == 2


def add_declared_shapes(file: Path, answers: dict[str, np.ndarray]) -> None:
    model = onnx.load(file)
    for output in model.graph.output:
        output.CopyFrom(onnx.helper.make_tensor_value_info(output.name, onnx.TensorProto.FLOAT, answers[output.name].shape))
    onnx.save(model, file)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--like", "rtdetrv2_s", "--decoder", "magic"], "decoder 'magic'; expected .*rtdetr_logits"),
        (
            ["--like", "rtmpose_s_256x192", "--letterbox", "darknet"],
            "--letterbox is for detectors; 'rtmpose_s_256x192' is a pose",
        ),
    ],
)
def test_a_decoder_or_letterbox_that_cannot_be_is_refused(tmp_path: Path, arguments: list[str], said: str) -> None:
    file = known_models.rtdetr(tmp_path / "d.onnx", side=96)
    with pytest.raises(PoseError, match=said):
        verbs.main(["add", str(file), *arguments])
    assert not (tmp_path / "home" / "d.onnx").exists()
