# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""launch/pose.launch.py: its arguments, what they set, and a real start."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from pose_resnet_ros.core.errors import SettingsError
from pose_resnet_ros.models import registry
from pose_resnet_ros.settings import Settings

pytestmark = pytest.mark.usefixtures("ros_prefix")
LAUNCH_FILE = Path(__file__).resolve().parents[2] / "launch" / "pose.launch.py"
ARGUMENTS = {
    "image_topic", "params_file", "preset", "namespace", "log_level", "use_sim_time", "respawn", "source", "rviz",
    "fixed_frame", "fastdds_profile", "camera", "camera_info_topic", "depth_topic", "detections_topic", "name", "on_exit",
    # the node's parameters that cannot change while it runs
    "pose_model", "detector_model", "detector_input", "backend", "precision", "detector_precision", "device_id", "threads",
    "max_batch", "fused_graph", "skeleton", "allow_download", "autostart", "image_transport", "image_reliability",
    "person_class_ids", "use_depth", "depth_transport", "publish_hri", "hri_id_prefix", "cameras",
}  # fmt: skip
DEADLINE_S = 300.0  # a loaded machine may need it
RUN_LAUNCH = """
import sys
from launch import LaunchDescription, LaunchService
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource

path, *arguments = sys.argv[1:]
pairs = [argument.split(":=", 1) for argument in arguments]
service = LaunchService(noninteractive=True)  # else it leaves SIGINT to the terminal
source = PythonLaunchDescriptionSource(path)
service.include_launch_description(LaunchDescription([IncludeLaunchDescription(source, launch_arguments=pairs)]))
sys.exit(service.run())
"""


@pytest.fixture
def pose_launch():
    from launch.launch_description_sources.python_launch_file_utilities import load_python_launch_file_as_module

    return load_python_launch_file_as_module(str(LAUNCH_FILE))


def start(pose_launch, **given):
    """The nodes that the launch file starts when these arguments are given, and the context they were made in."""
    from launch import LaunchContext

    context = LaunchContext()
    for argument in pose_launch.ARGUMENTS:
        if argument.name in given:
            context.launch_configurations[argument.name] = given[argument.name]
        argument.execute(context)
    return pose_launch.start_nodes(context), context


def test_every_argument_is_declared_at_the_top_and_described(pose_launch):
    declared = pose_launch.generate_launch_description().get_launch_arguments()

    assert {argument.name for argument in declared} == ARGUMENTS
    assert all(argument.description for argument in declared)


def test_without_arguments_nothing_overrides_the_parameter_file(pose_launch):
    given = dict.fromkeys(ARGUMENTS, "")

    assert pose_launch.node_parameters(given) == {}


def test_arguments_override_and_a_model_beats_the_preset(pose_launch):
    given = {**dict.fromkeys(ARGUMENTS, ""), "preset": "article", "pose_model": "1", "autostart": "false"}
    parameters = pose_launch.node_parameters(given)
    texts = {name: value.evaluate(None) for name, value in parameters.items() if name.endswith("_model")}

    assert texts == {"detector_model": "yolov3_tiny", "pose_model": "1"}
    assert parameters["pose_model"].value_type is str
    assert parameters["autostart"] is False
    assert set(parameters) == {"detector_model", "pose_model", "autostart"}


def test_text_parameters_pass_through(pose_launch):
    texts = {"detector_input": "320x256", "image_transport": "compressed", "detector_precision": "int8"}
    parameters = pose_launch.node_parameters({**dict.fromkeys(ARGUMENTS, ""), **texts})

    assert {name: value.evaluate(None) for name, value in parameters.items()} == texts


def test_switches_pass_through(pose_launch):
    given = {**dict.fromkeys(ARGUMENTS, ""), "fused_graph": "true"}

    assert pose_launch.node_parameters(given) == {"fused_graph": True}


def test_presets_name_models_of_the_table(pose_launch):
    names = {name for preset in pose_launch.PRESETS.values() for name in preset.values()}

    assert names <= set(registry.model_names())


def test_arguments_have_the_choices_and_descriptions_of_their_parameters(pose_launch):
    declared = {argument.name: argument for argument in pose_launch.ARGUMENTS}
    for row in Settings.settings():
        if row.name in declared:
            choices = ("true", "false") if row.type is bool else row.choices
            assert tuple(declared[row.name].choices or ()) == (("", *choices) if choices else ())
            assert declared[row.name].description.startswith(f"{row.description} Empty: as in params_file.")


def test_numbers_pass_through_and_a_wrong_one_is_refused_before_anything_starts(pose_launch):
    given = {**dict.fromkeys(ARGUMENTS, ""), "threads": "2"}

    assert pose_launch.node_parameters(given) == {"threads": 2}
    with pytest.raises(SettingsError, match="max_batch: expected an integer from 1 to 256, got 0"):
        start(pose_launch, max_batch="0")


