# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pose_resnet_ros.core.errors import SettingsError
from pose_resnet_ros.output_files import OutputGuard, write_whole


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").write_bytes(b"of great value")
    return tmp_path / "in" / "a.png"


@pytest.mark.parametrize("given", ["file", "folder", "link"])
@pytest.mark.parametrize("output", ["itself", "symbolic", "hard", "folder", "dots"])
def test_an_input_is_no_output_through_whatever_link(tmp_path: Path, picture: Path, given: str, output: str) -> None:
    (tmp_path / "link.png").symlink_to(picture)
    (tmp_path / "out.png").symlink_to(picture)
    os.link(picture, tmp_path / "hard.png")
    (tmp_path / "folder").symlink_to(picture.parent)
    inputs = {"file": picture, "folder": picture.parent, "link": tmp_path / "link.png"}
    outputs = {
        "itself": picture,
        "symbolic": tmp_path / "out.png",
        "hard": tmp_path / "hard.png",
        "folder": tmp_path / "folder" / "a.png",
        "dots": tmp_path / "in" / ".." / "in" / "a.png",
    }
    with pytest.raises(SettingsError, match=r"^json: .*would be overwritten; name another file"):
        OutputGuard([inputs[given]]).claim("json", outputs[output])


def test_other_files_are_outputs(tmp_path: Path, picture: Path) -> None:
    (tmp_path / "dangling").symlink_to(tmp_path / "nothing")
    guard = OutputGuard([picture, tmp_path / "none"])
    for name in ("b.png", "in/b.png", "dangling"):
        guard.claim("output", tmp_path / name)
        guard.claim("output", tmp_path / name)


def test_two_options_do_not_write_one_file(tmp_path: Path) -> None:
    guard = OutputGuard()
    (tmp_path / "link").symlink_to(tmp_path)
    guard.claim("json", tmp_path / "r")
    with pytest.raises(SettingsError, match=r"csv: .* is also written by json"):
        guard.claim("csv", tmp_path / "link" / "r")


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"old")
    (tmp_path / "link").symlink_to("target")
    write_whole(tmp_path / "link", b"new", name="json")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_bytes() == b"new"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["link", "target"]


def test_the_other_name_of_a_file_keeps_its_content(tmp_path: Path, picture: Path) -> None:
    os.link(picture, tmp_path / "other.png")
    write_whole(tmp_path / "other.png", b"new", name="output")
    assert picture.read_bytes() == b"of great value"


def test_a_device_is_written_to(tmp_path: Path) -> None:
    write_whole(Path("/dev/null"), b"data", name="json")
    assert Path("/dev/null").is_char_device()


def test_a_pipe_is_written_to_where_somebody_reads_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SettingsError, match=r"json: cannot write .*pipe: No such device or address"):
        write_whole(tmp_path / "pipe", b"data", name="json")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    write_whole(tmp_path / "pipe", b"data", name="json")
    assert os.read(reader, 9) == b"data"
    os.close(reader)


@pytest.mark.parametrize("name", ["folder", "none/file"])
def test_what_cannot_be_written_is_one_sentence(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(SettingsError, match=f"^json: cannot write .*{name}"):
        write_whole(tmp_path / name, b"", name="json")
    assert [file.name for file in tmp_path.iterdir()] == ["folder"]
