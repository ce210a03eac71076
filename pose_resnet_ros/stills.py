# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Image files, recognised by their content, and their pixels, page by page.

Pillow reads the headers (format, size, pages, EXIF), so that nothing is decoded before its size is known. OpenCV decodes, or
Pillow what OpenCV cannot. The bytes are read here: OpenCV cannot take a file name that is not UTF-8.
"""

from __future__ import annotations

import io
import os
import stat
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, features

from pose_resnet_ros.core.errors import ImageError
from pose_resnet_ros.core.image_decoding import decode_bgr, to_uint8
from pose_resnet_ros.core.library_setup import MAX_PIXELS

MAX_FILE_BYTES = 2 << 30
_FORMATS = ("AVIF", "BMP", "GIF", "HEIF", "JPEG", "JPEG2000", "JXL", "PNG", "PPM", "TIFF", "WEBP")
_PAGED = ("AVIF", "GIF", "HEIF", "PNG", "TIFF", "WEBP")  # further images in a JPEG are previews and depth maps
_SCALED_DOWN = 1  # bit of TIFF's NewSubfileType (TIFF 6.0, tag 254)
_NEW_SUBFILE_TYPE, _ORIENTATION = 254, 274
_Turn = Callable[[np.ndarray], np.ndarray]
# EXIF 2.32, tag Orientation: from the stored to the upright pixels.
_TURNS: dict[int, _Turn] = {
    2: lambda image: image[:, ::-1],
    3: lambda image: image[::-1, ::-1],
    4: lambda image: image[::-1],
    5: lambda image: image.swapaxes(0, 1),
    6: lambda image: image[::-1].swapaxes(0, 1),
    7: lambda image: image[::-1, ::-1].swapaxes(0, 1),
    8: lambda image: image[:, ::-1].swapaxes(0, 1),
}


class StillImage:
    """An open image file; pages: the numbers of its images, counted from 0, without reduced copies."""

    def __init__(self, path: Path, data: bytes | None = None) -> None:
        """data: the file's content, if it lies elsewhere, as in an archive.

        Raises ImageError for a file that is not an image, for more than ``MAX_PIXELS``, and if its format needs another library.
        """
        self.path = path
        self._data = _read(path) if data is None else data
        try:
            image = _identify(io.BytesIO(self._data))
            if image is None:
                raise ImageError(f"{path}: {_why_not(self._data)}")
            self._image = image
            self._check_size()
            self.pages = _pages(image)
        except ImageError:
            raise
        except Image.DecompressionBombError as error:
            raise ImageError(f"{path}: expected at most {MAX_PIXELS} pixels: {error}") from error
        except Exception as error:  # Pillow's decoders raise whatever their format's damage leads to
            raise ImageError(f"{path}: cannot be read: {error}") from error

    def pixels(self, page: int = 0, *, upright: bool = True) -> np.ndarray:
        """(H, W, 3) uint8 BGR; 16 bits are scaled by ``to_uint8``. upright: EXIF orientation is applied (a TIFF's always is).

        Raises ImageError for a page that is damaged or too large.
        """
        stored = self._decode(page)
        return self._turned(stored) if upright else stored

    def declared_pixels(self, size_wh: tuple[int, int]) -> np.ndarray:
        """(H, W, 3) uint8 BGR in the pixels of annotations that declare this size: as stored if it fits, which is COCO's
        convention, else upright.

        Raises ImageError if it fits neither, and as ``pixels``.
        """
        stored = self.pixels(upright=False)
        if stored.shape[1::-1] == size_wh:
            return stored
        turned = self._turned(stored)
        if turned.shape[1::-1] == size_wh:
            return turned
        (width, height), (height_here, width_here) = size_wh, stored.shape[:2]
        raise ImageError(f"{self.path}: the annotations say {width} x {height}, but it has {width_here} x {height_here} pixels")

    def _turned(self, stored: np.ndarray) -> np.ndarray:
        turn = _TURNS.get(_orientation(self._image))
        return stored if turn is None else np.ascontiguousarray(turn(stored))

    def _decode(self, page: int) -> np.ndarray:
        if len(self.pages) == 1:
            with suppress(ImageError):  # what OpenCV cannot decode, Pillow may
                return decode_bgr(self._data)
        try:
            self._image.seek(page)
            self._check_size()
            return _bgr(self._image)
        except ImageError:
            raise
        except Exception as error:  # as above
            where = f"page {page} of {self.path}" if len(self.pages) > 1 else str(self.path)
            raise ImageError(f"{where} cannot be decoded: {error}") from error

    def _check_size(self) -> None:
        width, height = self._image.size
        if width * height > MAX_PIXELS:
            raise ImageError(f"{self.path}: expected at most {MAX_PIXELS} pixels, got {width} x {height}")


def is_still(path: Path) -> bool:
    """Whether a file's content is an image of any format; animated GIFs are videos. False if it is not a regular file."""
    try:
        with _open(path) as file:
            head = file.read(16)
            if _library_for(head):
                return True
            file.seek(0)
            image = _identify(file)
            return image is not None and not (image.format == "GIF" and len(_pages(image)) > 1)
    except (ImageError, OSError):
        return False
    except Exception:  # noqa: BLE001 - too large or damaged, which reading it reports
        return True


def _read(path: Path) -> bytes:
    try:
        with _open(path) as file:
            if os.fstat(file.fileno()).st_size > MAX_FILE_BYTES:
                raise ImageError(f"{path}: expected an image of at most {MAX_FILE_BYTES >> 30} GiB")
            return file.read()
    except OSError as error:
        raise ImageError(f"{path}: cannot be read: {error.strerror}") from error


def _open(path: Path) -> BinaryIO:
    """Never waits, as opening a pipe would. Raises OSError, and ImageError for a pipe or a device."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    raise ImageError(f"{path}: expected an image file; this is a folder, a pipe or a device")


def _identify(file: BinaryIO) -> Image.Image | None:
    """Reads the header only; None if no decoder knows it. Raises Pillow's DecompressionBombError for a huge one."""
    head = file.read(16)
    file.seek(0)
    _load_plugin(_library_for(head))
    Image.init()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about large images, which we limit, and about damage, which decoding reports
        try:
            return Image.open(file, formats=[name for name in _FORMATS if name in Image.OPEN])
        except Image.DecompressionBombError:
            raise
        except Exception:  # noqa: BLE001 - no header may end the run
            return None


def _library_for(head: bytes) -> str:
    """The Python package needed for a format that neither OpenCV nor Pillow always decodes; "" for others."""
    if head[4:8] == b"ftyp" and head[8:12] in (b"avif", b"avis"):
        return "pillow>=11.3"
    if head[4:8] == b"ftyp" and head[8:12] in (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1"):
        return "pillow-heif"
    if head[:2] == b"\xff\x0a" or head[:12] == b"\0\0\0\x0cJXL \r\n\x87\n":
        return "pillow-jxl-plugin"
    return ""


def _load_plugin(package: str) -> bool:
    """Whether the format can be read now."""
    try:
        if package == "pillow-heif":
            import pillow_heif

            pillow_heif.register_heif_opener()
        if package == "pillow-jxl-plugin":
            import pillow_jxl  # noqa: F401 - registers itself
    except ImportError:
        return False
    return package != "pillow>=11.3" or "avif" in features.get_supported_modules()


def _why_not(data: bytes) -> str:
    if not data:
        return "the file is empty"
    package = _library_for(data[:16])
    if not _load_plugin(package):
        return f"reading this format (HEIC, AVIF or JPEG XL) needs a library: pip install '{package}', or convert it to JPEG"
    return "not an image that can be read"


def _pages(image: Image.Image) -> list[int]:
    count = getattr(image, "n_frames", 1) if image.format in _PAGED else 1
    if count == 1 or image.format != "TIFF":
        return list(range(count))
    return [page for page in range(count) if page == 0 or not _is_reduced(image, page)]


def _is_reduced(image: Image.Image, page: int) -> bool:
    image.seek(page)
    return bool(image.tag_v2.get(_NEW_SUBFILE_TYPE, 0) & _SCALED_DOWN)  # type: ignore[attr-defined]


def _orientation(image: Image.Image) -> int:
    """By EXIF; 1 (upright) if there is none, and for a TIFF, whose decoders apply it themselves."""
    if image.format == "TIFF":
        return 1
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # noqa: BLE001 - damaged EXIF data counts as none
        return 1


def _bgr(image: Image.Image) -> np.ndarray:
    """The pixels of Pillow's current page."""
    if image.mode.startswith("I;16"):
        image = Image.fromarray(to_uint8(np.asarray(image).astype(np.uint16)))
    if image.mode in ("I", "F"):
        raise ImageError("expected 8 or 16 bits per value, got 32")
    return np.ascontiguousarray(np.asarray(image.convert("RGB"))[:, :, ::-1])
