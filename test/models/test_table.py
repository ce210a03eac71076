# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Every row of the model table, walked: fetched from a server of the test's own, checked, exported, described and run.

The files are stand-ins with the published layout (key names, sizes, inputs and outputs), since no URL can be opened here; so
the digests and sizes of the rows are replaced by theirs.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import onnx
import pytest
from file_server import serve, trust
from known_models import constant_answers, rtdetr
from onnx import TensorProto, helper
from published_files import write_zero_weights
from torch_files import architecture, saved, seeded_state, write_file

from pose_resnet_ros.core import crops, detector_heads, heatmaps, letterbox
from pose_resnet_ros.core.skeletons import skeleton_named
from pose_resnet_ros.core.types import Detections
from pose_resnet_ros.export.darknet import ARCHITECTURES, darknet_graph, read_weights
from pose_resnet_ros.export.onnx_file import giga_multiply_adds
from pose_resnet_ros.export.pose_resnet import pose_graph
from pose_resnet_ros.models import registry
from pose_resnet_ros.models.detector import PersonDetector
from pose_resnet_ros.models.model_folder import digest_of
from pose_resnet_ros.models.pose_net import PoseNet
from pose_resnet_ros.models.registry import TABLE
from pose_resnet_ros.models.runtime import OnnxModel
from pose_resnet_ros.models.spec import DetectorSpec, Digest, ModelEntry, PoseSpec, spec_from_json, spec_to_json
from pose_resnet_ros.tools.models import verbs as models_tool

PUBLISHED = [row for row in TABLE if not row.bundled]
each_published_row = pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: row.name)
IMAGE = np.full((48, 64, 3), 90, np.uint8)
# 248 MB, and seconds for one run: not sent and not run here. yolov3_tiny takes the same ways.
LARGE = ("yolov3",)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("served")


@pytest.fixture(scope="module")
def server(served: Path) -> Iterator[str]:
    with serve(served) as address:
        yield address


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("POSE_RESNET_ROS_HOME", str(tmp_path / "home"))
    trust(monkeypatch, tmp_path)
    return tmp_path / "home"


