# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
import videos
from full_disk import full_disk

from pose_resnet_ros.core.errors import SettingsError
from pose_resnet_ros.video import writer
from pose_resnet_ros.video.writer import VideoWriter


def film(path: Path, pictures: list[np.ndarray], times_s: list[float], fps: float = 10.0) -> Path:
    video = VideoWriter(path, fps)
    for picture, time_s in zip(pictures, times_s, strict=True):
        video.write(picture, time_s)
    video.close()
    return path


@pytest.mark.parametrize("encoder", ["libx264", "libvpx-vp9"])
def test_a_film_that_browsers_play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoder: str) -> None:
    monkeypatch.setattr(writer, "_ENCODERS", {encoder: writer._ENCODERS[encoder]})
    times_s = [0.0, 0.1, 0.4, 0.7]
    path = film(tmp_path / "a.mp4", [videos.gray(50 * k) for k in range(4)], times_s)
    assert videos.times_of(path) == pytest.approx(times_s, abs=1e-4)
    assert videos.duration_of(path) == pytest.approx(0.8, abs=1e-3)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name in ("h264", "vp9", "libvpx-vp9")
        assert stream.codec_context.pix_fmt == "yuv420p"
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")  # it begins to play before it is all there
    shades = [picture.mean() for picture in videos.pictures_of(path)]
    np.testing.assert_allclose(shades, [0, 50, 100, 150], atol=4)


def test_colours_are_kept(tmp_path: Path) -> None:
    picture = videos.gray(0)
    picture[:, :21], picture[:, 21:42], picture[:, 42:] = (200, 30, 30), (30, 200, 30), (30, 30, 200)
    (shown,) = videos.pictures_of(film(tmp_path / "a.mp4", [picture], [0.0]))
    for column in (10, 31, 52):
        np.testing.assert_allclose(shown[24, column], picture[24, column], atol=6)


@pytest.mark.parametrize("fps", [24000 / 1001, 25.0, 30000 / 1001, 50.0, 60000 / 1001])
def test_the_rate_is_kept(tmp_path: Path, fps: float) -> None:
    path = film(tmp_path / "a.mp4", [videos.gray(9)] * 60, [k / fps for k in range(60)], fps)
    with av.open(str(path)) as container:
        assert float(container.streams.video[0].average_rate) == pytest.approx(fps, rel=1e-4)
    assert videos.duration_of(path) == pytest.approx(60 / fps, abs=2e-3)


def test_odd_sizes_become_even_and_other_sizes_are_scaled(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", [videos.gray(90, (63, 47)), videos.gray(90, (128, 96))], [0.0, 0.1])
    assert [picture.shape for picture in videos.pictures_of(path)] == [(48, 64, 3)] * 2


def test_a_film_without_pictures_leaves_no_file(tmp_path: Path) -> None:
    VideoWriter(tmp_path / "a.mp4").close()
    assert list(tmp_path.iterdir()) == []


def test_a_film_is_in_its_place_only_when_it_is_whole(tmp_path: Path) -> None:
    video = VideoWriter(tmp_path / "a.mp4", 10.0)
    video.write(videos.gray(1), 0.0)
    assert not (tmp_path / "a.mp4").exists()
    video.close()
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


@pytest.mark.parametrize("folder", ["none", "/sys/kernel"])
def test_a_folder_that_cannot_be_written_is_found_at_the_first_picture(tmp_path: Path, folder: str) -> None:
    with pytest.raises(SettingsError, match=r"cannot write .*a\.mp4: (No such file|Permission|Read-only)"):
        VideoWriter(tmp_path / folder / "a.mp4").write(videos.gray(1), 0.0)


def test_a_place_that_is_taken_by_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a.mp4" / "inside").mkdir(parents=True)
    with pytest.raises(SettingsError, match=r"cannot write .*a\.mp4: Is a directory"):
        film(tmp_path / "a.mp4", [videos.gray(1)], [0.0])
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_without_an_encoder_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "_ENCODERS", {"libnothing": {}})
    with pytest.raises(SettingsError, match="no encoder for videos; expected one of libnothing"):
        VideoWriter(tmp_path / "a.mp4").write(videos.gray(1), 0.0)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("limit_bytes", [0, 20_000, 70_000])
def test_a_full_disk_leaves_nothing(tmp_path: Path, limit_bytes: int) -> None:
    """At once, in the middle, and only when the index is written: the film has some 90 kB."""
    noise = list(np.random.default_rng(0).integers(0, 255, (20, 96, 128, 3), dtype=np.uint8))
    with full_disk(limit_bytes), pytest.raises(SettingsError, match=r"output: cannot write .*a\.mp4: File too large"):
        film(tmp_path / "a.mp4", noise, [k / 10 for k in range(20)])
    assert list(tmp_path.iterdir()) == []
