# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The imports point one way: ros, tools -> stream -> the modules beside pipeline.py -> export -> models -> settings -> core; read
from the source with ast.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = "pose_resnet_ros"
ROOT = Path(__file__).resolve().parent.parent / PACKAGE
FILES = sorted(ROOT.rglob("*.py"))

# layer -> the layers that it may import. "pipeline" is every module beside pipeline.py; "messages" the
# generated ones.
ALLOWED = {
    "core": {"core"},
    "settings": {"core", "settings"},
    "models": {"core", "settings", "models"},
    "export": {"core", "models", "export"},
    "video": {"core", "video"},
    "pipeline": {"core", "settings", "models", "export", "video", "pipeline"},
    "stream": {"core", "settings", "pipeline"},
    "ros": {"core", "settings", "models", "video", "pipeline", "stream", "messages", "ros"},
    "benchmark": {"core", "settings", "models", "export", "pipeline", "stream", "ros", "benchmark"},
    "tools": {"core", "settings", "models", "export", "video", "pipeline", "stream", "benchmark", "ros", "tools"},
    "main": {"pipeline", "tools"},
}
ROS_PACKAGES = {
    "ament_index_python", "builtin_interfaces", "cv_bridge", "diagnostic_msgs", "ffmpeg_image_transport_msgs",
    "foxglove_msgs", "geometry_msgs", "hri_msgs", "launch", "launch_ros", "message_filters", "rcl_interfaces", "rclpy",
    "rosbag2_py", "sensor_msgs", "std_msgs", "tf2_ros", "vision_msgs", "visualization_msgs",
}  # fmt: skip
OPTIONAL = {
    "av",
    "mcap",
    "matplotlib",
    "onnx",
    "openvino",
    "pillow_heif",
    "pillow_jxl",
    "pycocotools",
    "ray",
    "rerun",
    "rosbags",
    "tensorrt",
    "torch",
    "torchvision",
}
# Inside ros: room -> the rooms that it may import; "" is what lies in ros itself, the node's core.
ROS_ROOMS = {
    "": {"", "codecs", "health"},
    "codecs": {"codecs"},
    "health": {"", "health"},
    "programs": {"", "codecs", "health", "programs"},
}
ROS_WITHOUT_ROS = {
    "ros/codecs/compressed.py",
    "ros/codecs/compressed_depth.py",
    "ros/codecs/encodings.py",
    "ros/codecs/image.py",
    "ros/health/statistics.py",
    "ros/rviz_layout.py",
    "ros/time_sync.py",
    "ros/worker.py",
}
WITH_OPENCV = {"core/crops.py", "core/depth.py", "core/image_decoding.py", "core/letterbox.py", "core/draw.py"}
WITH_SCIPY = {"core/tracking.py"}
# Files that are themselves imported only inside functions, because what they are about is the optional
# package.
ABOUT = {
    "export": {"onnx"},
    "export/torch_networks.py": {"torch"},
    "models/fused_graph_compose.py": {"onnx"},
    "models/fused_graph_decode.py": {"onnx"},
    "models/fused_graph_nodes.py": {"onnx"},
}


@dataclass(frozen=True)
class Import:
    file: str
    line: int
    module: str
    inside_function: bool

    @property
    def top(self) -> str:
        return self.module.split(".")[0]

    def __str__(self) -> str:
        return f"{self.file}:{self.line} imports {self.module}"


def imports_of(path: Path) -> Iterator[Import]:
    file = path.relative_to(ROOT).as_posix()

    def walk(node: ast.AST, inside: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if is_type_checking(child):
                continue
            if isinstance(child, ast.Import):
                yield from (Import(file, child.lineno, alias.name, inside) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                yield from from_import(child, inside)
            else:
                yield from walk(child, inside or isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)))

    def from_import(node: ast.ImportFrom, inside: bool) -> Iterator[Import]:
        assert node.level == 0, f"{file}:{node.lineno}: relative imports hide their direction"
        if node.module == PACKAGE:  # from pose_resnet_ros import core
            yield from (Import(file, node.lineno, f"{PACKAGE}.{alias.name}", inside) for alias in node.names)
        else:
            yield Import(file, node.lineno, str(node.module), inside)

    yield from walk(ast.parse(path.read_text(encoding="utf-8")), False)


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def layer_of_file(file: str) -> str:
    if "/" in file:
        return file.split("/")[0]
    return {"__main__.py": "main", "stream.py": "stream"}.get(file, "pipeline")


def layer_of_module(module: str) -> str:
    parts = module.split(".")
    if len(parts) > 1 and parts[1] in ("msg", "srv", "action"):
        return "messages"
    is_layer = len(parts) > 1 and (parts[1] == "stream" or (ROOT / parts[1]).is_dir())
    return parts[1] if is_layer else "pipeline"


def room_of_file(file: str) -> str:
    _, *rooms, _ = file.split("/")
    return rooms[0] if rooms else ""


