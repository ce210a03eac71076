# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Start pose_node, and on request a source of images for each camera, and RViz.

Only arguments that are given override the parameter file: most defaults are empty and mean "as the file says".
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Sequence
from typing import Any

import yaml
from ament_index_python.packages import PackageNotFoundError, get_package_prefix, get_package_share_directory
from launch.actions import DeclareLaunchArgument, OpaqueFunction, Shutdown
from launch.events.process import ProcessExited
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from launch import LaunchContext, LaunchDescription, logging
from pose_resnet_ros.ros.parameter_files import file_parameters
from pose_resnet_ros.ros.rviz_config import NODE_NAME, file_for_cameras
from pose_resnet_ros.settings import Setting, Settings

PACKAGE = "pose_resnet_ros"
LOGGER = logging.get_logger("pose.launch.py")
SHARE = get_package_share_directory(PACKAGE)
# Fast DDS 2 (Humble, Jazzy) and Fast DDS 3 (Kilted, Lyrical) read different names.
PROFILE_VARIABLES = ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE")
PRESETS = {
    "bundled": {"detector_model": "person_lite", "pose_model": "pose_resnet_lite"},
    "article": {"detector_model": "yolov3_tiny", "pose_model": "pose_resnet_50_256x192"},
}
with open(os.path.join(SHARE, "config", "cameras.yaml"), encoding="utf-8") as cameras_file:
    CAMERAS = yaml.safe_load(cameras_file)
# The node's input topics by the launch argument that says where each comes from.
INPUTS = {
    "image_topic": "image",
    "camera_info_topic": "camera_info",
    "depth_topic": "depth_image",
    "detections_topic": "detections",
}
# The node's parameters that are launch arguments of the same names: those that cannot change while it runs.
MIRRORED = {row.name: row for row in Settings.settings() if not row.dynamic}
# Of the node, as the files in rviz/ name them.
RVIZ_TOPICS = ("annotated_image", "heatmap_image", "markers", "poses")
BOOLEANS = ["true", "false"]


def argument(name: str, description: str, default: str = "", choices: list[str] | None = None) -> DeclareLaunchArgument:
    return DeclareLaunchArgument(name, default_value=default, description=description, choices=choices)


def mirrored(row: Setting) -> DeclareLaunchArgument:
    """The launch argument that sets a parameter of the node."""
    choices = BOOLEANS if row.type is bool else row.choices
    description = f"{row.description} Empty: as in params_file."
    return argument(row.name, description, choices=["", *choices] if choices else None)


ARGUMENTS = [
    argument("camera", "Camera in config/cameras.yaml whose topics and parameters to use.", choices=["", *CAMERAS]),
    argument(
        "image_topic",
        "Topic of the images (sensor_msgs/Image); with several cameras one for each, separated by commas. Empty: that of the"
        " camera, or image_raw, with several cameras NAME/image_raw.",
    ),
    argument("camera_info_topic", "The same for the images' calibration, for 3D. Empty: that of the camera, or camera_info."),
    argument("depth_topic", "The same for depth images, registered to the images. Empty: that of the camera, or depth_image."),
    argument("detections_topic", "The same for your own detector's boxes, with detector_model:=external. Empty: detections."),
    argument("params_file", "YAML file with the node's parameters.", os.path.join(SHARE, "config", "pose.yaml")),
    argument(
        "preset",
        "Pair of models. bundled: pose_resnet_lite with person_lite. article: pose_resnet_50_256x192 with yolov3_tiny."
        " Empty: as in params_file.",
        choices=["", *PRESETS],
    ),
    *map(mirrored, MIRRORED.values()),
    argument("use_sim_time", "Take the time from /clock. Empty: as in params_file.", choices=["", *BOOLEANS]),
    argument("name", "Name of the pose node, with which the names of its output topics begin.", NODE_NAME),
    argument("namespace", "Namespace of all nodes."),
    argument("log_level", "Lowest severity that is logged.", "info", ["debug", "info", "warn", "error", "fatal"]),
    argument("respawn", "Start pose_node again when it ends.", "false", BOOLEANS),
    argument(
        "on_exit",
        "What to do when pose_node or image_source ends by itself. shutdown: end the launch, with exit code 1 if it failed.",
        "shutdown",
        ["shutdown", "nothing"],
    ),
    argument(
        "source",
        "Video, image, folder, webcam index or stream address for image_source to publish, as each camera. Empty: do not start"
        " image_source.",
    ),
    argument("rviz", "Start RViz with each camera's annotated image; with use_depth also 3D skeletons.", "false", BOOLEANS),
    argument(
        "fixed_frame",
        "RViz's fixed frame, which tf must connect to the images' frames for 3D. Empty: camera_link, with several cameras"
        " base_link.",
    ),
    argument(
        "fastdds_profile",
        "Fast DDS profile with buffers large enough for images. none: use Fast DDS's own settings.",
        next(
            (os.environ[name] for name in PROFILE_VARIABLES if name in os.environ),
            os.path.join(SHARE, "config", "fastdds_images.xml"),
        ),
    ),
]


