# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""``predict`` from bag to bag, with real files and a real (tiny) network."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("rosbags")
import spot_model
from bag_files import TOPIC, header, image, jpeg, log_ns, mixed_mcap, only_file, write_bag, write_ros1_bag
from full_disk import full_disk
from rosbags.highlevel import AnyReader

from pose_resnet_ros.core.errors import ModelError, PoseError, SettingsError
from pose_resnet_ros.core.skeletons import OPENPOSE18
from pose_resnet_ros.tools.predict import predict

SPOT = (70, 40)  # x, y of the middle of the bright square


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(spot_model.spot_model(tmp_path_factory.mktemp("model") / "spot.onnx"))


def spot(number: int) -> Any:
    """An image that is black but for a white square."""
    pixels = np.zeros((96, 128, 3), np.uint8)
    pixels[SPOT[1] - 6 : SPOT[1] + 6, SPOT[0] - 6 : SPOT[0] + 6] = 255
    return image(number, data=pixels.ravel())


def run(model: str, *arguments: object) -> int:
    return predict.main([*map(str, arguments), "--pose-model", model, "--detector-model", "full_frame"])


def messages(bag: Path) -> dict[str, list[tuple[int, Any]]]:
    """(log time, message) by the last part of the topic's name."""
    found: dict[str, list[tuple[int, Any]]] = {}
    with AnyReader([bag]) as reader:
        for connection, when, raw in reader.messages():
            assert connection.topic.startswith("/pose_resnet/")
            message = reader.deserialize(raw, connection.msgtype)
            found.setdefault(connection.topic.removeprefix("/pose_resnet/"), []).append((when, message))
    return found


@pytest.mark.parametrize("name", ["out.mcap", "out.db3", "out"])
@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_the_nodes_messages_with_the_images_times(tmp_path: Path, model: str, storage: str, name: str) -> None:
    bag = write_bag(tmp_path / "bag", {TOPIC: [spot(n) for n in range(4)]}, storage=storage)
    assert run(model, bag, "--topic", TOPIC, "-o", tmp_path / name) == 0
    assert sorted(f.name for f in tmp_path.iterdir()) == ["bag", name]
    found = messages(tmp_path / name)
    assert found.keys() == {"persons", "detections", "skeleton"}
    persons = found["persons"]
    assert [when for when, _ in persons] == [log_ns(n) for n in range(4)]
    assert [str(m.header) for _, m in persons] == [str(header(n)) for n in range(4)]
    assert [[p.track_id for p in m.persons] for _, m in persons] == [[-1], [1], [1], [1]]
    message = persons[0][1]
    assert (message.skeleton, message.image_width, message.image_height) == ("openpose18", 128, 96)
    (person,) = message.persons
    assert (person.bbox.size_x, person.bbox.size_y, person.score) == (128, 96, 1)
    assert [k.name for k in person.keypoints] == list(OPENPOSE18.joint_names)
    # A cell of the heatmap is 4 crop pixels; the crop is 64 high and 1.25 times the image's height.
    assert abs(person.keypoints[0].x - SPOT[0]) < 4 * 1.25 * 128 / 48
    assert abs(person.keypoints[0].y - SPOT[1]) < 4 * 1.25 * 128 / 48
    assert [[d.id for d in m.detections] for _, m in found["detections"]] == [[""], ["1"], ["1"], ["1"]]
    (detection,) = found["detections"][0][1].detections
    assert (detection.results[0].hypothesis.class_id, detection.bbox.center.position.x) == ("person", 64)
    skeleton = found["skeleton"][0][1]
    assert list(zip(skeleton.edge_from, skeleton.edge_to, strict=True)) == list(OPENPOSE18.edges)


def test_compressed_in_and_annotated_out(tmp_path: Path, model: str) -> None:
    bag = write_bag(tmp_path / "bag", {f"{TOPIC}/compressed": [jpeg(0), jpeg(1)]})
    assert run(model, bag, "-o", tmp_path / "out.mcap", "--annotated") == 0
    pictures = messages(tmp_path / "out.mcap")["annotated_image/compressed"]
    assert [when for when, _ in pictures] == [log_ns(0), log_ns(1)]
    assert pictures[0][1].format == "bgr8; jpeg compressed bgr8"
    assert cv2.imdecode(pictures[0][1].data, cv2.IMREAD_COLOR).shape == (96, 128, 3)


def test_a_bad_image_is_told_and_the_rest_is_done(tmp_path: Path, model: str, capsys: pytest.CaptureFixture[str]) -> None:
    bag = write_bag(tmp_path / "bag", {TOPIC: [spot(0), image(1, step=3), spot(2)]})
    assert run(model, bag, "-o", tmp_path / "out.mcap") == 1
    assert len(messages(tmp_path / "out.mcap")["persons"]) == 2
    assert f"{TOPIC} at {log_ns(1)} ns: step" in capsys.readouterr().err


