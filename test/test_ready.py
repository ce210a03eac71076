# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""From a name to a model that runs, without PyTorch: over https, in two processes at once, and stopped in the middle."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from file_server import REQUESTS, serve, trust
from published_files import write_zero_weights
from torch_files import architecture, saved, seeded_state, write_file

from pose_resnet_ros.core.errors import DownloadError, InferenceCancelled, ModelError
from pose_resnet_ros.models.download import MIRROR_VARIABLE
from pose_resnet_ros.models.model_folder import LOCK_FILE
from pose_resnet_ros.pipeline import load_pipeline

ARTICLE = ("pose_resnet_50_256x192", "yolov3_tiny")
POSE_FILE = "pose_resnet_50_256x192.pth.tar"


@pytest.fixture
def served(tmp_path: Path) -> Path:
    folder = tmp_path / "served"
    folder.mkdir()
    state = seeded_state(architecture(50, width=4, deconv_channels=(8, 8, 8)))
    write_file(folder / POSE_FILE, saved(state), legacy=True)
    return folder


@pytest.fixture
def home(tmp_path: Path, served: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A machine without torch, whose mirror is a server of the test's own."""
    monkeypatch.setenv("POSE_RESNET_ROS_HOME", str(tmp_path / "home"))
    monkeypatch.setitem(sys.modules, "torch", None)
    trust(monkeypatch, tmp_path)
    REQUESTS.clear()
    with serve(served) as address:
        monkeypatch.setenv(MIRROR_VARIABLE, f"{address}/ranges")
        yield tmp_path / "home"


def files_in(home: Path) -> set[str]:
    return {path.name for path in home.iterdir()} - {LOCK_FILE} if home.exists() else set()


def test_a_checkpoint_is_fetched_converted_and_run(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    with (
        caplog.at_level(logging.INFO),
        load_pipeline(pose_model=ARTICLE[0], detector_model="full_frame", allow_download=True) as pipeline,
    ):
        assert pipeline.pose_net.spec.name == ARTICLE[0]
    assert files_in(home) == {POSE_FILE, f"{ARTICLE[0]}.onnx", "digests.json"}
    for words in ("fetching pose_resnet_50_256x192: ", "(100 %)", "recorded this one", "converted from"):
        assert words in caplog.text
    load_pipeline(pose_model=ARTICLE[0], detector_model="full_frame", allow_download=True).close()
    assert len(REQUESTS) == 1


def test_both_missing_models_are_named_at_once(home: Path) -> None:
    with pytest.raises(ModelError, match="'yolov3_tiny' and 'pose_resnet_50_256x192' are not on this machine") as caught:
        load_pipeline(**dict(zip(("pose_model", "detector_model"), ARTICLE, strict=True)))
    assert "models fetch yolov3_tiny pose_resnet_50_256x192 (with allow_download" in str(caught.value)


def test_both_that_cannot_be_fetched_are_named_at_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MIRROR_VARIABLE, "http://localhost:1/")
    monkeypatch.setattr("pose_resnet_ros.ready.fetch", _refuse)
    with pytest.raises(DownloadError, match=r"no yolov3_tiny here\nno pose_resnet_50_256x192 here"):
        load_pipeline(**dict(zip(("pose_model", "detector_model"), ARTICLE, strict=True)), allow_download=True)


def _refuse(entry, **_):  # type: ignore[no-untyped-def]
    """Instead of asking addresses outside this machine."""
    raise DownloadError(f"no {entry.name} here")


def test_a_malformed_checkpoint_does_not_stay(home: Path, served: Path) -> None:
    (served / POSE_FILE).write_bytes(b"\x80\x02}q\x00.")
    with pytest.raises(ModelError, match="damaged or not a PyTorch checkpoint"):
        load_pipeline(pose_model=ARTICLE[0], detector_model="full_frame", allow_download=True)
    assert files_in(home) == {"digests.json"}
    assert json.loads((home / "digests.json").read_text()) == {}


def test_a_stop_in_the_middle_leaves_nothing(home: Path) -> None:
    asked: list[bool] = []

    def stop() -> bool:
        asked.append(True)
        return True

    with pytest.raises(InferenceCancelled, match="while 'pose_resnet_50_256x192' was being fetched"):
        load_pipeline(pose_model=ARTICLE[0], detector_model="full_frame", allow_download=True, cancelled=stop)
    assert asked
    assert files_in(home) == set()


def run_fetch(*names: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "pose_resnet_ros", "models", "fetch", *names]
    # A shell's background job passes on an ignored SIGINT.
    heeds_sigint = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)  # noqa: E731
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=heeds_sigint)


def test_ctrl_c_in_the_middle_leaves_nothing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MIRROR_VARIABLE, os.environ[MIRROR_VARIABLE].replace("ranges", "slow"))
    monkeypatch.setenv("PYTHONUNBUFFERED", "1")
    process = run_fetch(ARTICLE[0])
    assert process.stdout is not None
    assert process.stdout.readline().startswith("fetching pose_resnet_50_256x192: 0.0 of ")
    while not (home / f".{POSE_FILE}.part").exists():
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate()
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert files_in(home) == set()


def test_two_processes_that_want_the_same_model_fetch_it_once(home: Path) -> None:
    processes = [run_fetch(ARTICLE[0]) for _ in range(3)]
    ends = [(process.communicate(), process.returncode) for process in processes]
    assert [code for _, code in ends] == [0, 0, 0], ends
    assert all(f"ready, {home / ARTICLE[0]}.onnx" in printed for (printed, _), _ in ends)
    assert [(f"/ranges/{POSE_FILE}", 0)] == REQUESTS
    assert files_in(home) == {POSE_FILE, f"{ARTICLE[0]}.onnx", "digests.json"}


def test_records_of_two_processes_are_both_kept(home: Path, served: Path, tmp_path: Path) -> None:
    (served / "pose_resnet_101_256x192.pth.tar").write_bytes((served / POSE_FILE).read_bytes())
    processes = [run_fetch(ARTICLE[0]), run_fetch("pose_resnet_101_256x192")]
    assert [process.wait() for process in processes] == [0, 0]
    assert len(json.loads((home / "digests.json").read_text())) == 4


def test_a_file_of_zeros_is_not_the_published_one(home: Path, served: Path) -> None:
    write_zero_weights(served / "yolov3-tiny.weights", 35_434_956)
    done = run_fetch("yolov3_tiny", "--from", str(served))
    _, errors = done.communicate()
    assert done.returncode == 1
    assert "wrong digest" in errors
