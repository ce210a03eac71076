# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import known_models
import onnx
import pytest
from file_server import serve, trust

from pose_resnet_ros.core.errors import DownloadError, ModelError
from pose_resnet_ros.models import backends, loading, registry
from pose_resnet_ros.models.registry import WEIGHTS_FOLDER
from pose_resnet_ros.models.runtime import RunOn
from pose_resnet_ros.models.spec import DetectorSpec, ModelEntry
from pose_resnet_ros.pipeline import load_pipeline


@pytest.fixture
def address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A server with one model of the table; its row carries the description, the file does not."""
    monkeypatch.setenv("POSE_RESNET_ROS_HOME", str(tmp_path / "home"))
    trust(monkeypatch, tmp_path)
    served = tmp_path / "served"
    served.mkdir()
    answers = {"heatmaps": known_models.heatmaps_with_peaks(known_models.PEAKS_XY)}
    known_models.constant_answers(served / "net.onnx", answers, spec=None, wh=(192, 256))
    with serve(served) as address:
        row = ModelEntry(
            name="net",
            kind="pose",
            file="net.onnx",
            source="",
            licence="",
            data="",
            spec=known_models.POSE_SPEC,
            urls=(f"{address}/net.onnx",),
        )
        monkeypatch.setattr(registry, "TABLE", (row,))
        yield address


@pytest.mark.usefixtures("address")
def test_an_absent_model_is_fetched_only_when_it_is_allowed() -> None:
    with pytest.raises(ModelError, match=r"'net' is not on this machine .*models fetch net"):
        load_pipeline(pose_model="net", detector_model="full_frame")
    with load_pipeline(pose_model="net", detector_model="full_frame", allow_download=True) as pipeline:
        assert pipeline.pose_net.spec == known_models.POSE_SPEC
    with load_pipeline(pose_model="net", detector_model="full_frame") as pipeline:  # it is here now
        assert pipeline.pose_net.spec == known_models.POSE_SPEC


def test_a_download_that_fails_says_so(address: str, tmp_path: Path) -> None:
    (tmp_path / "served" / "net.onnx").unlink()
    with pytest.raises(DownloadError, match=f"{address}/net.onnx") as caught:
        load_pipeline(pose_model="net", detector_model="full_frame", allow_download=True)
    assert "models fetch net --from FOLDER" in str(caught.value)


def test_the_description_in_the_file_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSE_RESNET_ROS_HOME", str(tmp_path))
    known_models.pose_net(tmp_path / "net.onnx")
    other = ModelEntry("net", "pose", "net.onnx", source="", licence="", data="", spec=known_models.DETECTOR_SPEC)
    monkeypatch.setattr(registry, "TABLE", (other,))
    with load_pipeline(pose_model="net", detector_model="full_frame") as pipeline:
        assert pipeline.pose_net.spec == known_models.POSE_SPEC


@pytest.mark.parametrize("path", sorted(WEIGHTS_FOLDER.glob("*.int8.onnx")), ids=lambda path: path.name)
def test_what_comes_along_in_8_bits_has_the_weights_that_come_along(path: Path) -> None:
    facts = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    original = path.with_name(path.name.replace(".int8", ""))
    made_from = json.loads(facts["pose_resnet_ros"])["provenance"]["made_from_sha256"]
    assert made_from == hashlib.sha256(original.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("fast", "precision", "file"),
    [
        (True, "auto", "person_lite.int8.onnx"),
        (False, "auto", "person_lite.onnx"),
        (True, "fp32", "person_lite.onnx"),
        (False, "int8", "person_lite.int8.onnx"),
    ],
)
@pytest.mark.parametrize("backend", ["cpu", "auto"])
def test_bundled_models_run_in_8_bits_where_the_cpu_is_fast_at_that(
    monkeypatch: pytest.MonkeyPatch, backend: str, fast: bool, precision: str, file: str
) -> None:
    monkeypatch.setattr(loading, "is_fast_at_int8", lambda: fast)
    monkeypatch.setattr(backends.ort, "get_available_providers", lambda: ["CPUExecutionProvider"])
    model, _ = loading.open_model("person_lite", spec_type=DetectorSpec, run_on=RunOn(backend=backend), precision=precision)
    assert model.path == WEIGHTS_FOLDER / file
    assert model.selected_provider.provider == "CPUExecutionProvider"


def test_auto_takes_other_models_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "is_fast_at_int8", lambda: True)
    for name in ("person_lite.onnx", "person_lite.int8.onnx"):
        (tmp_path / name).write_bytes((WEIGHTS_FOLDER / name).read_bytes())
    model, _ = loading.open_model(tmp_path / "person_lite.onnx", spec_type=DetectorSpec, run_on=RunOn(backend="cpu"))
    assert model.path == tmp_path / "person_lite.onnx"
