# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from known_models import constant_answers, pose_net

from pose_resnet_ros.core.errors import ModelError, SettingsError
from pose_resnet_ros.models.detector import PersonDetector
from pose_resnet_ros.models.pose_net import PoseNet
from pose_resnet_ros.models.registry import WEIGHTS_FOLDER, find_model, of_precision
from pose_resnet_ros.tools import cli, export


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("POSE_RESNET_ROS_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    pytest.importorskip("torch")
    from published_files import write_checkpoint

    from pose_resnet_ros.export.torch_networks import pose_resnet, seeded

    network = seeded(pose_resnet(18, width=16, deconv_channels=16))
    return write_checkpoint(tmp_path / "pose_resnet_50_256x192.pth.tar", network)


def printed_difference(capsys: pytest.CaptureFixture[str]) -> float:
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("largest difference")]
    return float(line.split(":")[1].split()[0])


def test_a_published_file_is_known_by_its_name(tmp_path: Path, checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "net.onnx"
    assert cli.main(["export", str(checkpoint), "--output", str(output), "--check"]) == 0
    assert printed_difference(capsys) < 1e-5
    net = PoseNet(output)
    assert net.spec.name == "pose_resnet_50_256x192"
    assert net.spec.input.channel_order == "bgr"
    model = onnx.load(output)
    assert (model.opset_import[0].version, model.ir_version) == (17, 8)
    assert model.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "N"


def test_without_output_the_row_s_name_works_afterwards(home: Path, checkpoint: Path) -> None:
    assert export.main([str(checkpoint)]) == 0
    assert PoseNet("pose_resnet_50_256x192").spec.name == "pose_resnet_50_256x192"
    assert (home / "digests.json").is_file()


def test_one_s_own_checkpoint_needs_a_row_that_describes_it(tmp_path: Path, checkpoint: Path) -> None:
    mine = checkpoint.rename(tmp_path / "final_state.pth.tar")
    with pytest.raises(ModelError, match="its colour order, size and decoder are not guessed"):
        export.main([str(mine)])
    output = tmp_path / "mine.onnx"
    assert export.main([str(mine), "--model", "mmpose_res50_dark_384x288", "--output", str(output)]) == 0
    spec = PoseNet(output).spec
    assert (spec.decoder, spec.input.width, spec.input.height) == ("dark", 288, 384)


@pytest.mark.parametrize("opset", ["13", "21"])
def test_the_opset_can_be_chosen(tmp_path: Path, checkpoint: Path, opset: str) -> None:
    output = tmp_path / "net.onnx"
    assert export.main([str(checkpoint), "--output", str(output), "--opset", opset, "--check"]) == 0
    assert onnx.load(output).opset_import[0].version == int(opset)


def test_half_precision(tmp_path: Path, checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "net.onnx"
    assert export.main([str(checkpoint), "--output", str(output), "--fp16", "--check"]) == 0
    assert 1e-6 < printed_difference(capsys) < 1e-2
    assert PoseNet(output).spec.name == "pose_resnet_50_256x192"


def test_eight_bits(tmp_path: Path, checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for index in range(2):
        picture = np.random.default_rng(index).integers(0, 255, (120, 90, 3), np.uint8)
        cv2.imwrite(str(folder / f"{index}.png"), picture)
    output = tmp_path / "net.onnx"
    arguments = ["--int8", "--calibration", str(folder), "--check"]
    assert export.main([str(checkpoint), "--output", str(output), *arguments]) == 0
    assert 1e-4 < printed_difference(capsys) < 1
    assert any(node.op_type == "QuantizeLinear" for node in onnx.load(output).graph.node)


def test_darknet_weights(tmp_path: Path, home: Path) -> None:
    from published_files import write_zero_weights

    path = write_zero_weights(tmp_path / "yolov3-tiny.weights", 35_434_956)
    assert export.main([str(path)]) == 0
    model = onnx.load(home / "yolov3_tiny.onnx")
    shapes = [[dim.dim_value for dim in value.type.tensor_type.shape.dim[1:]] for value in model.graph.output]
    assert shapes == [[255, 0, 0]] * 2  # height and width are free


def test_a_fixed_batch_is_set_free(tmp_path: Path) -> None:
    answers = {"heatmaps": np.zeros((1, 17, 64, 48))}
    path = constant_answers(tmp_path / "fixed.onnx", answers, spec=None, wh=(192, 256), batch=1)
    output = tmp_path / "free.onnx"
    arguments = ["--model", "pose_resnet_50_256x192_ailia", "--output", str(output), "--check"]
    assert export.main([str(path), *arguments]) == 0
    net = PoseNet(output)
    assert net.spec.name == "pose_resnet_50_256x192_ailia"
    assert onnx.load(output).graph.input[0].type.tensor_type.shape.dim[0].dim_param == "N"


def test_a_download_is_not_overwritten_by_its_export(home: Path) -> None:
    home.mkdir()
    constant_answers(home / "yolox_s.onnx", {"output": np.zeros((1, 1, 1))}, spec=None)
    with pytest.raises(SettingsError, match="give --output"):
        export.main(["yolox_s"])


def test_a_row_that_is_not_here_says_how_to_get_it() -> None:
    with pytest.raises(ModelError, match="get it with: pose_resnet_ros models fetch yolov3_tiny"):
        export.main(["yolov3_tiny"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--int8"], "--int8 needs --calibration IMAGES, and only --int8 does"),
        (["--calibration", "."], "--int8 needs --calibration IMAGES, and only --int8 does"),
        (["--fp16", "--int8", "--calibration", "."], "--fp16 and --int8: expected one of them, got both"),
    ],
)
def test_options_that_do_not_go_together(arguments: list[str], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        export.main(["net.pth", *arguments])


def test_without_the_extra_the_cure_is_told(tmp_path: Path, checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("pose_resnet_ros.export")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ModelError, match=r"export needs onnx, which is not installed; pip install onnx"):
        export.main([str(checkpoint), "--output", str(tmp_path / "net.onnx")])


def test_a_failed_export_leaves_the_old_file(tmp_path: Path, checkpoint: Path) -> None:
    output = tmp_path / "net.onnx"
    assert export.main([str(checkpoint), "--output", str(output)]) == 0
    before = output.read_bytes()
    checkpoint.write_bytes(checkpoint.read_bytes()[:1000])
    with pytest.raises(ModelError, match="damaged or not a PyTorch checkpoint"):
        export.main([str(checkpoint), "--output", str(output)])
    assert output.read_bytes() == before


def pictures(folder: Path) -> Path:
    folder.mkdir()
    for index in range(2):
        picture = np.random.default_rng(index).integers(0, 255, (120, 90, 3), np.uint8)
        cv2.imwrite(str(folder / f"{index}.png"), picture)
    return folder


def test_a_bundled_model_in_8_bits_is_found_by_its_precision(
    tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = pictures(tmp_path / "pictures")
    assert export.main(["pose_resnet_lite", "--int8", "--calibration", str(folder)]) == 0
    assert "precision:=int8" in capsys.readouterr().out
    assert (home / "pose_resnet_lite.int8.onnx").is_file()
    # One's own comes before the one that is part of the package.
    assert of_precision(find_model("pose_resnet_lite"), "int8").path == home / "pose_resnet_lite.int8.onnx"
    small, full = PoseNet("pose_resnet_lite", precision="int8"), PoseNet("pose_resnet_lite")
    made_from = hashlib.sha256((WEIGHTS_FOLDER / "pose_resnet_lite.onnx").read_bytes()).hexdigest()
    facts = {"precision": "int8", "weight_bits": "7", "made_from_sha256": made_from}
    assert small.spec.provenance == {**full.spec.provenance, **facts}
    with pytest.raises(ModelError, match=r"was exported as int8; expected fp32"):
        PoseNet("pose_resnet_lite.int8", precision="fp32")


def test_a_detector_in_8_bits_is_found_by_its_precision(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = pictures(tmp_path / "pictures")
    assert export.main(["person_lite", "--int8", "--calibration", str(folder)]) == 0
    assert "detector_precision:=int8" in capsys.readouterr().out
    assert PersonDetector("person_lite", precision="int8").spec.provenance["precision"] == "int8"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["none.onnx", "--fp16"], "there is neither a file none.onnx nor a model of that name"),
        (["none"], "there is neither a file none nor a model of that name"),
        (["person_lite", "--output", "."], "output: expected the name of a file to write, got the folder"),
        (["person_lite", "--output", "/proc/none/x.onnx"], "output: cannot make the folder /proc/none"),
    ],
)
def test_what_cannot_be_read_or_written_is_said_first(arguments: list[str], said: str) -> None:
    with pytest.raises((ModelError, SettingsError), match=said):
        export.main(arguments)


@pytest.mark.parametrize("link", [Path.symlink_to, Path.hardlink_to], ids=["symbolic", "hard"])
def test_inputs_are_never_written_over(
    tmp_path: Path, link: Callable[[Path, Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    model, picture = pose_net(tmp_path / "net.onnx"), tmp_path / "pictures" / "a.png"
    picture.parent.mkdir()
    cv2.imwrite(str(picture), np.zeros((8, 8, 3), np.uint8))
    for source in (model, picture):
        before, output = source.read_bytes(), tmp_path / f"{source.stem}_link.onnx"
        link(output, source)
        given = ["--int8", "--calibration", str(picture.parent), "--output", str(output)]
        assert cli.main(["export", str(model), *given]) == 1
        assert f"output: {output} is the input" in capsys.readouterr().err
        assert (source.read_bytes(), output.read_bytes()) == (before, before)


def test_a_precision_that_nobody_exported_is_told_with_the_command() -> None:
    with pytest.raises(ModelError, match=r"make it with: .* export pose_resnet_lite --fp16"):
        PoseNet("pose_resnet_lite", precision="fp16")


def test_an_onnx_file_that_describes_itself_needs_no_row(tmp_path: Path, checkpoint: Path, home: Path) -> None:
    full = tmp_path / "mine.onnx"
    assert export.main([str(checkpoint), "--output", str(full)]) == 0
    assert export.main([str(full), "--fp16"]) == 0
    assert PoseNet(full, precision="fp16").spec.provenance["precision"] == "fp16"
    with pytest.raises(SettingsError, match=r"'mine.onnx' is already an ONNX file"):
        export.main([str(full)])


def test_another_precision_of_other_weights_is_not_taken(tmp_path: Path, home: Path) -> None:
    path = pose_net(tmp_path / "mine.onnx", score=0.5)
    assert export.main([str(path), "--fp16"]) == 0
    assert PoseNet(path, precision="fp16").spec.provenance["precision"] == "fp16"
    pose_net(path, score=0.6)
    with pytest.raises(ModelError, match=r"made from another mine.onnx .* export .*mine.onnx --fp16"):
        PoseNet(path, precision="fp16")


def test_an_onnx_file_that_says_nothing_is_not_guessed(tmp_path: Path) -> None:
    path = constant_answers(tmp_path / "mute.onnx", {"heatmaps": np.zeros((1, 17, 64, 48))}, spec=None, wh=(192, 256))
    with pytest.raises(ModelError, match="does not describe itself"):
        export.main([str(path), "--output", str(tmp_path / "out.onnx")])


def test_split_convolutions_are_an_option(tmp_path: Path, checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "net.onnx"
    assert export.main([str(checkpoint), "--output", str(output), "--split", "--check"]) == 0
    assert printed_difference(capsys) < 1e-5
    assert "ConvTranspose" not in {node.op_type for node in onnx.load(output).graph.node}
