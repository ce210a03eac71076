# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Whatever bytes a picture has: pixels, or an ImageError."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mutations import mutated
from PIL import Image

from pose_resnet_ros.core.errors import ImageError
from pose_resnet_ros.stills import StillImage, is_still

PICTURE = np.random.default_rng(0).integers(0, 256, (12, 17, 3), np.uint8)


def pages(form: str) -> bytes:
    data = io.BytesIO()
    images = [Image.fromarray(PICTURE), Image.fromarray(255 - PICTURE)]
    images[0].save(data, form, save_all=True, append_images=images[1:], duration=100)
    return data.getvalue()


SINGLE = [cv2.imencode(s, PICTURE)[1].tobytes() for s in (".jpg", ".png", ".tiff", ".webp", ".bmp", ".ppm")]
FILES = [*SINGLE, *map(pages, ("PNG", "TIFF", "WEBP", "GIF"))]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pictures") / "picture"


@given(data=mutated(FILES) | st.binary(max_size=60), upright=st.booleans())
def test_a_picture_is_read_or_refused(path: Path, data: bytes, upright: bool) -> None:
    path.write_bytes(data)
    assert is_still(path) in (True, False)
    try:
        image = StillImage(path)
    except ImageError:
        return
    for page in image.pages[:3]:
        try:
            pixels = image.pixels(page, upright=upright)
        except ImageError:
            return
        assert pixels.ndim == 3
        assert pixels.shape[2] == 3
        assert pixels.dtype == np.uint8
        assert pixels.size > 0
