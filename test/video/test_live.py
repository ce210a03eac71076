# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Streams from servers of the tests' own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from pathlib import Path

import numpy as np
import pytest
import streams
import videos

from pose_resnet_ros.core.errors import ImageError, IncompleteVideoError, SettingsError
from pose_resnet_ros.media import open_video
from pose_resnet_ros.video import live, source
from pose_resnet_ros.video.frames import Frame
from pose_resnet_ros.video.live import LiveReader, LiveSettings
from pose_resnet_ros.video.reader import VideoReader
from pose_resnet_ros.video.source import Source

Server = Callable[[streams.Camera], AbstractContextManager[str]]
PATIENCE_S = 300.0  # a busy machine may need minutes
SERVERS = [pytest.param(streams.http, "/live", id="http"), pytest.param(streams.rtsp, "", id="rtsp")]


def open_live(address: str, **settings: object) -> LiveReader:
    reader = open_video(Source.of(address), LiveSettings(**{"timeout_s": PATIENCE_S, **settings}))
    assert isinstance(reader, LiveReader)
    return reader


def frames_until_the_end(reader: LiveReader) -> tuple[list[Frame], str]:
    frames = []
    while True:
        try:
            frame = reader.read()
        except ImageError as error:
            assert reader.read() is None
            return frames, str(error)
        assert frame is not None
        frames.append(frame)


@pytest.mark.parametrize(("serve", "path"), SERVERS)
def test_a_stream_ends_with_a_reason(serve: Server, path: str) -> None:
    with serve(streams.Camera(frames=40)) as address, closing(open_live(address + path)) as reader:
        frames, said = frames_until_the_end(reader)
        assert reader.is_live
        assert reader.length is None
    assert 5 <= len(frames) <= 40
    assert [frame.index for frame in frames] == list(range(len(frames)))
    times_s = [frame.time_s for frame in frames]
    assert times_s[0] == 0.0
    assert times_s == sorted(set(times_s))
    shades = [frame.bgr.mean() for frame in frames]
    assert shades == sorted(shades)
    assert said.startswith(f"{address}{path} ended after {len(frames)} frames: ")


def number_of(picture: np.ndarray, first: Frame) -> int:
    """How many frames after the first one; shades repeat after 64."""
    return round((picture.mean() - first.bgr.mean()) / 4) % 64


def arrived(reader: LiveReader, first: Frame) -> int:
    """The number of the frame that waits to be read."""
    newest = reader._slot._newest
    return number_of(newest[0].to_ndarray(format="bgr24"), first) if newest else 0


@pytest.mark.parametrize(("serve", "path"), SERVERS)
def test_a_slow_reader_gets_the_newest_frame(serve: Server, path: str) -> None:
    camera = streams.Camera()
    with serve(camera) as address, closing(open_live(address + path)) as reader:
        first = reader.read()
        deadline = time.monotonic() + PATIENCE_S
        while arrived(reader, first) < 20 and time.monotonic() < deadline:
            time.sleep(0.02)
        frame = reader.read()
    assert frame is not None
    assert frame.index == 1
    assert number_of(frame.bgr, first) >= 20  # not one of those that came in the meantime


@pytest.mark.parametrize(("serve", "path"), SERVERS)
def test_a_stream_that_falls_silent_times_out(serve: Server, path: str) -> None:
    camera = streams.Camera()
    with serve(camera) as address, closing(open_live(address + path, timeout_s=4.0)) as reader:
        assert reader.read() is not None
        camera.is_silent = True
        _, said = frames_until_the_end(reader)
        camera.is_silent, camera.is_away = False, True
    assert "timed out" in said or "no frame for 4 s" in said


@pytest.mark.parametrize(("serve", "path"), SERVERS)
def test_a_lost_stream_is_found_again(serve: Server, path: str) -> None:
    said: list[str] = []
    camera = streams.Camera(frames=8)  # cut off after every eighth
    with serve(camera) as address, closing(open_live(address + path, reconnect_s=PATIENCE_S, tell=said.append)) as reader:
        frames = []
        while camera.visits < 3 and len(frames) < 100:
            frames.append(reader.read())
    assert [frame.index for frame in frames if frame] == list(range(len(frames)))
    assert f"{address}{path} is lost: " in said[0]
    assert "trying again for 300 s" in said[0]
    assert f"{address}{path} is back after " in said[1]


def test_a_lost_stream_is_given_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_FIRST_PAUSE_S", 0.05)
    said: list[str] = []
    camera = streams.Camera()
    with streams.http(camera) as address, closing(open_live(f"{address}/live", reconnect_s=1.0, tell=said.append)) as reader:
        assert reader.read() is not None
        camera.is_away = True
        _, reason = frames_until_the_end(reader)
    assert "cannot open" in reason
    assert len(said) == 1


def test_a_stream_can_be_closed_while_it_is_silent_or_away() -> None:
    camera = streams.Camera()
    with streams.http(camera) as address:
        before = threading.active_count()
        reader = open_live(f"{address}/live", timeout_s=0.5, reconnect_s=PATIENCE_S)
        camera.is_away = True
        reader.close()
        deadline = time.monotonic() + PATIENCE_S
        while any(thread.name == "live_reader" for thread in threading.enumerate()) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert threading.active_count() <= before + 1


def test_a_server_that_never_answers_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "_OPEN_TIMEOUT_S", 0.5)
    camera = streams.Camera()
    camera.is_silent = True
    with streams.http(camera) as address, pytest.raises(SettingsError, match=r"cannot open http.*/live: timed out"):
        open_live(f"{address}/live", timeout_s=0.5)


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_nobody_there(scheme: str) -> None:
    with pytest.raises(SettingsError, match="Connection refused"):
        open_live(f"{scheme}://127.0.0.1:{streams.closed_port()}/x")


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_video_behind_an_address_is_read_whole(tmp_path: Path, suffix: str) -> None:
    videos.write_video(
        tmp_path / f"a{suffix}",
        [videos.gray(8 * k) for k in range(20)],
        options={"movflags": "+faststart"} if suffix == ".mp4" else {},
    )
    with streams.http(streams.Camera(tmp_path)) as address:
        with closing(open_video(Source.of(f"{address}/whole/a{suffix}"))) as reader:
            assert isinstance(reader, VideoReader)
            times_s = [reader.read().time_s for _ in range(20)]
            assert reader.read() is None
        assert times_s == pytest.approx([k / 10 for k in range(20)])
        with closing(open_video(Source.of(f"{address}/cut/a{suffix}"))) as reader:
            said = rf"/cut/a{suffix} is cut off or damaged: \d+ (of 20 )?frames read, "
            with pytest.raises(IncompleteVideoError, match=said):
                list(iter(reader.read, None))
            assert reader.read() is None
