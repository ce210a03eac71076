# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import known_models
import numpy as np
import onnx
import pytest

from pose_resnet_ros.core.errors import ModelError, SettingsError
from pose_resnet_ros.core.types import Detections, InputSpec
from pose_resnet_ros.export import conversion
from pose_resnet_ros.export.conversion import ExportOptions, OnnxFile, PoseCheckpoint, open_source
from pose_resnet_ros.export.darknet import ARCHITECTURES
from pose_resnet_ros.models.registry import get_entry
from pose_resnet_ros.models.spec import METADATA_KEY, PoseSpec, spec_from_json
from pose_resnet_ros.tools import export as export_verb
from pose_resnet_ros.tools.export import calibration_tensors

SPEC = PoseSpec("small", InputSpec(64, 96, "bgr", 1 / 255), decoder="microsoft", skeleton="coco17")


@pytest.fixture(scope="module")
def checkpoint() -> PoseCheckpoint:
    pytest.importorskip("torch")
    from pose_resnet_ros.export.torch_networks import pose_resnet, seeded

    network = seeded(pose_resnet(18, width=16, deconv_channels=16))
    return PoseCheckpoint({key: value.numpy() for key, value in network.state_dict().items()}, SPEC)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for index in range(4):
        cv2.imwrite(str(folder / f"{index}.png"), rng.integers(0, 255, (96, 64, 3), np.uint8))
    return folder


class NobodyThere:
    def __init__(self, *_: object, **__: object) -> None:
        pass

    def detect(self, *_: object, **__: object) -> Detections:
        return Detections.empty()


def test_the_description_travels_in_the_file(checkpoint: PoseCheckpoint, tmp_path: Path) -> None:
    entry = get_entry("pose_resnet_50_256x192")
    spec = conversion.described(entry, source=Path("some/net.pth.tar"))
    export = conversion.export(replace(checkpoint, spec=spec), spec, ExportOptions())
    conversion.save(export, tmp_path / "new" / "net.onnx")
    model = onnx.load(tmp_path / "new" / "net.onnx")
    (text,) = [prop.value for prop in model.metadata_props if prop.key == METADATA_KEY]
    stored = spec_from_json(text)
    assert replace(stored, provenance={}) == entry.spec
    assert stored.provenance["exported_from"] == "net.pth.tar"
    assert stored.provenance["terms"] == "weights for research purposes (README of the source)"
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["net.onnx"]


def test_the_check_finds_an_equal_network_equal_and_a_changed_one_not(checkpoint: PoseCheckpoint) -> None:
    model = conversion.export(checkpoint, SPEC, ExportOptions())
    difference, largest = conversion.largest_difference(model, checkpoint, SPEC)
    assert difference < 1e-5
    assert largest > 0.1
    bias = next(weight for weight in model.graph.initializer if list(weight.dims) == [17])
    bias.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(bias) + 0.5, bias.name))
    assert conversion.largest_difference(model, checkpoint, SPEC)[0] == pytest.approx(0.5, abs=1e-4)


def test_half_precision_halves_the_file_and_keeps_its_interface(checkpoint: PoseCheckpoint) -> None:
    full = conversion.export(checkpoint, SPEC, ExportOptions())
    half = conversion.export(checkpoint, SPEC, ExportOptions(fp16=True))
    onnx.checker.check_model(half, full_check=True)
    assert half.ByteSize() < 0.52 * full.ByteSize()
    assert (half.opset_import[0].version, half.ir_version) == (17, 8)
    assert half.graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    assert conversion.largest_difference(half, checkpoint, SPEC)[0] < 0.01