def test_a_value_that_is_no_choice_is_refused(pose_launch):
    with pytest.raises(RuntimeError, match="backend"):
        start(pose_launch, backend="gpu")


@pytest.fixture
def rviz2(tmp_path, monkeypatch):
    """A prefix in which the package rviz2 is installed."""
    marker = tmp_path / "share" / "ament_index" / "resource_index" / "packages" / "rviz2"
    marker.parent.mkdir(parents=True)
    marker.touch()
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path), prepend=os.pathsep)


@pytest.mark.usefixtures("rviz2")
@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ["pose_node"]),
        ({"source": "0"}, ["pose_node", "image_source"]),
        ({"source": "a.mp4", "rviz": "true"}, ["pose_node", "image_source", "rviz2"]),
    ],
)
def test_which_nodes_start(pose_launch, given, expected):
    nodes, _ = start(pose_launch, **given)

    assert [node.node_executable for node in nodes] == expected


def test_the_transports_can_be_left_alone(pose_launch):
    with_profile, without = start(pose_launch)[0], start(pose_launch, fastdds_profile="none")[0]

    assert len(with_profile[0].additional_env) == 2
    assert not without[0].additional_env


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {"image": "image_raw"}),
        ({"image_topic": "/front/image"}, {"image": "/front/image"}),
        (
            {"camera": "realsense"},
            {
                "image": "/camera/camera/color/image_raw",
                "camera_info": "/camera/camera/color/camera_info",
                "depth_image": "/camera/camera/aligned_depth_to_color/image_raw",
            },
        ),
        ({"camera": "usb_cam", "image_topic": "/mine"}, {"image": "/mine", "camera_info": "/camera_info"}),
    ],
)
def test_cameras_set_the_topics_and_a_given_topic_beats_them(pose_launch, given, expected):
    assert dict(pose_launch.remappings({**dict.fromkeys(ARGUMENTS, ""), **given})) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {"front/image": "front/image_raw", "rear/image": "rear/image_raw"}),
        ({"image_topic": "/a, /b"}, {"front/image": "/a", "rear/image": "/b"}),
        (
            {"image_topic": ",/b", "depth_topic": "/depth,", "camera_info_topic": "/info,"},
            {"front/image": "front/image_raw", "front/camera_info": "/info", "front/depth_image": "/depth", "rear/image": "/b"},
        ),
    ],
)
def test_several_cameras_have_topics_below_their_names_or_as_listed(pose_launch, given, expected):
    arguments = {**dict.fromkeys(ARGUMENTS, ""), "cameras": "front,rear", **given}

    assert dict(pose_launch.remappings(arguments)) == expected


@pytest.mark.usefixtures("rviz2")
def test_cameras_and_depth_of_the_parameter_file_count_for_topics_sources_and_rviz(pose_launch, tmp_path, caplog):
    path = tmp_path / "robot.yaml"
    path.write_text("/robot1/pose_resnet: {ros__parameters: {cameras: [front, rear], front: {use_depth: true}}}")
    given = {"params_file": str(path), "source": "a.mp4", "rviz": "true"}

    nodes, context = start(pose_launch, **given, namespace="robot1")
    for node in nodes:
        node._perform_substitutions(context)
    assert [node.node_name for node in nodes] == [
        "/robot1/pose_resnet", "/robot1/image_source_front", "/robot1/image_source_rear", "/robot1/rviz",
    ]  # fmt: skip
    assert ("rear/image", "rear/image_raw") in nodes[0].expanded_remapping_rules
    assert ("/pose_resnet/front/markers", "pose_resnet/front/markers") in nodes[-1].expanded_remapping_rules
    (rviz_file,) = [Path(word.text) for part in nodes[-1].cmd for word in part if getattr(word, "text", "").endswith(".rviz")]
    assert "Skeletons front" in rviz_file.read_text()
    rviz_file.unlink()

    pose_launch.LOGGER.addHandler(caplog.handler)
    (pose, source, _), _ = start(pose_launch, **given)
    assert (pose.node_executable, source.node_executable) == ("pose_node", "image_source")
    assert f"no section in {path} is for /pose_resnet; name one so, or /**" in caplog.text
    (pose, source), _ = start(pose_launch, **given | {"rviz": "false"}, namespace="robot1", cameras="left")
    pose._perform_substitutions(context)
    assert ("left/image", "left/image_raw") in pose.expanded_remapping_rules