def test_a_recording_with_other_channels_and_a_damaged_one_of_ros_1_do_not_stop_the_others(
    tmp_path: Path, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    mixed = mixed_mcap(tmp_path / "mixed.mcap", "noschema", "proto")
    (tmp_path / "old.bag").write_bytes(b"#ROSBAG V2.0\n")  # and nothing else
    good = write_bag(tmp_path / "good", {TOPIC: [spot(0)]})
    assert run(model, mixed, tmp_path / "old.bag", good, "-o", tmp_path / "out") == 1
    said = capsys.readouterr()
    assert "10 images, 10 people; skipped topics whose encoding is not ROS's: /noschema (json), /proto (protobuf)" in said.out
    assert "old.bag: cannot read this ROS 1 recording" in said.err
    assert len(messages(tmp_path / "out" / "good.mcap")["persons"]) == 1
    assert run(model, mixed, "-o", tmp_path / "again.mcap") == 0


def test_a_recording_that_was_cut_off_gives_results_until_there(
    tmp_path: Path, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    bag = only_file(write_bag(tmp_path / "bag", {TOPIC: [spot(n) for n in range(60)]}))
    bag.write_bytes(bag.read_bytes()[:-300_000])
    assert run(model, bag, "-o", tmp_path / "out.mcap") == 1
    found = len(messages(tmp_path / "out.mcap")["persons"])
    assert 0 < found < 60
    assert f"cut off after {found} images" in capsys.readouterr().err


@pytest.mark.parametrize("workers", [1, 2])
def test_several_bags_and_going_on_after_an_interruption(
    tmp_path: Path, model: str, workers: int, capsys: pytest.CaptureFixture[str]
) -> None:
    bags = [write_bag(tmp_path / f"bag{k}", {TOPIC: [spot(n) for n in range(2 + k)]}) for k in range(3)]
    output = tmp_path / "results"
    assert run(model, bags[0], bags[1], "-o", output) == 0
    before = (output / "bag0.mcap").read_bytes()
    (output / "bag1.mcap").unlink()
    (output / ".bag1.mcap.part").mkdir()  # what an interrupted run leaves
    capsys.readouterr()
    assert run(model, *bags, "-o", output, "--workers", workers) == 0
    assert sorted(f.name for f in output.iterdir()) == ["bag0.mcap", "bag1.mcap", "bag2.mcap"]
    assert [len(messages(output / f"bag{k}.mcap")["persons"]) for k in range(3)] == [2, 3, 4]
    assert (output / "bag0.mcap").read_bytes() == before
    assert "bag0.mcap: already exists" in capsys.readouterr().out


def test_ctrl_c_ends_the_workers_too(tmp_path: Path, model: str) -> None:
    """As at a terminal, where every process of the group gets the signal; bags that were not begun are not begun any more."""
    first = write_bag(tmp_path / "bag0", {TOPIC: [spot(n % 9) for n in range(400)]})
    bags = [first, *(Path(shutil.copytree(first, tmp_path / f"bag{k}", copy_function=os.link)) for k in range(1, 60))]
    arguments = ["-o", "results", "--workers", "2", "--pose-model", model, "--detector-model", "full_frame"]
    process = subprocess.Popen(
        [sys.executable, "-m", "pose_resnet_ros", "predict", *map(str, bags), *arguments],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(predict.__file__).parents[3])},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 300
    while not list(tmp_path.glob("results/.*.part")) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    _, stderr = process.communicate(timeout=300)
    assert process.returncode == 130
    assert "Traceback" not in stderr
    assert len(list(tmp_path.glob("results/*.mcap"))) < 60


def test_a_recording_that_is_not_there(tmp_path: Path, model: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(model, tmp_path / "none.mcap", "-o", tmp_path / "out.mcap") == 1
    assert "none.mcap: there is no such recording" in capsys.readouterr().err


def test_where_nothing_is_left_no_process_and_no_cluster_is_started(
    tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bags = [write_bag(tmp_path / f"bag{k}", {TOPIC: [spot(0)]}) for k in range(3)]
    assert run(model, *bags, "-o", tmp_path / "results") == 0
    capsys.readouterr()
    monkeypatch.setattr(multiprocessing, "get_context", None)  # what would start a worker fails
    monkeypatch.setitem(sys.modules, "ray", None)
    assert run(model, *bags, "-o", tmp_path / "results", "--workers", 2) == 0
    assert run(model, *bags, "-o", tmp_path / "results", "--ray", "auto") == 0
    assert capsys.readouterr().out.count("already exists, kept") == 6
    (tmp_path / "results" / "bag1.mcap").unlink()  # one bag needs no second process
    assert run(model, *bags, "-o", tmp_path / "results", "--workers", 2) == 0
    assert len(messages(tmp_path / "results" / "bag1.mcap")["persons"]) == 1


def test_folders_with_dots_in_their_names_have_results_of_their_own(tmp_path: Path, model: str) -> None:
    bags = [write_bag(tmp_path / f"run.{k}", {TOPIC: [spot(0)]}) for k in range(2)]
    assert run(model, *bags, "-o", tmp_path / "results") == 0
    assert sorted(f.name for f in (tmp_path / "results").iterdir()) == ["run.0.mcap", "run.1.mcap"]


def test_a_folder_is_no_name_for_the_result_of_one_bag(tmp_path: Path, model: str) -> None:
    bag = write_bag(tmp_path / "bag", {TOPIC: [spot(0)]})
    (tmp_path / "results").mkdir()
    with pytest.raises(SettingsError, match=r"is a folder; name the bag to write, for example .*results/bag\.mcap"):
        run(model, bag, "-o", tmp_path / "results")


def test_a_missing_topic_is_said_and_leaves_nothing_behind(
    tmp_path: Path, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    bag = write_bag(tmp_path / "bag", {TOPIC: [spot(0)]})
    assert run(model, bag, "--topic", "/other", "-o", tmp_path / "out.mcap") == 1
    assert f"its image topics: {TOPIC}" in capsys.readouterr().err
    assert [f.name for f in tmp_path.iterdir()] == ["bag"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "name the bag to write"),
        (["-o", "out.mcap", "--json", "a.json", "--show"], "--json or --show: not for bags"),
        (["-o", "out.mcap", "--rerun", "a.rrd"], "--rerun: not for bags"),
    ],
)
def test_options_that_do_not_fit(tmp_path: Path, model: str, arguments: list[str], says: str) -> None:
    bag = write_bag(tmp_path / "bag", {TOPIC: [spot(0)]})
    with pytest.raises(SettingsError, match=says):
        run(model, bag, *arguments)


@pytest.mark.parametrize("link", [None, Path.symlink_to, Path.hardlink_to], ids=["itself", "symbolic", "hard"])
def test_recordings_are_never_written_over(tmp_path: Path, model: str, link: Any) -> None:
    bag = write_bag(tmp_path / "bag", {TOPIC: [spot(0)]})
    source, output = only_file(bag), tmp_path / "link.mcap"
    if link is not None:
        link(output, source)
    for given, target in ((source, output if link else source), (bag, output if link else bag)):
        with pytest.raises(SettingsError, match=r"is the input .*, which would be overwritten"):
            run(model, given, "-o", target)


def test_what_an_interrupted_run_left_is_not_deleted_while_it_is_an_input(tmp_path: Path, model: str) -> None:
    left = write_bag(tmp_path / ".out.mcap.part" / "out.mcap", {TOPIC: [spot(0)]})
    with pytest.raises(SettingsError, match=r"written in .*\.out\.mcap\.part, where the input"):
        run(model, only_file(left), "-o", tmp_path / "out.mcap")
    assert run(model, only_file(left), "-o", tmp_path / "other.mcap") == 0


def test_bags_do_not_mix_with_pictures_nor_with_bags_of_the_same_name(tmp_path: Path, model: str) -> None:
    bag = write_bag(tmp_path / "bag", {TOPIC: [spot(0)]})
    with pytest.raises(SettingsError, match=r"no bags: picture\.png"):
        run(model, bag, "picture.png", "-o", tmp_path / "out")
    same = write_bag(tmp_path / "again" / "bag", {TOPIC: [spot(0)]})
    with pytest.raises(SettingsError, match="same name"):
        run(model, bag, same, "-o", tmp_path / "out")


def test_bags_on_ray(tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("ray", reason="pip install ray")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    # Ray's processes start elsewhere; from a clone they find the package only so.
    monkeypatch.setenv("PYTHONPATH", str(Path(predict.__file__).parents[3]))
    bags = [write_bag(tmp_path / f"bag{k}", {TOPIC: [spot(n) for n in range(3)]}) for k in range(3)]
    bad = write_bag(tmp_path / "bad", {TOPIC: [spot(0), image(1, step=3)]})
    monkeypatch.chdir(tmp_path)
    names = [bag.name for bag in (*bags, bad)]
    assert run(model, *names, "-o", "results", "--ray", "local", "--workers", 2) == 1
    assert [len(messages(tmp_path / "results" / f"{name}.mcap")["persons"]) for name in names] == [3, 3, 3, 1]
    assert f"error: {TOPIC} at {log_ns(1)} ns: step" in capsys.readouterr().err
    with pytest.raises(ModelError, match=r"none\.onnx"):
        run("none.onnx", "bag0", "-o", "out.mcap", "--ray", "local")


def test_the_parts_of_a_long_recording_on_several_workers(tmp_path: Path, model: str, capsys: pytest.CaptureFixture[str]) -> None:
    bag = write_bag(tmp_path / "bag", {TOPIC: [spot(n) for n in range(250)]})
    assert run(model, bag, "-o", tmp_path / "out.mcap", "--workers", 4) == 0
    assert sorted(file.name for file in tmp_path.iterdir()) == ["bag", "out.mcap"]
    found = messages(tmp_path / "out.mcap")
    assert [when for when, _ in found["persons"]] == [log_ns(n) for n in range(250)]
    ids = [m.persons[0].track_id for _, m in found["persons"]]
    assert ids == [-1] + 124 * [1] + [-1] + 124 * [1_000_001]
    assert [m.detections[0].id for _, m in found["detections"]][-1] == "1000001"
    assert len(found["skeleton"]) == 1
    assert "250 images, 250 people, in 2 parts (new track ids in each)" in capsys.readouterr().out


def test_a_part_that_cannot_be_written_leaves_no_result(tmp_path: Path, model: str, capsys: pytest.CaptureFixture[str]) -> None:
    bag = write_bag(tmp_path / "bag", {TOPIC: [spot(n) for n in range(200)]})
    (tmp_path / ".out.mcap.parts").write_bytes(b"a file in the place of a folder")
    assert run(model, bag, "-o", tmp_path / "out.mcap", "--workers", 2) == 1
    assert "cannot write" in capsys.readouterr().err
    assert not (tmp_path / "out.mcap").exists()


@pytest.mark.parametrize("compression", [None, "BZ2", "LZ4"])
@pytest.mark.parametrize("make", [image, jpeg])
def test_a_recording_of_ros_1(tmp_path: Path, model: str, compression: str | None, make: Any) -> None:
    bag = write_ros1_bag(tmp_path / "old.bag", [make(n) for n in range(3)], compression=compression)
    assert run(model, bag, "-o", tmp_path / "out.mcap") == 0
    persons = messages(tmp_path / "out.mcap")["persons"]
    assert [when for when, _ in persons] == [log_ns(n) for n in range(3)]
    assert [str(m.header) for _, m in persons] == [str(header(n)) for n in range(3)]


def test_without_ray_the_extra_is_named(tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bag = write_bag(tmp_path / "bag", {TOPIC: [spot(0)]})
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(PoseError, match="pip install ray"):
        run(model, bag, "-o", tmp_path / "out.mcap", "--ray", "local")


@pytest.mark.parametrize("name", ["out.mcap", "out.db3", "out"])
@pytest.mark.parametrize("limit_bytes", [0, 3_000])
def test_a_full_disk_leaves_nothing(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, limit_bytes: int
) -> None:
    source = write_bag(tmp_path / "in", {TOPIC: [spot(number) for number in range(5)]})
    before = set(tmp_path.rglob("*"))
    with full_disk(limit_bytes):
        assert run(model, source, "-o", tmp_path / name, "--annotated") == 1
    assert f"cannot write {tmp_path / name}: " in capsys.readouterr().err
    assert set(tmp_path.rglob("*")) == before


def test_annotations_that_foxglove_draws(tmp_path: Path, model: str) -> None:
    """Read with mcap's own decoder, which knows only what the file says of itself."""
    from mcap.reader import make_reader
    from mcap_ros2.decoder import DecoderFactory

    bag = write_bag(tmp_path / "bag", {TOPIC: [spot(n) for n in range(3)]})
    assert run(model, bag, "-o", tmp_path / "out.mcap", "--annotations") == 0
    with (tmp_path / "out.mcap").open("rb") as file:
        reader = make_reader(file, decoder_factories=[DecoderFactory()])
        found = list(reader.iter_decoded_messages(topics=["/pose_resnet/annotations"]))
    assert {schema.name for schema, *_ in found} == {"foxglove_msgs/msg/ImageAnnotations"}
    assert [message.log_time for _, _, message, _ in found] == [log_ns(n) for n in range(3)]
    decoded = [message for *_, message in found]
    stamps = [(m.timestamp.sec, m.timestamp.nanosec) for m in decoded]
    assert stamps == [(header(n).stamp.sec, header(n).stamp.nanosec) for n in range(3)]
    assert [[text.text for text in m.texts] for m in decoded] == [[], ["#1"], ["#1"]]
    box, limbs, joints = decoded[1].points
    assert [(p.x, p.y) for p in box.points] == [(0.5, 0.5), (128.5, 0.5), (128.5, 96.5), (0.5, 96.5)]
    assert (box.type, limbs.type, joints.type) == (2, 4, 1)
    assert (len(limbs.points), len(joints.points)) == (2 * len(OPENPOSE18.edges), len(OPENPOSE18))
    assert abs(joints.points[0].x - SPOT[0]) < 4 * 1.25 * 128 / 48
