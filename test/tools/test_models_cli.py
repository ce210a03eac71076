# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from known_models import POSE_SPEC, constant_answers, pose_net
from torch_files import architecture, saved, seeded_state, write_file

from pose_resnet_ros.core.errors import DownloadError, ModelError, SettingsError
from pose_resnet_ros.models.detector import PersonDetector
from pose_resnet_ros.models.model_folder import LOCK_FILE
from pose_resnet_ros.models.pose_net import PoseNet
from pose_resnet_ros.models.registry import TABLE, find_model
from pose_resnet_ros.models.spec import METADATA_KEY, PRECISION, WEIGHT_BITS, spec_from_json
from pose_resnet_ros.tools import cli
from pose_resnet_ros.tools.models import verbs


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("POSE_RESNET_ROS_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def yolox_file(path: Path, *, side: int = 640) -> Path:
    """A detector with YOLOX's input and output and no description."""
    cells = sum((side // stride) ** 2 for stride in (8, 16, 32))
    return constant_answers(path, {"output": np.zeros((1, cells, 85))}, spec=None, wh=(side, side))


def state_of(name: str, capsys: pytest.CaptureFixture[str]) -> str:
    verbs.main(["info", name])
    lines = capsys.readouterr().out.splitlines()
    return next(line.split()[1] for line in lines if line.startswith("state:"))


def test_the_list_has_every_row_and_the_folder(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verbs.main(["list"]) == 0
    printed = capsys.readouterr().out
    assert all(row.name in printed for row in TABLE)
    assert f"model folder: {home}" in printed


def test_the_list_of_one_kind(capsys: pytest.CaptureFixture[str]) -> None:
    assert verbs.main(["list", "--kind", "detector"]) == 0
    printed = capsys.readouterr().out
    assert "yolov3_tiny" in printed
    assert "pose_resnet_50" not in printed


def test_info_tells_what_a_user_must_know(capsys: pytest.CaptureFixture[str]) -> None:
    assert verbs.main(["info", "pose_resnet_152_384x288"]) == 0
    printed = capsys.readouterr().out
    for words in (
        "research purpose",
        "288x384 (width x height), BGR",
        "AP 0.743",
        "drive.google.com",
        "the first download is recorded",
        "decoder:       microsoft",
    ):
        assert words in printed


def facts(name: object, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    assert verbs.main(["info", str(name)]) == 0
    lines = capsys.readouterr().out.splitlines()
    return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}


def test_info_says_which_sizes_are_free(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert facts("person_lite", capsys)["sizes"] == "width free, height free, batch free"
    assert facts("pose_resnet_lite", capsys)["sizes"] == "width fixed (160), height fixed (192), batch free"
    assert facts("yolox_m", capsys)["sizes"] == "known once the file is on this machine"
    home.mkdir()
    constant_answers(home / "yolox_m.onnx", {"output": np.zeros((1, 8400, 85))}, spec=None, wh=(640, 640), batch=1)
    found = facts("yolox_m", capsys)
    assert (found["state"], found["sizes"]) == ("ready", "width fixed (640), height fixed (640), batch fixed (1)")
    assert found["inputs"] == "'input' (1, 3, 640, 640) tensor(float)"
    (home / "yolox_m.onnx").write_bytes(b"\x08 damaged")
    assert "is not an ONNX model" in facts("yolox_m", capsys)["unusable"]


def test_info_of_a_file_of_your_own(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = pose_net(tmp_path / "my nét.onnx", batch=1)
    expected = {"name": "known_pose", "kind": "pose", "decoder": "microsoft", "skeleton": "coco17"}
    expected["sizes"] = "width fixed (192), height fixed (256), batch fixed (1)"
    assert facts(path, capsys).items() >= expected.items()
    assert verbs.main(["add", str(path), "--name", "mine"]) == 0
    capsys.readouterr()
    assert facts("mine", capsys).items() >= expected.items()
    bare = facts(yolox_file(tmp_path / "bare.onnx"), capsys)
    assert bare["sizes"] == "width fixed (640), height fixed (640), batch free"
    assert "does not say what input it expects" in bare["unusable"]


@pytest.mark.parametrize(
    ("provenance", "text"),
    [
        ({PRECISION: "int8", WEIGHT_BITS: "7"}, "int8, 7-bit weights"),
        ({PRECISION: "int8"}, "int8, 8-bit weights: slower on x86 without VNNI than a new export"),
        ({PRECISION: "fp16"}, "fp16"),
        ({}, None),
    ],
)
def test_info_of_an_exported_file_tells_its_precision(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], provenance: dict[str, str], text: str | None
) -> None:
    path = pose_net(tmp_path / "net.onnx", spec=replace(POSE_SPEC, provenance=provenance))
    assert facts(path, capsys).get("precision") == text


def test_an_unknown_name_says_what_is_like_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["models", "info", "yolov9"]) == 1
    printed = capsys.readouterr().err
    assert "there is no model named 'yolov9'" in printed
    assert "did you mean yolov3" in printed


def test_a_row_for_hands_prints_its_page_and_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["models", "fetch", "pose_resnet_101_384x288"]) == 1
    printed = capsys.readouterr().err
    assert "https://drive.google.com/drive/folders/13_wJ6nC7my1KKouMkQMqyr9r1ZnLnukP" in printed
    assert "models add pose_resnet_101_384x288.pth.tar --as pose_resnet_101_384x288" in printed


def test_the_path_of_an_absent_model_says_how_to_get_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["models", "path", "yolox_s"]) == 1
    assert "get it with: pose_resnet_ros models fetch yolox_s" in capsys.readouterr().err


def test_bundled_models_need_no_fetching(capsys: pytest.CaptureFixture[str]) -> None:
    assert verbs.main(["fetch", "person_lite"]) == 0
    assert "person_lite: bundled, " in capsys.readouterr().out
    assert verbs.main(["verify", "person_lite"]) == 0


def test_fetching_again_does_nothing_and_a_damaged_file_is_replaced(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "usb"
    folder.mkdir()
    yolox_file(folder / "yolox_m.onnx")
    fetch = ["fetch", "yolox_m", "--from", str(folder)]
    assert verbs.main(fetch) == 0
    assert "no published checksum" in capsys.readouterr().out
    assert verbs.main(["fetch", "yolox_m"]) == 0
    assert capsys.readouterr().out == f"yolox_m: ready, {home / 'yolox_m.onnx'}\n"

    (home / "yolox_m.onnx").write_bytes(b"\x08 damaged")
    assert verbs.main(["verify"]) == 1
    assert "yolox_m: BAD: yolox_m.onnx: wrong digest" in capsys.readouterr().out
    assert verbs.main(fetch) == 0
    assert "fetching it again" in capsys.readouterr().out
    assert verbs.main(["verify", "yolox_m"]) == 0
    assert state_of("yolox_m", capsys) == "ready"


def test_verify_passes_over_what_is_not_here(capsys: pytest.CaptureFixture[str]) -> None:
    assert verbs.main(["verify"]) == 0
    assert verbs.main(["verify", "yolox_s"]) == 0
    assert "yolox_s: not on this machine" in capsys.readouterr().out


def test_a_checkpoint_becomes_a_model_without_torch(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    state = seeded_state(architecture(50, width=4, deconv_channels=(8, 8, 8)))
    path = write_file(tmp_path / "pose_resnet_50_256x192.pth.tar", saved(state), legacy=True)
    assert verbs.main(["add", str(path)]) == 0
    assert state_of("pose_resnet_50_256x192", capsys) == "ready"
    assert PoseNet("pose_resnet_50_256x192").spec.input.width == 192


def test_a_damaged_checkpoint_is_kept_and_the_next_command_told(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pose_resnet_50_256x192.pth.tar").write_bytes(b"\x80 a pickle")
    assert cli.main(["models", "add", str(tmp_path / "pose_resnet_50_256x192.pth.tar")]) == 1
    assert "damaged or not a PyTorch checkpoint" in capsys.readouterr().err


def test_a_file_of_a_row_under_another_name(home: Path, tmp_path: Path) -> None:
    path = yolox_file(tmp_path / "download (1).onnx")
    assert verbs.main(["add", str(path), "--as", "yolox_x"]) == 0
    assert find_model("yolox_x").path == home / "yolox_x.onnx"


def test_a_file_that_is_not_the_row_s_is_refused(tmp_path: Path) -> None:
    path = yolox_file(tmp_path / "yolox_s.onnx")
    with pytest.raises(DownloadError, match="expected 35858002 bytes"):
        verbs.main(["add", str(path)])


def test_a_described_file_is_added_under_its_own_name(home: Path, tmp_path: Path) -> None:
    path = pose_net(tmp_path / "mine.onnx")
    assert verbs.main(["add", str(path)]) == 0
    assert PoseNet("mine").spec == POSE_SPEC
    assert "mine.onnx" in json.loads((home / "digests.json").read_text())
    assert verbs.main(["verify"]) == 0
    (home / "mine.onnx").write_bytes(b"changed")
    assert verbs.main(["verify", "mine"]) == 1


def test_a_file_without_description_is_told_from_a_row_like_it(home: Path, tmp_path: Path) -> None:
    path = yolox_file(tmp_path / "mine.onnx", side=320)
    with pytest.raises(ModelError, match=r"does not contain a description .*: name a row .* with --like ROW"):
        verbs.main(["add", str(path)])
    assert verbs.main(["add", str(path), "--like", "yolox_s", "--name", "my_yolox"]) == 0
    properties = {entry.key: entry.value for entry in onnx.load(home / "my_yolox.onnx").metadata_props}
    spec = spec_from_json(properties[METADATA_KEY])
    assert (spec.name, spec.input.width, spec.input.height) == ("my_yolox", 320, 320)
    assert spec.decoder == "yolox"  # type: ignore[union-attr]
    assert spec.provenance == {"described_like": "yolox_s", "file": "mine.onnx"}


@pytest.mark.parametrize(("classes", "person"), [(1, 0), (3, 2)])
def test_a_detector_of_other_classes(home: Path, tmp_path: Path, classes: int, person: int) -> None:
    """The usual case of one's own training; the cell in the middle of the coarsest grid is sure of the last class."""
    rows = np.zeros((1, 21 * 4 * 4, 5 + classes))
    rows[0, -6, 4] = rows[0, -6, 5 + person] = 0.9
    path = constant_answers(tmp_path / "own.onnx", {"output": rows}, spec=None, wh=(128, 128))
    arguments = ["add", str(path), "--like", "yolox_s", "--person-class"]
    with pytest.raises(ModelError, match=rf"own\.onnx has {classes} classes; expected one from 0"):
        verbs.main([*arguments, "80"])
    assert verbs.main([*arguments, str(person)]) == 0
    found = PersonDetector("own").detect(np.zeros((128, 128, 3), np.uint8), detection_threshold=0.5, nms_threshold=0.5)
    np.testing.assert_allclose(found.boxes_xyxy, [[48, 48, 80, 80]])  # cell (2, 2) of 32 pixels, its corner at (64, 64)


def test_a_file_that_does_not_run_as_described_is_not_added(home: Path, tmp_path: Path) -> None:
    path = constant_answers(tmp_path / "other.onnx", {"output": np.zeros((1, 7, 85))}, spec=None, wh=(640, 640))
    with pytest.raises(ModelError, match=rf"{path}: the file does not fit its description: yolox: expected output rows"):
        verbs.main(["add", str(path), "--like", "yolox_s"])
    assert [path for path in home.iterdir() if path.name != LOCK_FILE] == []


def test_a_file_in_the_model_folder_is_not_described_in_its_place(home: Path) -> None:
    home.mkdir(exist_ok=True)
    path = pose_net(home / "mine.onnx")
    before = path.read_bytes()
    with pytest.raises(SettingsError, match=r"name: .*mine\.onnx is the input .*would be overwritten"):
        verbs.main(["add", str(path), "--like", "pose_resnet_50_256x192"])
    assert path.read_bytes() == before


@pytest.mark.parametrize("like", [[], ["--like", "pose_resnet_50_256x192"]], ids=["described", "like a row"])
def test_weights_in_another_file_are_taken_along(home: Path, tmp_path: Path, like: list[str]) -> None:
    model = onnx.load(pose_net(tmp_path / "whole.onnx"))
    path = tmp_path / "mine.onnx"
    onnx.save(model, path, save_as_external_data=True, location="mine.onnx.data")
    assert verbs.main(["add", str(path), *like]) == 0
    (tmp_path / "mine.onnx.data").unlink()
    assert PoseNet("mine").spec.name == ("mine" if like else POSE_SPEC.name)
    with pytest.raises(ModelError, match="its weights are in another file, which must be in the same folder"):
        PoseNet(path)


def test_a_path_is_no_name(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="would be a path; choose another with --name"):
        verbs.main(["add", str(pose_net(tmp_path / "mine.onnx")), "--name", "robots/mine"])


def test_names_of_the_table_are_not_given_away(tmp_path: Path) -> None:
    path = pose_net(tmp_path / "mine.onnx")
    with pytest.raises(ModelError, match="'yolox_s' is a name of the model table"):
        verbs.main(["add", str(path), "--name", "yolox_s"])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("mine.onnx", b"not a model", "is not an ONNX model"),
        ("mine.pth", b"\x80", "becomes ONNX with: pose_resnet_ros export FILE --model ROW"),
    ],
)
def test_what_cannot_be_added_says_why(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelError, match=message):
        verbs.main(["add", str(tmp_path / name)])


def test_an_absent_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such file"):
        verbs.main(["add", str(tmp_path / "mine.onnx")])
