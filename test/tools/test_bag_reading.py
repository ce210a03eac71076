# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Images out of recordings that rosbags wrote, whole and damaged."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rosbags")
from bag_files import TOPIC, image, jpeg, log_ns, mixed_mcap, only_file, picture, write_bag, write_ros1_bag
from rosbags.rosbag2 import StoragePlugin, Writer

from pose_resnet_ros.core.errors import ImageError, SettingsError
from pose_resnet_ros.tools.bags.bag_messages import typestore
from pose_resnet_ros.tools.bags.bag_reading import BagImage, BagImages, is_bag
from pose_resnet_ros.tools.bags.bag_salvage import BagError


def read(path: Path, topic: str | None = TOPIC) -> tuple[list[BagImage], str]:
    """All images, and what was said at the end."""
    found: list[BagImage] = []
    with BagImages(path, topic) as images:
        try:
            found.extend(images)
        except BagError as error:
            return found, str(error)
    return found, ""


def cut(path: Path, share: float) -> Path:
    """The first part of a file, as a full disk or a pulled plug leaves it."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
@pytest.mark.parametrize("as_file", [True, False])
def test_raw_images_come_as_they_were_recorded(tmp_path: Path, storage: str, as_file: bool) -> None:
    bag = write_bag(tmp_path / "bag", {TOPIC: [image(n) for n in range(3)]}, storage=storage)
    found, problem = read(only_file(bag) if as_file else bag)
    assert problem == ""
    assert [i.log_ns for i in found] == [log_ns(n) for n in range(3)]
    assert [i.is_compressed for i in found] == [False] * 3
    np.testing.assert_array_equal(found[2].message.data.reshape(96, 128, 3), picture(2))
    assert found[2].message.header.frame_id == "camera_optical_frame"


@pytest.mark.parametrize("compressed", ["message", "file"])
def test_recordings_compressed_by_the_recorder(tmp_path: Path, compressed: str) -> None:
    bag = write_bag(tmp_path / "bag", {TOPIC: [image(0), image(1)]}, storage="sqlite3", compressed=compressed)
    assert is_bag(bag)
    found, problem = read(bag)
    assert (len(found), problem) == (2, "")
    np.testing.assert_array_equal(found[1].message.data.reshape(96, 128, 3), picture(1))


def test_messages_compressed_one_by_one_without_metadata(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / "bag", {TOPIC: [image(0)]}, storage="sqlite3", compressed="message")
    (found,), problem = read(only_file(bag))
    assert problem == ""
    np.testing.assert_array_equal(found.message.data.reshape(96, 128, 3), picture(0))


def test_a_packed_file_by_itself_says_what_to_do(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / "bag", {TOPIC: [image(0)]}, storage="sqlite3", compressed="file")
    assert is_bag(bag / "bag.db3.zstd")
    (bag / "metadata.yaml").unlink()
    for path in (bag, bag / "bag.db3.zstd"):
        with pytest.raises(BagError, match=r"bag\.db3\.zstd is compressed as a whole.*unzstd"):
            BagImages(path, TOPIC)


def test_what_other_topics_carry_does_not_matter(tmp_path: Path) -> None:
    """A message definition that nobody can parse, on another topic."""
    with Writer(tmp_path / "bag", version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        odd = writer.add_connection("/odd", "odd_msgs/msg/Odd", msgdef="no definition at all", rihs01="RIHS01_0")
        writer.write(odd, log_ns(0), b"\0\1\0\0")
    odd_file = only_file(tmp_path / "bag").rename(tmp_path / "bag" / "odd.mcap")
    images = write_bag(tmp_path / "images", {TOPIC: [image(0), image(1)]})
    only_file(images).rename(odd_file.with_name("zimages.mcap"))
    (tmp_path / "bag" / "metadata.yaml").unlink()
    found, problem = read(tmp_path / "bag")
    assert (len(found), problem) == (2, "")


def test_the_files_of_a_folder_come_in_the_order_of_time(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / "bag", {TOPIC: [image(n) for n in (0, 1)]})
    only_file(bag).rename(bag / "later_name.mcap")
    same_time = write_bag(tmp_path / "other", {TOPIC: [image(n) for n in (0, 1, 2)]})
    only_file(same_time).rename(bag / "earlier_name.mcap")
    (bag / "metadata.yaml").unlink()
    found, _ = read(bag)
    assert [i.log_ns for i in found] == [log_ns(n) for n in (0, 0, 1, 1, 2)]


def test_compressed_images(tmp_path: Path) -> None:
    found, _ = read(write_bag(tmp_path / "bag", {TOPIC: [jpeg(0), jpeg(1)]}))
    assert [i.is_compressed for i in found] == [True, True]
    assert found[0].message.format == "bgr8; jpeg compressed bgr8"


def test_no_images_at_all(tmp_path: Path) -> None:
    assert read(write_bag(tmp_path / "bag", {TOPIC: []})) == ([], "")


def test_the_only_image_topic_needs_no_name(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / "bag", {TOPIC: [image(0)]})
    with BagImages(bag, None) as images:
        assert (images.topic, images.length) == (TOPIC, 1)


def test_one_topic_of_several_is_asked_for_by_name(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / "bag", {TOPIC: [image(0)], "/other": [image(0), image(1)]})
    with pytest.raises(SettingsError, match=r"--topic.*its image topics: /camera/image_raw, /other"):
        BagImages(bag, None)
    with pytest.raises(SettingsError, match="no image topic '/depth'"):
        BagImages(bag, "/depth")
    assert len(read(bag, "/other")[0]) == 2


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_an_mcap_that_was_cut_off_gives_what_is_whole(tmp_path: Path, share: float) -> None:
    messages = [image(n, height=960, data=np.tile(picture(n).ravel(), 10)) for n in range(20)]
    bag = write_bag(tmp_path / "bag", {TOPIC: messages})
    found, problem = read(cut(only_file(bag), share))
    assert 0 < len(found) < 20
    assert [i.log_ns for i in found] == [log_ns(n) for n in range(len(found))]
    assert f"cut off after {len(found)} images" in problem


def test_a_db3_that_was_cut_off_gives_what_is_whole(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / "bag", {TOPIC: [image(n) for n in range(20)]}, storage="sqlite3")
    found, problem = read(cut(only_file(bag), 0.5))
    assert 0 < len(found) < 20
    assert f"cut off after {len(found)} images" in problem


def test_a_folder_whose_second_file_is_damaged_gives_the_first_and_more(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / "bag", {TOPIC: [image(n) for n in range(3)]})
    second = write_bag(tmp_path / "second", {TOPIC: [image(n) for n in range(40)]})
    cut(only_file(second), 0.8).rename(bag / "bag_1.mcap")
    (bag / "bag_2.mcap").write_bytes(b"")
    (bag / "metadata.yaml").unlink()
    found, problem = read(bag)
    assert 3 < len(found) < 43
    assert f"cut off after {len(found)} images" in problem


def test_a_folder_without_metadata_is_read_by_its_files(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / "bag", {TOPIC: [image(0)]})
    (bag / "metadata.yaml").unlink()
    assert is_bag(bag)
    assert len(read(bag)[0]) == 1


@pytest.mark.parametrize("suffix", [".mcap", ".db3"])
@pytest.mark.parametrize("content", [b"", b"this is no bag at all, only a text with the wrong name"])
def test_what_is_no_bag_is_refused_by_name(tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / f"recording{suffix}"
    path.write_bytes(content)
    with pytest.raises(BagError, match=f"recording{suffix}: not "):
        BagImages(path, TOPIC)


def test_what_counts_as_a_bag(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / "bag", {TOPIC: [image(0)]})
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    shutil.copy(only_file(bag), tmp_path / "copy.mcap")
    assert [is_bag(p) for p in (bag, tmp_path / "copy.mcap", pictures, Path("0"))] == [True, True, False, False]


ALL_OTHERS = ("noschema", "proto", "idl", "weird", "empty")


@pytest.mark.parametrize("others", [(), *((name,) for name in ALL_OTHERS), ALL_OTHERS])
@pytest.mark.parametrize("profile", ["ros2", ""])
def test_channels_that_are_not_ros_are_passed_over(tmp_path: Path, others: tuple[str, ...], profile: str) -> None:
    path = mixed_mcap(tmp_path / "a.mcap", *others, profile=profile)
    found, problem = read(path)
    assert ([i.log_ns for i in found], problem) == ([log_ns(n) for n in range(10)], "")
    np.testing.assert_array_equal(found[9].message.data.reshape(96, 128, 3), picture(9))
    with BagImages(path, None) as images:
        encodings = {"/noschema": "json", "/proto": "protobuf"}
        assert images.passed_over == {k: v for k, v in encodings.items() if k[1:] in others}


@pytest.mark.parametrize("others", [(), ALL_OTHERS])
def test_a_recording_with_other_channels_that_was_cut_off(tmp_path: Path, others: tuple[str, ...]) -> None:
    found, problem = read(cut(mixed_mcap(tmp_path / "a.mcap", *others), 2 / 3))
    assert 3 < len(found) < 10
    assert f"cut off after {len(found)} images" in problem


def test_a_recording_without_images_of_ros_2_says_what_is_there(tmp_path: Path) -> None:
    path = mixed_mcap(tmp_path / "a.mcap", "noschema", "proto", images=0)
    data = path.read_bytes()
    path.write_bytes(data.replace(b"sensor_msgs/msg/Image", b"sensor_msgs/msg/Imago"))
    with pytest.raises(SettingsError, match=r"its other topics: /noschema \(json\), /proto \(protobuf\)"):
        BagImages(path, None)


def test_a_folder_whose_file_is_absent_is_not_whole(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / "bag", {TOPIC: [image(0)]})
    metadata = (bag / "metadata.yaml").read_text()
    (bag / "metadata.yaml").write_text(metadata.replace("- bag.mcap", "- bag.mcap\n  - bag_1.mcap", 1))
    found, problem = read(bag)
    assert len(found) == 1
    assert "missing" in problem


@pytest.mark.parametrize("damage", [b"", b"\0", b"\0\1\0\0", b"\xff" * 200, b"\x28\xb5\x2f\xfd" * 5])
def test_a_damaged_message_costs_that_message(tmp_path: Path, damage: bytes) -> None:
    with Writer(tmp_path / "bag", version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        connection = writer.add_connection(TOPIC, "sensor_msgs/msg/Image", typestore=typestore())
        good = bytes(typestore().serialize_cdr(image(1), "sensor_msgs/msg/Image"))
        for number, raw in enumerate((damage, good)):
            writer.write(connection, log_ns(number), raw)
    (bad, whole), problem = read(tmp_path / "bag")
    assert problem == ""
    with pytest.raises(ImageError, match="not a message of type sensor_msgs/msg/Image"):
        _ = bad.message
    assert whole.message.width == 128


def test_a_message_that_unpacks_to_gigabytes_is_refused(tmp_path: Path) -> None:
    import zstandard

    raw = zstandard.ZstdCompressor().compress(bytes(1 << 20))
    assert raw[4:9] == bytes([0xA0, 0, 0, 0x10, 0])  # the frame's header: its content has 4 bytes for its size
    bomb = raw[:5] + (1 << 31).to_bytes(4, "little") + raw[9:]
    with pytest.raises(ImageError, match="more than 1024 MiB"):
        _ = BagImage(bomb, "sensor_msgs/msg/Image", 0).message


@pytest.mark.parametrize("compression", [None, "BZ2", "LZ4"])
def test_a_recording_of_ros_1(tmp_path: Path, compression: str | None) -> None:
    path = write_ros1_bag(tmp_path / "old.bag", [image(n) for n in range(4)], compression=compression)
    assert is_bag(path)
    found, problem = read(path, None)
    assert (problem, [i.log_ns for i in found]) == ("", [log_ns(n) for n in range(4)])
    assert str(found[3].message.header) == str(image(3).header)
    np.testing.assert_array_equal(found[3].message.data.reshape(96, 128, 3), picture(3))


@pytest.mark.parametrize("content", [b"#ROSBAG V2.0\nE\0\0\0", b"#ROSBAG V1.2\n", None])
def test_a_recording_of_ros_1_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "old one.bag"
    if content is None:
        content = write_ros1_bag(tmp_path / "whole.bag", [image(0)]).read_bytes()[:-40]
    path.write_bytes(content)
    assert is_bag(path)
    with pytest.raises(BagError, match=r"old one\.bag: cannot read this ROS 1 recording, try `rosbag reindex` on it"):
        BagImages(path, None)


def test_the_parts_of_a_recording_have_each_image_once(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / "bag", {TOPIC: [image(n) for n in range(310)]})
    with BagImages(bag, TOPIC) as images:
        assert images.spans_ns(1) == [(None, None)]
        spans = images.spans_ns(9)
    assert len(spans) == 3
    parts = []
    for span in spans:
        with BagImages(bag, TOPIC, span) as images:
            parts.append([found.log_ns for found in images])
    assert [when for part in parts for when in part] == [log_ns(n) for n in range(310)]
    assert all(len(part) in (103, 104) for part in parts)