def test_eight_bits_quarter_the_file_and_stay_close(
    checkpoint: PoseCheckpoint, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_verb, "PersonDetector", NobodyThere)
    full = conversion.export(checkpoint, SPEC, ExportOptions())
    small = conversion.export(checkpoint, SPEC, ExportOptions(calibration=calibration_tensors(pictures, SPEC)))
    assert small.ByteSize() < 0.5 * full.ByteSize()
    assert any(node.op_type == "QuantizeLinear" for node in small.graph.node)
    (last,) = (node for node in small.graph.node if small.graph.output[0].name in node.output)
    assert last.op_type != "DequantizeLinear"  # the heatmaps are not rounded to 8 bits
    assert (small.opset_import[0].version, small.ir_version) == (17, 8)
    per_channel = [w for w in small.graph.initializer if w.name.endswith("_scale") and list(w.dims) not in ([], [1])]
    assert per_channel
    difference, largest = conversion.largest_difference(small, checkpoint, SPEC)
    assert 0 < difference < 0.5 * largest


def test_calibration_takes_the_whole_picture_where_nobody_is_found(pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_verb, "PersonDetector", NobodyThere)
    tensors = list(calibration_tensors(pictures, SPEC))
    assert [tensor.shape for tensor in tensors] == [(1, 3, 96, 64)] * 4


def test_calibration_of_a_detector_is_its_letterbox(pictures: Path) -> None:
    spec = get_entry("yolov3_tiny").spec
    assert spec is not None
    tensors = list(calibration_tensors(pictures, spec))
    assert [tensor.shape for tensor in tensors] == [(1, 3, 416, 416)] * 4
    assert tensors[0][0, :, 0, 0].tolist() == [0.5, 0.5, 0.5]


def test_a_damaged_picture_is_passed_over(pictures: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    spec = get_entry("yolov3_tiny").spec
    assert spec is not None
    folder = shutil.copytree(pictures, tmp_path / "some damaged")
    (folder / "0000.jpg").write_bytes(b"damaged")
    assert len(list(calibration_tensors(folder, spec))) == 4
    assert "0000.jpg: not an image that can be read" in caplog.text
    for picture in folder.glob("*.png"):
        picture.unlink()
    with pytest.raises(SettingsError, match=r"no image in .*some damaged can be read"):
        list(calibration_tensors(folder, spec))


def test_a_folder_without_pictures_is_told(tmp_path: Path) -> None:
    spec = get_entry("yolov3_tiny").spec
    assert spec is not None
    with pytest.raises(SettingsError, match="no images in the folder"):
        list(calibration_tensors(tmp_path, spec))


def test_a_checkpoint_with_other_joints_than_its_row_is_refused(checkpoint: PoseCheckpoint, tmp_path: Path) -> None:
    import torch

    torch.save({key: torch.from_numpy(value) for key, value in checkpoint.state.items()}, tmp_path / "net.pth")
    with pytest.raises(ModelError, match=r"17 joints, but 'mpii' \(mpii16\) has 16"):
        open_source(tmp_path / "net.pth", replace(SPEC, name="mpii", skeleton="mpii16"))


def test_darknet_weights_of_another_network_than_their_row_are_refused(
    tmp_path: Path, write_weights: Callable[..., Path]
) -> None:
    path = write_weights(tmp_path / "net.weights", ARCHITECTURES["yolov3-tiny"])
    spec = get_entry("yolov3").spec
    assert spec is not None
    with pytest.raises(ModelError, match="holds yolov3-tiny, but 'yolov3' is described as another network"):
        open_source(path, spec)


def test_an_absent_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such file"):
        open_source(tmp_path / "net.pth", SPEC)


def test_an_export_that_does_not_run_is_refused(tmp_path: Path) -> None:
    """Not written first, to be found out by whoever loads it."""
    grids = known_models.yolo_grids([])
    grids["grid0"][0, 0, 0, 0] = np.nan
    spec = known_models.DETECTOR_SPEC
    damaged = OnnxFile(known_models.constant_answers(tmp_path / "damaged.onnx", grids, spec=spec))
    with pytest.raises(ModelError, match="the exported network gives values that are not finite"):
        conversion.export(damaged, spec, ExportOptions())
    other = replace(spec, input=replace(spec.input, width=128))
    with pytest.raises(ModelError, match=r"the network cannot be exported with these options: .*invalid dimensions"):
        conversion.export(OnnxFile(known_models.detector(tmp_path / "other.onnx", [])), other, ExportOptions(fp16=True))
