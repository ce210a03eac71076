# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Start pose_node, and on request a source of images and RViz.

Only arguments that are given override the parameter file: most defaults are empty and mean "as the file says".
"""

from __future__ import annotations

import difflib
import os

import yaml
from ament_index_python.packages import PackageNotFoundError, get_package_prefix, get_package_share_directory
from launch.actions import DeclareLaunchArgument, OpaqueFunction, Shutdown
from launch.events.process import ProcessExited
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from launch import LaunchContext, LaunchDescription, logging

PACKAGE = "pose_resnet_ros"
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
BACKENDS = ["auto", "cpu", "cuda", "tensorrt", "openvino"]
PRECISIONS = ["auto", "fp32", "fp16", "int8"]
TRANSPORTS = ["raw", "compressed"]
# Text parameters that are launch arguments under the same names.
TEXTS = ("detector_model", "pose_model", "detector_input", "backend", "precision", "detector_precision", "image_transport")
# And those that are true or false.
SWITCHES = ("allow_download", "autostart", "use_sim_time", "one_trip")
NODE_NAME = "pose_resnet"
# Of the node, as the files in rviz/ name them.
RVIZ_TOPICS = ("annotated_image", "heatmap_image", "markers", "poses")
BOOLEANS = ["true", "false"]


def argument(name: str, description: str, default: str = "", choices: list[str] | None = None) -> DeclareLaunchArgument:
    return DeclareLaunchArgument(name, default_value=default, description=description, choices=choices)


ARGUMENTS = [
    argument("camera", "take topics and parameters from config/cameras.yaml; empty: image_raw", choices=["", *CAMERAS]),
    argument("image_topic", "topic of the camera's images (sensor_msgs/Image); empty: the camera's, or image_raw"),
    argument("camera_info_topic", "the images' calibration, for depth; empty: the camera's, or camera_info"),
    argument("depth_topic", "depth images registered to the images; empty: the camera's, or depth_image"),
    argument("detections_topic", "with detector_model:=external: the boxes of your own detector; empty: detections"),
    argument("depth", "persons in 3D too, from depth_topic; empty: as in params_file", choices=["", *BOOLEANS]),
    argument("params_file", "YAML file with the node's parameters", os.path.join(SHARE, "config", "pose.yaml")),
    argument("preset", "a pair of models; empty: as in params_file", choices=["", *PRESETS]),
    argument(
        "detector_model", "person detector: a name from the model table, a path, full_frame or external; empty: as in params_file"
    ),
    argument("pose_model", "pose network: a name from the model table or a path; empty: as in params_file"),
    argument("detector_input", "size of the detector's input, such as 320x256: smaller is faster; empty: as in params_file"),
    argument(
        "image_transport",
        "compressed: JPEG or PNG pictures from IMAGE_TOPIC/compressed; empty: as in params_file",
        choices=["", *TRANSPORTS],
    ),
    argument("backend", "where the networks run; empty: as in params_file", choices=["", *BACKENDS]),
    argument("precision", "precision of the pose network; empty: as in params_file", choices=["", *PRECISIONS]),
    argument("detector_precision", "precision of the detector; empty: as in params_file", choices=["", *PRECISIONS]),
    argument("one_trip", "crop and decode on the GPU, with backend:=cuda; empty: as in params_file", choices=["", *BOOLEANS]),
    argument(
        "allow_download", "fetch models that are not on this machine yet; empty: as in params_file", choices=["", *BOOLEANS]
    ),
    argument("autostart", "configure and activate at start; empty: as in params_file", choices=["", *BOOLEANS]),
    argument("use_sim_time", "take the time from /clock; empty: as in params_file", choices=["", *BOOLEANS]),
    argument("name", "name of the pose node; its topics are below it", NODE_NAME),
    argument("namespace", "namespace of all nodes"),
    argument("log_level", "lowest severity that is logged", "info", ["debug", "info", "warn", "error", "fatal"]),
    argument("respawn", "start pose_node again when it ends", "false", BOOLEANS),
    argument(
        "on_exit",
        "when pose_node or image_source ends by itself: shut the launch down, with exit code 1 if it failed; or nothing",
        "shutdown",
        ["shutdown", "nothing"],
    ),
    argument(
        "source", "start image_source too: a video, an image, a folder, a webcam's index or an address; empty: there is a camera"
    ),
    argument("rviz", "start RViz with the annotated image; with depth:=true the skeletons in space too", "false", BOOLEANS),
    argument(
        "fastdds_profile",
        "Fast DDS profile that lets images through; none: leave the transports alone",
        next(
            (os.environ[name] for name in PROFILE_VARIABLES if name in os.environ),
            os.path.join(SHARE, "config", "fastdds_images.xml"),
        ),
    ),
]


def node_parameters(given: dict[str, str]) -> dict[str, object]:
    """Return the parameters that the launch arguments set; a model argument beats the preset."""
    texts = {**PRESETS.get(given["preset"], {})}
    texts.update({name: given[name] for name in TEXTS if given[name]})
    # A plain string would be read as YAML (a model file named "1" would become a number).
    parameters: dict[str, object] = {name: ParameterValue(value, value_type=str) for name, value in texts.items()}
    parameters.update(CAMERAS[given["camera"]].get("parameters", {}) if given["camera"] else {})
    parameters.update({name: given[name] == "true" for name in SWITCHES if given[name]})
    if given["depth"]:
        parameters["use_depth"] = given["depth"] == "true"
    return parameters


def input_topics(given: dict[str, str]) -> list[tuple[str, str]]:
    """Return the remappings of the node's inputs; a topic that is given beats the camera's."""
    camera = CAMERAS[given["camera"]] if given["camera"] else {}
    topics = {"image_topic": "image_raw", **{name: camera[name] for name in INPUTS if name in camera}}
    topics.update({name: given[name] for name in INPUTS if given[name]})
    return [(INPUTS[name], topic) for name, topic in topics.items()]


def has_profile(given: dict[str, str]) -> bool:
    return given["fastdds_profile"] not in ("", "none")  # `ros2 launch` takes no empty value, hence the word none


def check(given: dict[str, str]) -> None:
    """Raise RuntimeError for what cannot be had, before anything starts that would be left behind."""
    files = ["params_file", "fastdds_profile"] if has_profile(given) else ["params_file"]
    for name in files:
        if not os.path.isfile(given[name]):
            raise RuntimeError(f"{name}: expected a file, and there is none at '{given[name]}'")
    if given["rviz"] == "true":
        try:
            get_package_prefix("rviz2")
        except PackageNotFoundError:
            raise RuntimeError("rviz:=true needs rviz2, which is not installed: sudo apt install ros-$ROS_DISTRO-rviz2") from None


def shut_down(event: ProcessExited, context: LaunchContext) -> list[Shutdown] | None:
    """What on_exit:=shutdown does. Only an exception gives `ros2 launch` another exit code than 0."""
    if context.is_shutdown:
        return None  # it was told to end
    if event.returncode:
        raise RuntimeError(f"{event.process_name} ended with exit code {event.returncode}")
    return [Shutdown(reason=f"{event.process_name} has ended")]


def warn_of_misspelt(given: dict[str, str], names: list[str]) -> None:
    """`ros2 launch` passes on whatever it is given; what is not close to a name of ours may be another launch file's."""
    for name in given.keys() - set(names):
        for close in difflib.get_close_matches(name, names, n=1, cutoff=0.8):
            logging.get_logger("pose.launch.py").warning(f"there is no argument '{name}', it is ignored; did you mean '{close}'?")