def room_of_module(module: str) -> str:
    rooms = module.split(".")[2:]
    return rooms[0] if rooms and (ROOT / "ros" / rooms[0]).is_dir() else ""


ALL = [found for path in FILES for found in imports_of(path)]


def test_there_is_something_to_read():
    assert len(ALL) > 50
    assert {layer_of_file(path.relative_to(ROOT).as_posix()) for path in FILES} <= ALLOWED.keys()


@pytest.mark.parametrize("layer", ALLOWED)
def test_no_arrow_points_back(layer):
    own = [i for i in ALL if layer_of_file(i.file) == layer and i.top == PACKAGE]
    assert [str(i) for i in own if layer_of_module(i.module) not in ALLOWED[layer]] == []


def test_the_drawing_is_that_of_the_imports():
    text = (ROOT.parent / "docs" / "architecture.md").read_text(encoding="utf-8")
    drawing = text.split("```")[1]
    rows = [re.findall(r"^ *(\w+)(?:/|\.py)(?: +(\w+)/)?", line) for line in drawing.splitlines()]
    rows = [[name for name in row[0] if name] for row in rows if row]
    assert rows == [["ros", "tools"], ["stream"], ["pipeline"], ["models"], ["settings"], ["core"]]
    drawn = {name: height for height, row in enumerate(reversed(rows)) for name in row}
    own = [(layer_of_file(i.file), layer_of_module(i.module)) for i in ALL if i.top == PACKAGE]
    arrows = {(above, below) for above, below in own if above != below and {above, below} <= drawn.keys()}
    assert all(drawn[above] > drawn[below] for above, below in arrows - {("tools", "ros")})
    assert {below for _, below in arrows} >= drawn.keys() - {"tools"}


def test_only_ros_touches_ros():
    touching = [i for i in ALL if i.top in ROS_PACKAGES or (layer_of_module(i.module) == "messages" and i.top == PACKAGE)]
    assert [str(i) for i in touching if layer_of_file(i.file) != "ros"] == []


@pytest.mark.parametrize("room", ROS_ROOMS)
def test_no_arrow_points_back_inside_ros(room):
    own = [i for i in ALL if layer_of_file(i.file) == "ros" and room_of_file(i.file) == room]
    wrong = [i for i in own if i.module.startswith(f"{PACKAGE}.ros") and room_of_module(i.module) not in ROS_ROOMS[room]]
    assert [str(i) for i in wrong] == []


def test_every_folder_of_ros_is_a_room():
    assert {path.name for path in (ROOT / "ros").iterdir() if (path / "__init__.py").exists()} == ROS_ROOMS.keys() - {""}


def test_what_reads_only_fields_imports_no_ros():
    assert {path.relative_to(ROOT).as_posix() for path in FILES} >= ROS_WITHOUT_ROS
    own = [i for i in ALL if i.file in ROS_WITHOUT_ROS]
    assert [str(i) for i in own if i.top in ROS_PACKAGES or layer_of_module(i.module) == "messages"] == []


def test_the_rest_reaches_ros_only_inside_functions():
    reaching = [i for i in ALL if i.top == PACKAGE and layer_of_module(i.module) == "ros" and not i.inside_function]
    assert [str(i) for i in reaching if layer_of_file(i.file) != "ros"] == []


def test_the_core_is_numpy():
    def allowed(found: Import) -> bool:
        extra = {"cv2"} if found.file in WITH_OPENCV else {"scipy"} if found.file in WITH_SCIPY else set()
        return found.top in sys.stdlib_module_names | {PACKAGE, "numpy"} | extra

    assert [str(i) for i in ALL if layer_of_file(i.file) == "core" and not allowed(i)] == []


def test_optional_packages_are_imported_inside_functions():
    def about(found: Import) -> set[str]:
        return ABOUT.get(found.file, set()) | ABOUT.get(layer_of_file(found.file), set())

    early = [i for i in ALL if i.top in OPTIONAL and not i.inside_function]
    assert [str(i) for i in early if i.top not in about(i)] == []


def test_importing_the_package_loads_nothing_heavy():
    assert {i.top for i in ALL if i.file == "__init__.py"} <= sys.stdlib_module_names


def test_no_module_imports_itself_by_way_of_others():
    names = {".".join((PACKAGE, *path.relative_to(ROOT).with_suffix("").parts)): path for path in FILES}
    graph = {name: reached_from(path, names) for name, path in names.items()}
    assert max(map(len, graph.values())) > 5
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(f"these import one another: {', '.join(error.args[1])}")


def reached_from(path: Path, names: Mapping[str, Path]) -> set[str]:
    """The modules of the package that a file imports, also inside of functions; what is imported may be a module or in one."""
    found = set()
    for node in ast.walk(without_type_checking(ast.parse(path.read_text(encoding="utf-8")))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found & names.keys()


def without_type_checking(tree: ast.Module) -> ast.Module:
    tree.body = [node for node in tree.body if not is_type_checking(node)]
    return tree
