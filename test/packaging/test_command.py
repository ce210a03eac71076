# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The command ``pose_resnet_ros``: pip makes it from the entry point, CMake installs it into a colcon workspace."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pose_resnet_ros import __version__

ROOT = Path(__file__).resolve().parents[2]


def run(command, *arguments, **given):
    return subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=300, **given)


def check_tools(command, **given):
    assert run(command, "--version", **given).stdout == f"{__version__}\n"
    done = run(command, "predict", "--help", **given)
    assert done.returncode == 0
    assert "--pose-model" in done.stdout
    assert run(command, "predcit", **given).returncode == 2


def test_the_installed_command_runs_the_tools(tmp_path):
    beside_python = Path(sys.executable).parent
    found = shutil.which("pose_resnet_ros", path=os.pathsep.join([str(beside_python), os.environ["PATH"]]))
    if found is None:
        pytest.skip("pose_resnet_ros is not installed")
    check_tools([found], cwd=tmp_path)


def test_the_script_of_a_workspace_runs_the_tools(tmp_path):
    script = ROOT / "scripts" / "pose_resnet_ros"
    assert os.access(script, os.X_OK)
    check_tools([sys.executable, script], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)})


def test_each_way_of_installing_makes_one_command():
    cmake, pip = ((ROOT / name).read_text(encoding="utf-8") for name in ("CMakeLists.txt", "setup.py"))
    assert re.search(r"if\(INSTALL_COMMAND\)\s+install\(PROGRAMS scripts/pose_resnet_ros DESTINATION bin\)", cmake)
    assert '"pose_resnet_ros = pose_resnet_ros.__main__:main"' in pip
    assert "-DINSTALL_COMMAND=OFF" in (ROOT / "build_support" / "cmake_build.py").read_text(encoding="utf-8")