def node_parameters(given: dict[str, str]) -> dict[str, object]:
    """Return the parameters to set: arguments override the camera and the preset. Raises SettingsError."""
    words = {**PRESETS.get(given["preset"], {}), **{name: given[name] for name in MIRRORED if given[name]}}
    parameters: dict[str, object] = {**CAMERAS[given["camera"]].get("parameters", {})} if given["camera"] else {}
    for name, word in words.items():
        value = MIRRORED[name].parse(word)
        # A plain string would be read as YAML (a model file named "1" would become a number).
        parameters[name] = ParameterValue(value, value_type=str) if isinstance(value, str) else value
        if isinstance(value, tuple):
            parameters[name] = ParameterValue(list(value), value_type=list[str])
    if given["use_sim_time"]:
        parameters["use_sim_time"] = given["use_sim_time"] == "true"
    return parameters


def with_file(given: dict[str, str]) -> dict[str, str]:
    """Return the arguments with what only params_file says of the cameras, which decides about topics and RViz."""
    node = f"/{given['namespace'].strip('/')}/{given['name']}".replace("//", "/")
    if not (in_file := file_parameters(given["params_file"], node)):
        LOGGER.warning(f"params_file: no section in {given['params_file']} is for {node}; name one so, or /** for every node")
    cameras = given["cameras"] or ",".join(MIRRORED["cameras"].check(in_file.get("cameras", [])))
    in_3d = any(value is True for name, value in in_file.items() if name.split(".")[-1] == "use_depth")
    return {**given, "cameras": cameras, "in_3d": given["use_depth"] or str(in_3d).lower()}


def cameras_of(given: dict[str, str]) -> tuple[str, ...]:
    """Return the names of the cameras; "" stands for a camera without a name. Raises SettingsError."""
    return MIRRORED["cameras"].parse(given["cameras"]) or ("",)


def input_topics(given: dict[str, str]) -> dict[str, dict[str, str]]:
    """Return each camera's inputs with their topics; arguments override config/cameras.yaml. Raises RuntimeError."""
    cameras = cameras_of(given)
    if given["camera"] and cameras != ("",):
        raise RuntimeError("camera: names the topics of a single camera; with cameras, set image_topic, and the others as needed")
    driver = CAMERAS[given["camera"]] if given["camera"] else {}
    topics: dict[str, dict[str, str]] = {name: {"image": f"{name}/image_raw".lstrip("/")} for name in cameras}
    for argument_name, name in INPUTS.items():
        for camera, word in zip(cameras, topics_for(cameras, argument_name, given[argument_name]), strict=True):
            if found := word or driver.get(argument_name):
                topics[camera][name] = found
    return topics


def topics_for(cameras: Sequence[str], argument_name: str, text: str) -> list[str]:
    """Return an argument's topic for each camera, "" where it gives none. Raises RuntimeError."""
    words = [word.strip() for word in text.split(",")] if text else [""] * len(cameras)
    if len(words) != len(cameras):
        several = f"one topic for each of {', '.join(cameras)}"
        wanted = several if cameras != ("",) else "one topic (several: cameras:=NAME,NAME)"
        raise RuntimeError(f"{argument_name}: expected {wanted}, got '{text}'")
    return words


def remappings(given: dict[str, str]) -> list[tuple[str, str]]:
    """Return the remappings of the pose node's inputs."""
    topics = input_topics(given)
    return [(f"{camera}/{name}".lstrip("/"), topic) for camera in topics for name, topic in topics[camera].items()]


def has_profile(given: dict[str, str]) -> bool:
    return given["fastdds_profile"] not in ("", "none")  # `ros2 launch` takes no empty value, hence the word none


