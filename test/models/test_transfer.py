# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""One file over https: going on where a transfer broke off, and what is left of one that ends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from file_server import REQUESTS, serve, trust

from pose_resnet_ros.core.errors import DownloadError
from pose_resnet_ros.models import transfer
from pose_resnet_ros.models.transfer import download

CONTENT = os.urandom(3000)


@pytest.fixture
def served(tmp_path: Path) -> Path:
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "net").write_bytes(CONTENT)
    return tmp_path / "served"


@pytest.fixture
def server(served: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    trust(monkeypatch, tmp_path)
    monkeypatch.setattr(transfer, "CHUNK", 1)  # of a larger one the last, broken chunk is lost
    REQUESTS.clear()
    with serve(served) as address:
        yield address


@pytest.fixture
def part(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    return tmp_path / "home" / ".net.part"


def silent(done: int, total: int | None) -> None:
    pass


def left(part: Path) -> list[str]:
    return sorted(path.name for path in part.parent.iterdir())


def test_progress_is_reported_to_the_end(server: str, part: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    download(f"{server}/ranges/net", part, lambda done, total: seen.append((done, total)))
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert seen[0] == (0, len(CONTENT))
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})
    assert part.read_bytes() == CONTENT
    assert left(part) == [".net.part"]


def test_a_transfer_that_breaks_off_goes_on_at_once(server: str, part: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "ATTEMPTS", 30)
    download(f"{server}/cut/net", part, silent)
    assert part.read_bytes() == CONTENT
    starts = [start for _, start in REQUESTS]
    assert starts[:3] == [0, 1500, 2250]
    assert starts == sorted(set(starts))


def test_what_is_left_of_it_is_kept_for_the_next_try(server: str, part: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "ATTEMPTS", 2)
    with pytest.raises(DownloadError, match="2250 bytes are kept, and the next try resumes there"):
        download(f"{server}/cut/net", part, silent)
    assert left(part) == [".net.part", ".net.part.from"]
    monkeypatch.setattr(transfer, "ATTEMPTS", 30)
    download(f"{server}/cut/net", part, silent)
    assert part.read_bytes() == CONTENT
    assert [start for _, start in REQUESTS][:4] == [0, 1500, 2250, 2625]


def keep_half(server: str, part: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(transfer, "ATTEMPTS", 1)
        with pytest.raises(DownloadError):
            download(f"{server}/cut/net", part, silent)
    assert part.stat().st_size == 1500
    REQUESTS.clear()


def test_another_version_is_fetched_from_its_beginning(
    server: str, served: Path, part: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_half(server, part, monkeypatch)
    (served / "net").write_bytes(CONTENT[::-1])
    download(f"{server}/cut/net".replace("cut", "ranges"), part, silent)
    assert part.read_bytes() == CONTENT[::-1]


def test_a_shorter_version_is_too(server: str, served: Path, part: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server answers 416 where the same mark is kept for a file that has become shorter."""
    keep_half(server, part, monkeypatch)
    part.write_bytes(CONTENT + b"more")
    monkeypatch.setattr(transfer, "ATTEMPTS", 30)
    download(f"{server}/cut/net", part, silent)
    assert part.read_bytes() == CONTENT


def test_another_address_begins_anew(server: str, part: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep_half(server, part, monkeypatch)
    download(f"{server}/ranges/net", part, silent)
    assert part.read_bytes() == CONTENT
    assert REQUESTS == [("/ranges/net", 0)]


def test_where_a_server_knows_no_ranges_nothing_is_kept(server: str, part: Path) -> None:
    with pytest.raises(DownloadError) as caught:
        download(f"{server}/short/net", part, silent)
    assert "kept" not in str(caught.value)
    assert left(part) == []


@pytest.mark.parametrize("path", ["ranges", "cut"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_whatever_else_ends_it_leaves_nothing(server: str, part: Path, path: str, error: type[BaseException]) -> None:
    def stop(done: int, total: int | None) -> None:
        raise error

    with pytest.raises(error):
        download(f"{server}/{path}/net", part, stop)
    assert left(part) == []
