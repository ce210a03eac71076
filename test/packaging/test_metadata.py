# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""What is written down in several files says the same everywhere."""

import ast
import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from pose_resnet_ros import __version__
from pose_resnet_ros.tools.cli import TOOLS

ROOT = Path(__file__).resolve().parents[2]
CMAKE = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
# Imported name -> rosdep key, where they differ.
ROSDEP_KEYS = {name: f"python3-{name}" for name in ("numpy", "scipy", "requests", "tqdm", "matplotlib", "yaml")}
ROSDEP_KEYS |= {"cv2": "python3-opencv", "PIL": "python3-pil", "onnxruntime": "python3-onnxruntime-pip"}
# Without a key, or wanted by single tools only: these are pip extras.
PIP_ONLY = {
    *("av", "torch", "onnx", "openvino", "pycocotools", "rosbags", "mcap", "zstandard", "ray", "rerun"),
    *("pillow_heif", "pillow_jxl", "ruamel", "lz4"),
}
# Not released for every distro, and optional.
NOT_EVERYWHERE = {"foxglove_msgs", "hri_msgs"}


def package_xml():
    return ElementTree.parse(ROOT / "package.xml").getroot()


def imported_packages():
    """Top-level names that the module and the launch files import, wherever in the file."""
    names = set()
    for path in [*ROOT.glob("pose_resnet_ros/**/*.py"), *ROOT.glob("launch/*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names.add(node.module.partition(".")[0])
    return names - set(sys.stdlib_module_names) - {"pose_resnet_ros"}


def test_package_xml_has_the_version_of_the_module():
    assert package_xml().findtext("version") == __version__


def test_setup_py_has_the_name_of_package_xml():
    assert f'name="{package_xml().findtext("name")}"' in (ROOT / "setup.py").read_text(encoding="utf-8")


def test_every_message_is_generated():
    assert re.findall(r"msg/(\w+)\.msg", CMAKE) == sorted(path.stem for path in (ROOT / "msg").glob("*.msg"))


def test_every_tool_is_a_ros2_run_executable():
    listed = re.search(r"foreach\(tool IN ITEMS ([^)]*)\)", CMAKE).group(1).split()

    assert sorted(listed) == sorted(TOOLS)


@pytest.mark.parametrize("name", sorted(imported_packages() - PIP_ONLY - NOT_EVERYWHERE))
def test_every_import_has_its_dependency_in_package_xml(name):
    declared = {element.text for element in package_xml() if element.tag.endswith("depend")}

    assert ROSDEP_KEYS.get(name, name) in declared


def test_package_xml_names_nothing_twice():
    named = [(element.tag, element.text) for element in package_xml() if element.tag.endswith("depend")]
    assert sorted(named) == sorted(set(named))


def test_the_constraints_cover_every_supported_distro():
    assert {path.stem for path in (ROOT / "constraints").glob("*.txt")} == {"humble", "jazzy", "kilted", "lyrical"}


def declared_floors():
    """Package -> the oldest version that setup.py declares of what the suite without ROS runs on."""
    source = (ROOT / "setup.py").read_text(encoding="utf-8")
    lists = re.findall(r'^(?:ONNX|BAGS|IMAGES) = \[.*\]|"cpu": \[.*\]|"test": \[[^\]]*\]|install_requires=\[.*\]', source, re.M)
    return dict(re.findall(r'"([\w-]+)>=([\d.]+)', "".join(lists)))


def test_the_oldest_versions_that_are_run_are_the_declared_ones():
    text = (ROOT / "requirements" / "oldest.txt").read_text(encoding="utf-8")
    on_humble = dict(re.findall(r"^([\w-]+)==([\d.]+)(?:; python_version < .*)?$", text, re.M))
    assert on_humble.keys() == declared_floors().keys()
    for name, floor in declared_floors().items():
        assert f"{on_humble[name]}.".startswith(f"{floor}."), f"{name}: declared {floor}, run {on_humble[name]}"
