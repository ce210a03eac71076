# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import pytest

from pose_resnet_ros.core.errors import SettingsError
from pose_resnet_ros.video.source import Source, is_video_only, label_of


@pytest.mark.parametrize(
    ("text", "name", "label"),
    [
        ("holiday/street.v2.avi", "street.v2", "holiday/street.v2.avi"),
        ("12:30.mp4", "12:30", "12:30.mp4"),
        ("0", "webcam0", "webcam 0"),
        ("/dev/video2", "video2", "webcam /dev/video2"),
        ("/dev/v4l/by-id/usb-front", "usb-front", "webcam /dev/v4l/by-id/usb-front"),
        ("rtsp://10.0.0.3:554/stream1", "10.0.0.3_554_stream1", "rtsp://10.0.0.3:554/stream1"),
        ("HTTP://camera/", "camera", "http://camera/"),
    ],
)
def test_names(text: str, name: str, label: str) -> None:
    source = Source.of(text)
    assert (source.name, source.label) == (name, label)


def test_passwords_are_not_repeated() -> None:
    source = Source.of("rtsp://admin:secret@10.0.0.3/a b?token=secret")
    assert source.label == "rtsp://10.0.0.3/a b"
    assert "secret" not in source.name + label_of(source.text)
    with pytest.raises(SettingsError) as raised:
        Source.of("rtsp://admin:secret@127.0.0.1:1/stream").open(1.0)
    assert "rtsp://127.0.0.1:1/stream: Connection refused" in str(raised.value)
    assert "secret" not in str(raised.value)


def test_what_needs_no_file() -> None:
    wanted = {"0": True, "/dev/video0": True, "https://a/b.mp4": True, "a.mp4": False, "C:/a.mp4": False}
    assert {text: is_video_only(text) for text in wanted} == wanted


@pytest.mark.parametrize("text", ["ftp://a/b.mp4", "concat://a|b", "file:///etc/passwd"])
def test_other_addresses_are_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="expected an address with rtsp, rtsps, http, https, got"):
        Source.of(text)
