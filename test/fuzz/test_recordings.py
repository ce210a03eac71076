# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Whatever bytes a recording has: its images, then the end or a BagError; a damaged image costs itself alone."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mutations import mutated

pytest.importorskip("rosbags")
from bag_files import TOPIC, image, jpeg, only_file, write_bag

from pose_resnet_ros.core.errors import ImageError, PoseError
from pose_resnet_ros.ros.codecs.compressed import compressed_to_bgr
from pose_resnet_ros.ros.codecs.image import image_to_bgr
from pose_resnet_ros.tools.bags.bag_reading import BagImages, is_bag

KINDS = [("mcap", "none"), ("mcap", "message"), ("sqlite3", "none"), ("sqlite3", "message")]


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, bytes]]:
    """Name and content of a file of each kind, with three images."""
    folder = tmp_path_factory.mktemp("whole")
    found = []
    for storage, compressed in KINDS:
        messages = [jpeg(0), jpeg(1), jpeg(2)] if storage == "mcap" else [image(0), image(1), image(2)]
        file = only_file(write_bag(folder / f"{storage}_{compressed}", {TOPIC: messages}, storage=storage, compressed=compressed))
        found.append((file.name, file.read_bytes()))
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("damaged")


@settings(max_examples=settings.default.max_examples // 2)
@given(data=st.data())
def test_a_damaged_recording_gives_its_images_or_is_refused(
    folder: Path, recordings: list[tuple[str, bytes]], data: st.DataObject
) -> None:
    name, whole = data.draw(st.sampled_from(recordings))
    path = folder / name
    path.write_bytes(data.draw(mutated([whole])))
    assert is_bag(path)
    with suppress(PoseError), BagImages(path, data.draw(st.sampled_from((None, TOPIC)))) as images:
        for found in images:
            with suppress(ImageError):
                decode = compressed_to_bgr if found.is_compressed else image_to_bgr
                decode(found.message)