@each_published_row
def test_a_row_from_the_server_to_its_first_person(
    row: ModelEntry, served: Path, server: str, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = served / row.published_file
    if not file.exists():
        write_stand_in(file, row)
    digest = digest_of(file, row.digest.algorithm)[: len(row.digest.hex_digits)] if row.digest else ""
    stand_in = replace(
        row,
        urls=(f"{server}/{file.name}",),
        size=file.stat().st_size,
        digest=Digest(row.digest.algorithm, digest) if row.digest else None,
    )
    table = tuple(stand_in if other is row else other for other in TABLE)
    monkeypatch.setattr(registry, "TABLE", table)

    source = ["--from", str(served)] if row.name in LARGE else []
    assert models_tool.main(["fetch", row.name, *source]) == 0
    assert models_tool.main(["verify", row.name]) == 0
    assert models_tool.main(["info", row.name]) == 0
    assert models_tool.main(["path", row.name]) == 0
    printed = capsys.readouterr().out
    assert re.search(r"^state: +ready$", printed, re.MULTILINE)
    assert printed.splitlines()[-1] == str(home / row.file)
    assert ("will verify against it from now on" in printed) == (row.digest is None)
    if row.name not in LARGE:
        check_that_it_runs(row)


def check_that_it_runs(row: ModelEntry) -> None:
    if row.kind == "pose":
        net = PoseNet(row.name)
        person = Detections(np.array([[10, 5, 40, 45]], np.float32), np.ones(1, np.float32))
        people = net.estimate(IMAGE, person).people
        assert isinstance(row.spec, PoseSpec)
        assert people.keypoints_xy.shape == (1, len(skeleton_named(row.spec.skeleton)), 2)
        assert replace(net.spec, provenance={}) == row.spec
    else:
        detector = PersonDetector(row.name)
        detector.detect(IMAGE, detection_threshold=0.4, nms_threshold=0.45)
        assert replace(detector.spec, provenance={}) == row.spec


def write_stand_in(path: Path, row: ModelEntry) -> None:
    if path.suffix == ".weights":
        assert row.size is not None
        write_zero_weights(path, row.size)
    elif row.checkpoint:
        write_small_pose_resnet(path, row)
    elif row.zip_member:
        write_onnx(path.with_suffix(".onnx"), row)
        with zipfile.ZipFile(path, "w") as archive:
            archive.write(path.with_suffix(".onnx"), f"20230504/{row.zip_member}")
    else:
        write_onnx(path, row)


def write_small_pose_resnet(path: Path, row: ModelEntry) -> None:
    """The row's depth and joints with a sixteenth of its channels; the full widths are in test_without_torch.py."""
    depth = int(re.search(r"(50|101|152)", row.name)[0])  # type: ignore[index]
    assert isinstance(row.spec, PoseSpec)
    joints = len(skeleton_named(row.spec.skeleton))
    state = seeded_state(architecture(depth, width=4, deconv_channels=(8, 8, 8), joint_count=joints))
    if "microsoft" in row.source:
        write_file(path, saved(state), legacy=True)
        return
    head = "head" if "td-hm" in row.checkpoint else "keypoint_head"
    names = {name: head if name.startswith(("deconv", "final")) else "backbone" for name in state}
    weights = saved({f"{names[name]}.{name}": values for name, values in state.items()})
    write_file(path, weights, legacy=True, outer=lambda op: {"meta": {"epoch": 210}, "state_dict": op})


@pytest.mark.parametrize(("name", "depth"), [("pose_resnet_50_256x192", 50), ("mmpose_res152_dark_384x288", 152)])
def test_costs_of_pose_networks_are_counted(tmp_path: Path, name: str, depth: int) -> None:
    row = registry.get_entry(name)
    assert row.spec is not None
    width, height = row.spec.input.width, row.spec.input.height
    state = {key: np.zeros(shape, np.float32) for key, shape in architecture(depth).shapes().items()}
    state |= {key: np.ones_like(value) for key, value in state.items() if key.endswith("running_var")}
    onnx.save(pose_graph(state, width=width, height=height), tmp_path / "net.onnx")
    counted = giga_multiply_adds(tmp_path / "net.onnx", width=width, height=height)
    assert row.gmac == pytest.approx(counted, rel=0.005)


@pytest.mark.parametrize(("name", "layers"), [("yolov3_tiny", "yolov3-tiny"), ("yolov3", "yolov3")])
def test_costs_of_darknet_s_detectors_are_counted(tmp_path: Path, name: str, layers: str) -> None:
    row = registry.get_entry(name)
    assert row.size is not None
    weights = write_zero_weights(tmp_path / "net.weights", row.size)
    network = ARCHITECTURES[layers]  # type: ignore[index]
    onnx.save(darknet_graph(network, read_weights(weights, network)), tmp_path / "net.onnx")
    assert row.gmac == pytest.approx(giga_multiply_adds(tmp_path / "net.onnx", width=416, height=416), rel=0.005)


def write_onnx(path: Path, row: ModelEntry) -> None:
    spec = row.spec
    assert spec is not None
    if spec.decoder == "rtdetr":
        rtdetr(path, side=spec.input.width)
        return
    answers = {name: np.zeros(shape, np.float32) for name, shape in output_shapes(row).items()}
    constant_answers(path, answers, spec=None, wh=(spec.input.width, spec.input.height), batch=1)
    if spec.decoder == "onnx_zoo":
        model = onnx.load(path)
        model.graph.input.append(helper.make_tensor_value_info("image_shape", TensorProto.FLOAT, (1, 2)))
        onnx.save(model, path)


def output_shapes(row: ModelEntry) -> dict[str, tuple[int, ...]]:
    spec = row.spec
    assert spec is not None
    width, height = spec.input.width, spec.input.height
    joints = len(skeleton_named(spec.skeleton)) if isinstance(spec, PoseSpec) else 0
    cells = sum((width // stride) * (height // stride) for stride in (8, 16, 32))
    shapes: dict[str, dict[str, tuple[int, ...]]] = {
        "microsoft": {"heatmaps": (1, 17, height // 4, width // 4)},
        "simcc": {"simcc_x": (1, joints, 2 * width), "simcc_y": (1, joints, 2 * height)},
        "onnx_zoo": {"boxes": (1, 9, 4), "scores": (1, 80, 9), "indices": (1, 3, 3)},
        "yolox": {"output": (1, cells, 85)},
        "yolox_nms": {"dets": (1, 4, 5)},
    }
    return shapes[spec.decoder]


@each_published_row
def test_a_row_is_complete_and_its_words_are_known(row: ModelEntry) -> None:
    assert row.source
    assert row.licence
    assert row.data
    assert row.spec is not None
    assert (row.spec.name, row.spec.kind) == (row.name, row.kind)
    if isinstance(row.spec, PoseSpec):
        assert row.spec.crop in crops.CROPS
        assert row.spec.decoder in heatmaps.DECODERS
        assert row.spec.padding == 1.25
        assert skeleton_named(row.spec.skeleton).name == row.spec.skeleton
    else:
        assert row.spec.letterbox in letterbox.LETTERBOXES
        assert row.spec.decoder in detector_heads.DECODERS
    assert spec_from_json(spec_to_json(row.spec)) == row.spec


@each_published_row
def test_a_row_says_where_its_file_is(row: ModelEntry) -> None:
    assert row.urls or row.manual_page
    assert all(urlsplit(url).scheme == "https" and url.isascii() for url in row.urls)
    assert row.manual_page is None or urlsplit(row.manual_page).scheme == "https"
    if row.digest:
        full = {"sha256": 64, "sha1": 40, "md5": 32}[row.digest.algorithm]
        assert len(row.digest.hex_digits) in (8, full)
        assert re.fullmatch(r"[0-9a-f]+", row.digest.hex_digits)


def test_no_two_rows_share_a_name_or_a_model_file() -> None:
    for names in ([row.name for row in TABLE], [row.file for row in TABLE]):
        assert len(set(names)) == len(names)


def test_input_sizes_are_those_of_the_file_names() -> None:
    """Names have height x width."""
    for row in PUBLISHED:
        size = re.search(r"(\d{3})x(\d{3})", row.published_file)
        if size and row.spec:
            assert (row.spec.input.height, row.spec.input.width) == (int(size[1]), int(size[2])), row.name


@pytest.mark.parametrize(
    ("name", "order", "decoder"),
    [
        ("pose_resnet_50_256x192", "bgr", "microsoft"),
        ("pose_resnet_50_256x192_ailia", "bgr", "microsoft"),
        ("mmpose_res101_256x192", "rgb", "mmpose"),
        ("mmpose_res50_dark_384x288", "rgb", "dark"),
        ("mmpose_res152_dark_384x288", "rgb", "dark17"),
        ("rtmpose_m_256x192", "rgb", "simcc"),
        ("yolov3_tiny", "rgb", "yolov3"),
        ("yolox_tiny", "bgr", "yolox"),
    ],
)
def test_colour_order_and_decoder_by_makers(name: str, order: str, decoder: str) -> None:
    spec = registry.get_entry(name).spec
    assert spec is not None
    assert (spec.input.channel_order, spec.decoder) == (order, decoder)


def test_yolov3_tiny_has_the_anchors_its_weights_were_trained_with() -> None:
    spec = registry.get_entry("yolov3_tiny").spec
    assert isinstance(spec, DetectorSpec)
    assert [scale.stride for scale in spec.scales] == [32, 16]
    assert spec.scales[0].anchors == ((81, 82), (135, 169), (344, 319))
    assert spec.scales[1].anchors == ((23, 27), (37, 58), (81, 82))


def test_digests_and_sizes_as_published() -> None:
    """The full ones, written out a second time."""
    table = {row.name: row for row in TABLE}
    assert table["yolov3_tiny"].size == 35_434_956
    tiny = "dccea06f59b781ec1234ddf8d1e94b9519a97f4245748a7d4db75d5b7080a42c"
    assert str(table["yolov3_tiny"].digest) == f"sha256 {tiny}"
    assert str(table["yolov3"].digest) == "sha1 520878f12e97cf820529daea502acca380f1cb8e"
    assert str(table["mmpose_res50_256x192"].digest) == "sha256 04af38ce..."
    sha256 = "427cc366d34e27ff7a03e2899b5e3671425c262ea2291f88bb942bc1cc70b0f7"
    assert table["yolox_tiny"].digest == Digest("sha256", sha256)
    assert len(sha256) == hashlib.sha256().digest_size * 2


def test_a_fixed_batch_of_one_is_run_in_several_calls(tmp_path: Path) -> None:
    row = registry.get_entry("pose_resnet_50_256x192_ailia")
    write_onnx(tmp_path / "net.onnx", row)
    model = OnnxModel(tmp_path / "net.onnx")
    assert model.fixed_batch == 1
    assert model.run(np.zeros((3, 3, 256, 192), np.float32))[0].shape == (3, 17, 64, 48)
