# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
import videos
from PIL import Image

from pose_resnet_ros.core.errors import ImageError, SettingsError
from pose_resnet_ros.media import Stills, open_media
from pose_resnet_ros.video.reader import VideoReader


def write(path: Path, gray: int = 0) -> Path:
    cv2.imwrite(str(path), np.full((6, 8, 3), gray, np.uint8))
    return path


def test_an_image(tmp_path: Path) -> None:
    path = write(tmp_path / "A.PNG", 7)
    media = open_media(str(path))
    assert (media.length, media.fps) == (1, None)
    picture = media.read()
    assert picture is not None
    assert (picture.path, picture.index, picture.bgr.shape) == (path, 0, (6, 8, 3))
    assert (picture.bgr == 7).all()
    assert media.read() is None
    media.close()


def test_a_folder_in_order_of_names_goes_on_after_a_damaged_image(tmp_path: Path) -> None:
    for number in (2, 1):
        write(tmp_path / f"{number}.png", number)
    (tmp_path / "15.jpg").write_bytes(b"damaged")
    (tmp_path / "note.txt").write_text("no image")
    media = open_media(str(tmp_path))
    assert isinstance(media, Stills)
    assert media.length == 3
    first = media.read()
    with pytest.raises(ImageError, match=r"15\.jpg"):
        media.read()
    last = media.read()
    assert first is not None
    assert last is not None
    assert [first.path.name, last.path.name] == ["1.png", "2.png"]
    assert [first.index, last.index] == [0, 2]
    assert media.read() is None


def test_a_folder_of_everything(tmp_path: Path) -> None:
    """Images by content, pages one by one, junk passed over, and what should be an image and is none said."""
    write(tmp_path / "1.png", 1).rename(tmp_path / "1")
    write(tmp_path / "2.png", 2).rename(tmp_path / "caf\udce9.JFIF")
    shades = [Image.new("L", (8, 6), shade) for shade in (3, 4)]
    shades[0].save(tmp_path / "scan.tif", save_all=True, append_images=shades[1:])
    (tmp_path / "link.jpg").symlink_to("1")
    (tmp_path / "broken.jpg").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe.png")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "._1.png").write_bytes(b"what macOS writes")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "film.mp4").write_bytes(b"\0\0\0\x18ftypisom" + bytes(99))
    media = open_media(str(tmp_path))
    found, errors = [], []

    def read() -> bool:
        try:
            picture = media.read()
        except ImageError as error:
            errors.append(Path(str(error).split(":")[0]).name)
            return True
        if picture is not None:
            found.append((os.fsencode(picture.path.name), picture.page, int(picture.bgr[0, 0, 0])))
        return picture is not None

    while read():
        pass
    assert found == [
        (b"1", None, 1), (b"caf\xe9.JFIF", None, 2), (b"link.jpg", None, 1), (b"scan.tif", 0, 3), (b"scan.tif", 1, 4),
    ]  # fmt: skip
    assert errors == ["broken.jpg", "pipe.png"]


def test_a_video(tmp_path: Path) -> None:
    path = videos.write_video(tmp_path / "video.avi", [videos.gray(60 * k) for k in range(4)], fps=12.5, codec="mjpeg")
    media = open_media(str(path))
    assert isinstance(media, VideoReader)
    assert (media.length, media.fps) == (4, 12.5)
    pictures = [media.read() for _ in range(4)]
    assert media.read() is None
    assert [(picture.index, picture.time_s) for picture in pictures if picture] == [(0, 0.0), (1, 0.08), (2, 0.16), (3, 0.24)]
    assert media.name == "video"
    np.testing.assert_allclose([picture.bgr.mean() for picture in pictures if picture], [0, 60, 120, 180], atol=4)
    media.close()


def test_what_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no images in the folder"):
        open_media(str(tmp_path))
    with pytest.raises(SettingsError, match="there is no '/nowhere'"):
        open_media("/nowhere")
    with pytest.raises(SettingsError, match=r"there is no '~nobody/7\.png'"):
        open_media("~nobody/7.png")
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(SettingsError, match="is a pipe, a socket or a device"):
        open_media(str(tmp_path / "pipe.png"))
    text = tmp_path / "notes.txt"
    text.write_text("hello")
    with pytest.raises(SettingsError, match="cannot open"):
        open_media(str(text))
    with pytest.raises(SettingsError, match="webcam 97"):
        open_media("97")
