# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import os
import struct
import sys
import types
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import videos

from pose_resnet_ros.core.errors import IncompleteVideoError, SettingsError
from pose_resnet_ros.media import open_video
from pose_resnet_ros.video.frames import Frame, bgr_of, rotated
from pose_resnet_ros.video.source import Source

NOISE = np.random.default_rng(0).integers(0, 255, (20, 48, 64, 3), dtype=np.uint8)  # frames that take some bytes


def read_all(path: Path) -> tuple[list[Frame], str]:
    """All frames, and what is said of the rest."""
    frames, said = [], ""
    with closing(open_video(Source.of(str(path)))) as reader:
        while True:
            try:
                frame = reader.read()
            except IncompleteVideoError as error:
                said = str(error)
                continue
            if frame is None:
                return frames, said
            frames.append(frame)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi", "a.ts", "12:30.mp4", "Stra\udce9e.mp4"])
def test_every_frame_with_its_time(tmp_path: Path, name: str) -> None:
    made = videos.write_video(tmp_path / f"made{Path(name).suffix}", [videos.gray(40 * k) for k in range(5)], fps=12.5)
    path = made.rename(tmp_path / name)
    with closing(open_video(Source.of(str(path)))) as reader:
        assert reader.fps is None if path.suffix == ".ts" else reader.fps == pytest.approx(12.5)
        assert reader.length in (5, None)
        assert not reader.is_live
    frames, said = read_all(path)
    assert said == ""
    assert [frame.index for frame in frames] == [0, 1, 2, 3, 4]
    assert [frame.time_s for frame in frames] == pytest.approx([0, 0.08, 0.16, 0.24, 0.32], abs=1e-3)
    np.testing.assert_allclose([frame.bgr.mean() for frame in frames], [0, 40, 80, 120, 160], atol=4)
    assert frames[0].bgr.shape == (48, 64, 3)


def test_frames_leave_no_threads_behind(tmp_path: Path) -> None:
    """Each frame had a converter with threads of its own, which lived until the frame was collected."""
    with closing(open_video(Source.of(str(videos.write_video(tmp_path / "a.mp4", NOISE))))) as reader:
        kept = [reader.read()]
        before = len(os.listdir("/proc/self/task"))
        kept += [reader.read() for _ in range(10)]
        assert len(os.listdir("/proc/self/task")) == before


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_variable_rate(tmp_path: Path, suffix: str) -> None:
    times_s = [0.0, 0.1, 0.2, 0.5, 0.8, 0.9]
    path = videos.write_video(tmp_path / f"a{suffix}", [videos.gray(30)] * 6, times_s=times_s)
    frames, said = read_all(path)
    assert [frame.time_s for frame in frames] == pytest.approx(times_s, abs=1e-3)
    assert said == ""


