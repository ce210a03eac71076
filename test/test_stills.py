# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Image files by their content, written here by Pillow and OpenCV."""

from __future__ import annotations

import contextlib
import os
import struct
import sys
import zlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pillow_heif
import pytest
from PIL import Image, TiffImagePlugin, features

from pose_resnet_ros.core.errors import ImageError
from pose_resnet_ros.core.library_setup import MAX_PIXELS
from pose_resnet_ros.ros.codecs.compressed import compressed_to_bgr
from pose_resnet_ros.stills import StillImage, is_still

RED_GREEN_BLUE = np.zeros((40, 60, 3), np.uint8)  # RGB; the upper left quarter red, the upper right green, below blue
RED_GREEN_BLUE[:20, :30, 0] = RED_GREEN_BLUE[:20, 30:, 1] = RED_GREEN_BLUE[20:, :, 2] = 255


def write(path: Path, format_name: str, **options: Any) -> Path:
    Image.fromarray(RED_GREEN_BLUE).save(path, format_name, **options)
    return path


def write_pages(path: Path, format_name: str, shades: list[int], **options: Any) -> Path:
    first, *rest = [Image.fromarray(np.full((40, 60, 3), shade, np.uint8)) for shade in shades]
    first.save(path, format_name, save_all=True, append_images=rest, **options)
    return path


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def huge_png(path: Path, side: int) -> Path:
    """A file of some 60 bytes whose header promises side x side pixels."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + png_chunk(b"IDAT", b"") + png_chunk(b"IEND", b""))
    return path


FORMATS = ["BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP"]
SUPPORTED = features.get_supported()
FORMATS += [name for name, feature in {"AVIF": "avif", "JPEG2000": "jpg_2000"}.items() if feature in SUPPORTED]


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize("name", ["picture", "picture.jfif", "picture.mp4", "caf\udce9.jpg"])
def test_the_content_decides(tmp_path: Path, format_name: str, name: str) -> None:
    write(tmp_path / "written", format_name).rename(tmp_path / name)
    assert is_still(tmp_path / name)
    image = StillImage(tmp_path / name)
    assert image.pages == [0]
    pixels = image.pixels()
    for x, y, bgr in ((10, 5, (0, 0, 255)), (50, 5, (0, 255, 0)), (30, 35, (255, 0, 0))):
        np.testing.assert_allclose(pixels[y, x], bgr, atol=60)


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x1aE\xdf\xa3" * 40, b"\0\0\0\x18ftypisom" + b"\0" * 99])
def test_what_is_no_image(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.png").write_bytes(content)
    assert not is_still(tmp_path / "a.png")
    with pytest.raises(ImageError, match=r"a\.png: (the file is empty|not an image that can be read)"):
        StillImage(tmp_path / "a.png")


@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(tmp_path: Path, format_name: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[274] = orientation
    kept = {"tiffinfo": {274: orientation}} if format_name == "TIFF" else {"exif": exif}
    image = StillImage(write(tmp_path / "a", format_name, **kept))
    pixels = image.pixels()
    assert pixels.shape == ((40, 60, 3) if orientation < 5 else (60, 40, 3))
    corner = {1: (0, 0), 2: (0, -1), 3: (-1, -1), 4: (-1, 0), 5: (0, 0), 6: (0, -1), 7: (-1, -1), 8: (-1, 0)}
    np.testing.assert_allclose(pixels[corner[orientation]], (0, 0, 255), atol=60)
    if format_name != "TIFF":
        assert image.pixels(upright=False).shape == (40, 60, 3)


@pytest.mark.parametrize("format_name", ["TIFF", "PNG", "WEBP", "GIF"])
def test_every_page(tmp_path: Path, format_name: str) -> None:
    options = {"lossless": True, "duration": 100} if format_name == "WEBP" else {}
    path = write_pages(tmp_path / "a", format_name, [10, 120, 250], **options)
    image = StillImage(path)
    assert image.pages == [0, 1, 2]
    # Old Pillow writes GIFs in 216 fixed colours.
    found = [int(image.pixels(page)[20, 30, 0]) for page in image.pages]
    np.testing.assert_allclose(found, [10, 120, 250], atol=50 if format_name == "GIF" else 0)
    assert is_still(path) == (format_name != "GIF")  # an animated one is a video


def test_pages_of_16_bits_and_of_other_sizes(tmp_path: Path) -> None:
    levels = np.repeat(np.array([0, 0x8000, 0xFFFF], np.uint16), 800).reshape(40, 60)
    deep = Image.fromarray(levels)
    deep.save(tmp_path / "a.tif", save_all=True, append_images=[Image.new("RGB", (8, 6), (0, 0, 7))])
    image = StillImage(tmp_path / "a.tif")
    assert [image.pixels(page).shape for page in image.pages] == [(40, 60, 3), (6, 8, 3)]
    assert np.abs(image.pixels(0)[..., 0] - (levels / 257)).max() <= 1
    assert image.pixels(1)[0, 0].tolist() == [7, 0, 0]


def test_reduced_copies_are_no_pages(tmp_path: Path) -> None:
    pages = [Image.fromarray(RED_GREEN_BLUE), Image.new("RGB", (30, 20)), Image.new("RGB", (15, 10))]
    with TiffImagePlugin.AppendingTiffWriter(str(tmp_path / "a.tif"), True) as file:
        for number, page in enumerate(pages):
            page.save(file, format="TIFF", tiffinfo={254: int(number > 0)})
            file.newFrame()
    assert StillImage(tmp_path / "a.tif").pages == [0]


@pytest.mark.parametrize("format_name", ["png", "tiff"])
@pytest.mark.parametrize("bits", [10, 12, 16])
def test_16_bits_are_scaled_between_the_darkest_and_the_brightest(tmp_path: Path, format_name: str, bits: int) -> None:
    """As the node does it with a message of the same pixels; dividing by 256 would leave a 12-bit image black."""
    ramp = np.tile(np.arange(256, dtype=np.uint16), (100, 1))
    values = ramp * (((1 << bits) - 1) // 255)
    path = tmp_path / f"a.{format_name}"
    for pixels in (values, np.stack([values] * 3, axis=2)):
        cv2.imwrite(str(path), pixels)
        got = StillImage(path).pixels()
        assert np.abs(got.astype(int) - ramp[..., None]).max() <= 2  # half a percent at each end is cut off
        message = SimpleNamespace(format="", data=path.read_bytes())
        np.testing.assert_array_equal(got, compressed_to_bgr(message))


@pytest.mark.parametrize("side", [11_600, 13_500, 60_000, 2**31 - 1])
def test_a_header_that_asks_for_gigabytes_is_refused(tmp_path: Path, side: int) -> None:
    """11 600 squared is a little above our limit and below Pillow's warning, 13 500 and more are above its errors."""
    assert side**2 > MAX_PIXELS
    path = huge_png(tmp_path / "bomb", side)
    assert is_still(path)
    with pytest.raises(ImageError, match="bomb"):
        StillImage(path)