def check(given: dict[str, str]) -> None:
    """Raise RuntimeError for missing files and packages, before anything starts."""
    files = ["params_file", "fastdds_profile"] if has_profile(given) else ["params_file"]
    for name in files:
        if not os.path.isfile(given[name]):
            raise RuntimeError(f"{name}: expected a file, got '{given[name]}', which does not exist")
    if given["rviz"] == "true":
        try:
            get_package_prefix("rviz2")
        except PackageNotFoundError:
            raise RuntimeError("rviz:=true needs rviz2, which is not installed: sudo apt install ros-$ROS_DISTRO-rviz2") from None


def shut_down(event: ProcessExited, context: LaunchContext) -> list[Shutdown] | None:
    """Implements on_exit:=shutdown. `ros2 launch` returns an exit code other than 0 only after an exception."""
    if context.is_shutdown:
        return None
    if event.returncode:
        raise RuntimeError(f"{event.process_name} ended with exit code {event.returncode}")
    return [Shutdown(reason=f"{event.process_name} has ended")]


def warn_of_misspelt(given: dict[str, str], names: list[str]) -> None:
    """Warn of unknown arguments that resemble ours; others may be meant for an outer launch file."""
    for name in given.keys() - set(names):
        for close in difflib.get_close_matches(name, names, n=1, cutoff=0.8):
            LOGGER.warning(f"unknown argument '{name}' is ignored; did you mean '{close}'?")


def start_nodes(context: LaunchContext) -> list[Node]:
    names = [argument.name for argument in ARGUMENTS]
    warn_of_misspelt(context.launch_configurations, names)
    given = {name: os.path.expanduser(context.launch_configurations[name]) for name in names}
    check(given)
    given = with_file(given)
    profile = dict.fromkeys(PROFILE_VARIABLES, given["fastdds_profile"]) if has_profile(given) else {}
    common = {"namespace": given["namespace"], "output": "screen", "emulate_tty": True, "additional_env": profile}
    ours = {**common, "package": PACKAGE, "ros_arguments": ["--log-level", given["log_level"]]}
    on_exit = shut_down if given["on_exit"] == "shutdown" else None
    nodes = [pose_node(given, on_exit, remappings=remappings(given), **ours)]
    if given["source"]:
        # It stands in for a camera: it starts when the pose node listens, and never ends.
        source = {"source": ParameterValue(given["source"], value_type=str), "wait_for_subscribers": 1, "loop": True}
        inputs = input_topics(given)
        first = {topics["image"]: camera for camera, topics in reversed(inputs.items())}  # of those that look at the same images
        for camera, topics in inputs.items():
            if first[topics["image"]] != camera:
                continue
            # Its topics are named as those of a single camera.
            renamed = {"camera_info": f"{camera}/camera_info".lstrip("/"), **topics}
            named = {"name": f"image_source_{camera}" if camera else "image_source", "remappings": [*renamed.items()]}
            nodes.append(Node(executable="image_source", parameters=[source], on_exit=on_exit, **named, **ours))
    if given["rviz"] == "true":
        nodes.append(rviz(given, **common))
    return nodes


def pose_node(given: dict[str, str], on_exit: Callable[..., object] | None, **common: Any) -> Node:
    respawn = given["respawn"] == "true"
    return Node(
        executable="pose_node",
        name=given["name"],
        parameters=[given["params_file"], node_parameters(given)],
        respawn=respawn,
        respawn_delay=2.0,
        on_exit=None if respawn else on_exit,
        **common,
    )


def rviz(given: dict[str, str], **common: Any) -> Node:
    path = os.path.join(SHARE, "rviz", "pose_3d.rviz" if given["in_3d"] == "true" else "pose.rviz")
    cameras = cameras_of(given)
    path = path if cameras == ("",) else file_for_cameras(path, cameras)
    names = [f"{camera}/{topic}".lstrip("/") for camera in cameras for topic in RVIZ_TOPICS]
    topics = [(f"/{NODE_NAME}/{name}", f"{given['name']}/{name}") for name in names]
    arguments = ["-d", path, *(["-f", given["fixed_frame"]] if given["fixed_frame"] else [])]
    return Node(package="rviz2", executable="rviz2", name="rviz", arguments=arguments, remappings=topics, **common)


def generate_launch_description() -> LaunchDescription:
    return LaunchDescription([*ARGUMENTS, OpaqueFunction(function=start_nodes)])