def test_a_rate_that_cannot_be_is_not_believed(tmp_path: Path) -> None:
    path = videos.write_video(tmp_path / "a.avi", [videos.gray(30)] * 3, codec="mjpeg")
    data = bytearray(path.read_bytes())
    scale = data.index(b"strh") + 28  # AVISTREAMHEADER: dwScale, dwRate
    data[scale : scale + 8] = struct.pack("<2I", 1, 30_000)
    path.write_bytes(data)
    with closing(open_video(Source.of(str(path)))) as reader:
        assert reader.fps is None
    frames, _ = read_all(path)
    assert [frame.time_s for frame in frames] == pytest.approx([0.0, 0.04, 0.08])


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_a_phone_held_upright(tmp_path: Path, degrees: int) -> None:
    picture = videos.gray(0)
    picture[:24, :32] = 255  # the upper left quarter
    path = videos.turned(videos.write_video(tmp_path / "a.mp4", [picture] * 3), degrees)
    frames, _ = read_all(path)
    expected = np.rot90(picture, -degrees // 90)
    for frame in frames:
        assert frame.bgr.shape == expected.shape
        assert np.abs(frame.bgr.astype(int) - expected).mean() < 8


def test_a_mirrored_picture() -> None:
    picture = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    np.testing.assert_array_equal(rotated(picture, (-1, 0, 0, 0, 1, 0, 0, 0, 0)), picture[:, ::-1])
    np.testing.assert_array_equal(rotated(picture, (0, 1, 0, 1, 0, 0, 0, 0, 0)), picture.transpose(1, 0, 2))


@pytest.mark.parametrize(("suffix", "options"), [(".mp4", {"movflags": "+faststart"}), (".mkv", {}), (".avi", {})])
def test_a_video_that_was_cut_off(tmp_path: Path, suffix: str, options: dict[str, str]) -> None:
    whole = videos.write_video(tmp_path / f"a{suffix}", NOISE, options=options)
    assert read_all(whole)[1] == ""
    frames, said = read_all(videos.cut_off(whole))
    assert 0 < len(frames) < 15
    announced = "" if suffix == ".mkv" else " of 20"  # Matroska announces a duration alone
    assert f"cut_a{suffix} is cut off or damaged: {len(frames)}{announced} frames read, " in said
    assert "of 2.0 s" in said


def test_a_video_that_was_cut_off_after_its_last_whole_frame(tmp_path: Path) -> None:
    whole = videos.write_video(tmp_path / "a.mkv", NOISE)
    frames, said = read_all(videos.cut_off(whole, 0.97))
    assert len(frames) == 19
    assert "19 frames read, 1.9 of 2.0 s" in said


def test_damaged_frames_are_left_out_and_counted(tmp_path: Path) -> None:
    path = videos.write_video(tmp_path / "a.avi", NOISE, codec="mjpeg")
    data = path.read_bytes()
    begin = data.index(b"\xff\xd8\xff", len(data) // 2)  # a JPEG's first bytes
    end = data.index(b"\xff\xd9", begin)
    path.write_bytes(data[:begin] + bytes(end - begin) + data[end:])
    frames, said = read_all(path)
    assert len(frames) == 19
    assert "19 of 20 frames read" in said
    assert "damaged and skipped: 1" in said


def test_a_part_that_was_cut_out_without_encoding_is_whole(tmp_path: Path) -> None:
    """Of an MP4 whose edit list shows a part, more frames are in the file than are shown."""
    import av

    videos.write_video(tmp_path / "a.mp4", NOISE, codec="mpeg4", options={})
    with av.open(str(tmp_path / "a.mp4")) as source, av.open(str(tmp_path / "part.mp4"), "w") as part:
        stream = source.streams.video[0]
        if hasattr(part, "add_stream_from_template"):
            copy = part.add_stream_from_template(stream)
        else:
            copy = part.add_stream(template=stream)
        for packet in source.demux(stream):
            if packet.dts is not None:
                packet.pts -= round(0.55 / stream.time_base)
                packet.dts -= round(0.55 / stream.time_base)
                packet.stream = copy
                part.mux(packet)
    frames, said = read_all(tmp_path / "part.mp4")
    assert 0 < len(frames) < 20
    assert said == ""


@pytest.mark.parametrize("content", [b"", b"hello", b"\x00\x00\x00\x18ftypmp42"])
def test_what_is_no_video(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    with pytest.raises(SettingsError, match=r"cannot open .*a\.mp4 as a video: "):
        open_video(Source.of(str(path)))


def test_sound_alone_is_no_video(tmp_path: Path) -> None:
    import av

    with av.open(str(tmp_path / "a.wav"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        sound.rate = 8000
        container.mux(stream.encode(sound))
    with pytest.raises(SettingsError, match="it has no video stream"):
        open_video(Source.of(str(tmp_path / "a.wav")))


def test_a_webcam_that_is_not_there() -> None:
    with pytest.raises(SettingsError, match=r"cannot open webcam 97 \(is it plugged in, and free\?\): No such file"):
        open_video(Source.of("97"))


def test_without_pyav_the_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(SettingsError, match=r"need the package av \(PyAV\): pip install 'av>=12'"):
        open_video(Source.of("a.mp4"))


def test_a_pyav_that_is_too_old_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    old = types.ModuleType("av")
    old.__dict__.update(__version__="10.0.0", __path__=[], logging=types.ModuleType("av.logging"))
    monkeypatch.setitem(sys.modules, "av", old)
    monkeypatch.setitem(sys.modules, "av.logging", old.logging)
    with pytest.raises(SettingsError, match=r"in version 12 or newer, got 10\.0\.0"):
        open_video(Source.of("a.mp4"))


def test_videos_of_different_value_ranges_keep_their_brightness() -> None:
    """One thread converts the frames of several videos: of a webcam (all 256 values) and of files (16 to 235) in turns."""
    av = pytest.importorskip("av")
    shades = np.full((48, 64, 3), 200, np.uint8)
    frames = [av.VideoFrame.from_ndarray(shades, format="bgr24").reformat(format=name) for name in ("yuvj420p", "yuv420p")]
    for frame in frames * 2:
        np.testing.assert_array_equal(bgr_of(frame), frame.to_ndarray(format="bgr24"))