def test_cameras_on_one_topic_have_one_source(pose_launch):
    nodes, context = start(pose_launch, cameras="front,rear,left", image_topic="/cam,,/cam", source="a.mp4")
    for node in nodes:
        node._perform_substitutions(context)
    assert [node.node_name for node in nodes] == ["/pose_resnet", "/image_source_front", "/image_source_rear"]


@pytest.mark.parametrize(("text", "message"), [("a: [", "expected a parameter file in YAML"), (b"\xff\xfe\x00", "in YAML")])
def test_a_parameter_file_that_is_none_is_refused(pose_launch, tmp_path, text, message):
    path = tmp_path / "broken.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())

    with pytest.raises(RuntimeError, match=message):
        start(pose_launch, params_file=str(path))


def test_names_of_cameras_pass_through(pose_launch):
    parameters = pose_launch.node_parameters({**dict.fromkeys(ARGUMENTS, ""), "cameras": "front, on"})

    assert list(parameters["cameras"].evaluate(None)) == ["front", "on"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"cameras": "front,rear", "image_topic": "/a"}, "image_topic: expected one topic for each of front, rear, got '/a'"),
        ({"image_topic": "/a,/b"}, r"image_topic: expected one topic \(several: cameras:=NAME,NAME\), got '/a,/b'"),
        ({"cameras": "front,rear", "camera": "oak"}, "camera: names the topics of a single camera"),
    ],
)
def test_topics_that_do_not_fit_the_cameras_are_refused(pose_launch, given, message):
    with pytest.raises(RuntimeError, match=message):
        start(pose_launch, **given)


@pytest.mark.parametrize("cameras", ["front,front", "front,,rear", "front,"])
def test_a_bad_name_of_a_camera_is_refused(pose_launch, cameras):
    with pytest.raises(SettingsError, match="cameras: expected different names"):
        start(pose_launch, cameras=cameras)


@pytest.mark.usefixtures("rviz2")
def test_each_camera_has_a_source_and_its_displays_in_rviz(pose_launch):
    import yaml

    nodes, context = start(pose_launch, cameras="front,rear", source="a.mp4", rviz="true", use_depth="true", name="pose")
    for node in nodes:
        node._perform_substitutions(context)

    assert [node.node_name for node in nodes] == ["/pose", "/image_source_front", "/image_source_rear", "/rviz"]
    assert ("image", "rear/image_raw") in nodes[2].expanded_remapping_rules
    assert ("camera_info", "rear/camera_info") in nodes[2].expanded_remapping_rules
    assert ("/pose_resnet/rear/markers", "pose/rear/markers") in nodes[3].expanded_remapping_rules
    (path,) = [word.text for part in nodes[3].cmd for word in part if getattr(word, "text", "").endswith(".rviz")]
    config = yaml.safe_load(Path(path).read_text())
    Path(path).unlink()
    displays = config["Visualization Manager"]["Displays"]
    assert {display["Name"]: display["Topic"]["Value"] for display in displays if "Topic" in display} == {
        f"{name} {camera}": f"/pose_resnet/{camera}/{topic}"
        for camera in ("front", "rear")
        for name, topic in (("Skeletons", "markers"), ("Positions", "poses"), ("Annotated image", "annotated_image"))
    }
    panes = {name for name, value in config["Window Geometry"].items() if isinstance(value, dict)}
    assert panes == {"Displays", "Views", "Annotated image front", "Annotated image rear"}


def test_cameras_set_parameters(pose_launch):
    given = dict.fromkeys(ARGUMENTS, "")

    assert pose_launch.node_parameters({**given, "camera": "zed", "use_depth": "true"}) == {
        "image_is_rectified": True,
        "use_depth": True,
    }
    assert pose_launch.node_parameters({**given, "camera": "gazebo"}) == {"use_sim_time": True}
    own = pose_launch.node_parameters({**given, "camera": "gazebo", "use_sim_time": "false"})
    assert own == {"use_sim_time": False}


@pytest.mark.usefixtures("rviz2")
@pytest.mark.parametrize("cameras", ["", "front,rear"])
def test_rviz_shows_the_scene_in_the_frame_that_is_given(pose_launch, cameras):
    nodes, _ = start(pose_launch, cameras=cameras, use_depth="true", rviz="true", fixed_frame="odom")
    words = [getattr(word, "text", "") for part in nodes[-1].cmd for word in part]
    path = Path(words[words.index("-d") + 1])
    if cameras:
        path.unlink()

    assert words[words.index("-f") + 1] == "odom"


