# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from pose_resnet_ros import __version__
from pose_resnet_ros.core.errors import ModelError
from pose_resnet_ros.settings import Settings
from pose_resnet_ros.tools import cli
from pose_resnet_ros.tools.options import add_options

ROOT = Path(__file__).resolve().parents[2]


def test_help_lists_every_tool(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    assert cli.main([]) == 0
    text = capsys.readouterr().out
    assert all(f"  {name} " in text for name in cli.TOOLS)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"{__version__}\n"


def test_an_unknown_tool_is_told_which_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["predcit"]) == 2
    said = capsys.readouterr().err
    assert "unknown command 'predcit'" in said
    assert "predict" in said


@pytest.mark.parametrize("name", cli.TOOLS)
def test_every_tool_is_a_module(name: str) -> None:
    assert find_spec(cli.TOOLS[name].module) is not None


def test_an_error_is_one_line_and_exit_code_1(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def failing(_: list[str]) -> int:
        raise ModelError("no such model")

    monkeypatch.setattr("pose_resnet_ros.tools.predict.predict.main", failing)
    assert cli.main(["predict", "x.jpg"]) == 1
    assert capsys.readouterr().err == "pose_resnet_ros predict: no such model\n"


@pytest.mark.parametrize("tool", ["predict", "pose_node", "image_source"])
def test_ctrl_c_while_it_still_imports_is_silent(tool: str, tmp_path: Path) -> None:
    if cli.TOOLS[tool].needs_ros:
        pytest.importorskip("rclpy")
    slow = tmp_path / "numpy"  # stands for a disk that is slow
    slow.mkdir()
    (slow / "__init__.py").write_text("import time\nprint('importing', flush=True)\ntime.sleep(60)\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "pose_resnet_ros", tool],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "importing\n"
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=300)
    assert (process.returncode, output) == (-signal.SIGINT, "")


def test_what_the_system_refuses_of_a_file_is_one_line_too(capsys: pytest.CaptureFixture[str]) -> None:
    name = "x" * 300 + ".weights"
    assert cli.main(["export", name]) == 1
    assert capsys.readouterr().err == f"pose_resnet_ros export: {name}: File name too long\n"


def test_listing_the_tools_imports_none_of_them() -> None:
    code = (
        "import sys; from pose_resnet_ros.tools.cli import main; main(['--help']);"
        " print([m for m in ('cv2', 'numpy', 'onnxruntime', 'rclpy', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=300)
    assert done.stdout.splitlines()[-1] == "[]"


def test_options_of_the_command_line_are_those_of_the_table() -> None:
    parser = argparse.ArgumentParser()
    add_options(parser, Settings.settings())
    assert vars(parser.parse_args([])) == Settings().values()
    given = vars(parser.parse_args(["--flip-test", "--no-draw-boxes", "--max-persons", "3", "--tracking.max-age-ms", "5"]))
    assert (given["flip_test"], given["draw_boxes"], given["max_persons"]) == (True, False, 3)
    assert given["tracking.max_age_ms"] == 5.0


@pytest.mark.parametrize(
    ("unbuffered", "words"),
    [
        ("", ["models", "list"]),
        ("1", ["models", "list"]),
        ("", ["models", "--help"]),  # argparse prints and raises SystemExit
        ("", ["--help"]),
        ("", ["no_such_tool"]),
    ],
)
def test_a_closed_pipe_ends_a_tool_quietly(unbuffered: str, words: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)  # as after `| head -0`
    both = "no_such_tool" in words  # it speaks on stderr: `2>&1 | head`
    done = subprocess.run(
        [sys.executable, "-m", "pose_resnet_ros", *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        stdout=writing,
        stderr=writing if both else subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing)
    assert done.returncode == 141
    assert not done.stderr


def test_another_broken_pipe_is_no_quiet_end(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(_: list[str]) -> int:
        raise BrokenPipeError("a worker has gone")

    monkeypatch.setattr("pose_resnet_ros.tools.predict.predict.main", failing)
    with open(os.devnull, "w") as null:
        monkeypatch.setattr(sys, "stdout", null)
        monkeypatch.setattr(sys, "stderr", null)
        with pytest.raises(BrokenPipeError):
            cli.main(["predict", "x.jpg"])