def start_nodes(context: LaunchContext) -> list[Node]:
    names = [argument.name for argument in ARGUMENTS]
    warn_of_misspelt(context.launch_configurations, names)
    given = {name: os.path.expanduser(context.launch_configurations[name]) for name in names}
    check(given)
    profile = dict.fromkeys(PROFILE_VARIABLES, given["fastdds_profile"]) if has_profile(given) else {}
    common = {"namespace": given["namespace"], "output": "screen", "emulate_tty": True, "additional_env": profile}
    ours = {**common, "package": PACKAGE, "remappings": input_topics(given), "ros_arguments": ["--log-level", given["log_level"]]}
    respawn = given["respawn"] == "true"
    on_exit = shut_down if given["on_exit"] == "shutdown" else None
    nodes = [
        Node(
            executable="pose_node",
            name=given["name"],
            parameters=[given["params_file"], node_parameters(given)],
            respawn=respawn,
            respawn_delay=2.0,
            on_exit=None if respawn else on_exit,
            **ours,
        )
    ]
    if given["source"]:
        # A camera stand-in: it begins when the pose node listens, and does not end.
        source = {"source": ParameterValue(given["source"], value_type=str), "wait_for_subscribers": 1, "loop": True}
        nodes.append(Node(executable="image_source", name="image_source", parameters=[source], on_exit=on_exit, **ours))
    if given["rviz"] == "true":
        view = ["-d", os.path.join(SHARE, "rviz", "pose_3d.rviz" if given["depth"] == "true" else "pose.rviz")]
        of_the_node = [(f"/{NODE_NAME}/{topic}", f"{given['name']}/{topic}") for topic in RVIZ_TOPICS]
        nodes.append(Node(package="rviz2", executable="rviz2", name="rviz", arguments=view, remappings=of_the_node, **common))
    return nodes


def generate_launch_description() -> LaunchDescription:
    return LaunchDescription([*ARGUMENTS, OpaqueFunction(function=start_nodes)])