@pytest.mark.usefixtures("rviz2")
def test_depth_shows_the_skeletons_in_space(pose_launch):
    nodes, _ = start(pose_launch, camera="oak", use_depth="true", rviz="true")

    words = [getattr(word, "text", "") for part in nodes[-1].cmd for word in part]
    assert any(word.endswith("/rviz/pose_3d.rviz") for word in words)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"rviz": "true"}, "rviz2, which is not installed: sudo apt install"),
        ({"params_file": "/nowhere/pose.yaml"}, "params_file: expected a file, .*'/nowhere/pose.yaml'"),
        ({"params_file": "~"}, f"params_file: expected a file, .*'{Path.home()}'"),
        ({"fastdds_profile": "/nowhere/dds.xml"}, "fastdds_profile: expected a file"),
    ],
)
def test_what_cannot_be_had_is_refused_before_anything_starts(pose_launch, monkeypatch, tmp_path, given, message):
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path))  # no rviz2, also where it is installed

    with pytest.raises(RuntimeError, match=message):
        start(pose_launch, **given)


def test_a_misspelt_argument_is_told(pose_launch, caplog):
    names = [argument.name for argument in pose_launch.ARGUMENTS]
    pose_launch.logging.get_logger("pose.launch.py").addHandler(caplog.handler)

    pose_launch.warn_of_misspelt({"detector_modell": "a", "sigterm_timeout": "5", "backend": "cpu"}, names)

    assert [record.getMessage() for record in caplog.records] == [
        "unknown argument 'detector_modell' is ignored; did you mean 'detector_model'?"
    ]


@pytest.mark.usefixtures("rviz2")
def test_a_named_node_and_rviz_find_each_other(pose_launch):
    nodes, context = start(pose_launch, name="front", rviz="true")
    for node in nodes:
        node._perform_substitutions(context)

    assert nodes[0].node_name == "/front"
    assert ("/pose_resnet/annotated_image", "front/annotated_image") in nodes[-1].expanded_remapping_rules


@pytest.mark.parametrize(
    ("returncode", "is_shutdown", "expected"), [(0, False, "ends"), (1, False, "fails"), (1, True, "nothing")]
)
def test_a_node_that_ends_by_itself_ends_the_launch(pose_launch, returncode, is_shutdown, expected):
    from launch.actions import Shutdown
    from launch.events.process import ProcessExited

    from launch import LaunchContext

    event = ProcessExited(returncode=returncode, action=None, name="pose_node-1", cmd=[], cwd=None, env=None, pid=1)
    context = LaunchContext()
    context._set_is_shutdown(is_shutdown)
    if expected == "fails":
        with pytest.raises(RuntimeError, match="pose_node-1 ended with exit code 1"):
            pose_launch.shut_down(event, context)
    elif expected == "ends":
        (action,) = pose_launch.shut_down(event, context)
        assert isinstance(action, Shutdown)
    else:
        assert pose_launch.shut_down(event, context) is None


@pytest.mark.parametrize(("on_exit", "expected"), [("shutdown", 1), ("nothing", 0)])
def test_the_exit_code_of_a_launch_whose_node_fails(on_exit, expected):
    arguments = ["pose_model:=/no/such.onnx", f"on_exit:={on_exit}"]
    command = [sys.executable, "-c", RUN_LAUNCH, str(LAUNCH_FILE), *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_S)

    assert ended.returncode == expected, ended.stdout + ended.stderr
    assert "/no/such.onnx" in ended.stdout + ended.stderr


def test_launch_publishes_persons_and_ends_cleanly(tmp_path):
    rclpy = pytest.importorskip("rclpy")
    from pose_resnet_ros.msg import PersonArray

    cv2.imwrite(str(tmp_path / "gray.png"), np.full((120, 160, 3), 127, np.uint8))
    arguments = [f"source:={tmp_path}/gray.png", "namespace:=robot", "preset:=bundled", "sigterm_timeout:=150"]
    env = {**os.environ, "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-c", RUN_LAUNCH, str(LAUNCH_FILE), *arguments]
    log = tmp_path / "log.txt"
    with log.open("w") as output:
        launched = subprocess.Popen(command, env=env, stdout=output, stderr=subprocess.STDOUT)
    rclpy.init(args=[])
    listener = rclpy.create_node("listener")
    received = []
    listener.create_subscription(PersonArray, "/robot/pose_resnet/persons", received.append, 1)
    try:
        deadline = time.monotonic() + DEADLINE_S
        while not received and launched.poll() is None and time.monotonic() < deadline:
            rclpy.spin_once(listener, timeout_sec=0.1)
    finally:
        listener.destroy_node()
        rclpy.try_shutdown()
        launched.send_signal(signal.SIGINT)
        launched.wait(timeout=DEADLINE_S)

    assert received, log.read_text()
    assert (received[0].image_width, received[0].image_height) == (160, 120)
    assert log.read_text().count("process has finished cleanly") == 2, log.read_text()
    assert "escalating" not in log.read_text(), log.read_text()