@pytest.mark.parametrize("cut", [0.02, 0.3, 0.7])
@pytest.mark.parametrize("format_name", FORMATS)
def test_a_damaged_file_is_an_image_error_or_pixels(tmp_path: Path, format_name: str, cut: float) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8))
    noise.save(tmp_path / "a", format_name)
    data = (tmp_path / "a").read_bytes()
    (tmp_path / "a").write_bytes(data[: int(cut * len(data))])
    with contextlib.suppress(ImageError):
        assert StillImage(tmp_path / "a").pixels().shape == (64, 64, 3)


def test_pipes_and_folders_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    for path in (tmp_path / "pipe.png", tmp_path, Path("/dev/zero")):
        assert not is_still(path)
        with pytest.raises(ImageError, match="a folder, a pipe or a device"):
            StillImage(path)
    with pytest.raises(ImageError, match=r"none\.png: cannot be read: No such file"):
        StillImage(tmp_path / "none.png")


@pytest.mark.parametrize("suffix", [".heic", ".mp4", ""])
def test_heic_is_read_whole_or_refused_with_the_cure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    with path.open("wb") as file:
        pillow_heif.from_pillow(Image.fromarray(RED_GREEN_BLUE)).save(file)
    assert is_still(path)
    assert StillImage(path).pixels().shape == (40, 60, 3)
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(ImageError, match="not an image that can be read"):
        StillImage(path)
    monkeypatch.setitem(sys.modules, "pillow_heif", None)  # as where it is not installed
    monkeypatch.delitem(Image.OPEN, "HEIF")
    assert is_still(path)
    with pytest.raises(ImageError, match="needs a library: pip install 'pillow-heif', or convert it to JPEG"):
        StillImage(path)


def test_avif_names_the_version_that_reads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(b"\0\0\0\x20ftypavif" + bytes(99))
    assert is_still(tmp_path / "a")
    monkeypatch.setattr(features, "get_supported_modules", list)  # as where Pillow is older
    with pytest.raises(ImageError, match=r"pip install 'pillow>=11\.3'"):
        StillImage(tmp_path / "a")


@pytest.mark.parametrize("data", [b"\xff\x0a" + bytes(99), b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(99)])
def test_jpeg_xl_names_its_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    (tmp_path / "a").write_bytes(data)
    monkeypatch.setitem(sys.modules, "pillow_jxl", None)
    assert is_still(tmp_path / "a")
    with pytest.raises(ImageError, match="pip install 'pillow-jxl-plugin'"):
        StillImage(tmp_path / "a")


def test_annotations_in_stored_or_upright_pixels(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 6
    image = StillImage(write(tmp_path / "a.jpg", "JPEG", exif=exif))
    assert image.declared_pixels((60, 40)).shape == (40, 60, 3)
    assert image.declared_pixels((40, 60)).shape == (60, 40, 3)
    with pytest.raises(ImageError, match=r"the annotations say 100 x 100, but it has 60 x 40 pixels"):
        image.declared_pixels((100, 100))
