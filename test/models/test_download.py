# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from file_server import serve, trust

from pose_resnet_ros.core.errors import DownloadError
from pose_resnet_ros.models import download
from pose_resnet_ros.models.download import MIRROR_VARIABLE, take_in
from pose_resnet_ros.models.model_folder import LEFT_OVER_S, LOCK_FILE
from pose_resnet_ros.models.spec import Digest, ModelEntry

CONTENT = b"\x08\x08" + bytes(range(256)) * 4


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("POSE_RESNET_ROS_HOME", str(tmp_path / "home"))
    trust(monkeypatch, tmp_path)
    return tmp_path / "home"


@pytest.fixture
def served(tmp_path: Path) -> Path:
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "net.onnx").write_bytes(CONTENT)
    return folder


@pytest.fixture
def server(served: Path) -> Iterator[str]:
    with serve(served) as address:
        yield address


def entry(*urls: str, **facts: object) -> ModelEntry:
    row = {"name": "net", "kind": "pose", "file": "my_net.onnx", "source": "", "licence": "", "data": ""}
    return ModelEntry(**{**row, "urls": urls, **facts})  # type: ignore[arg-type]


def fetch(row: ModelEntry, *, from_folder: Path | None = None) -> Path:
    if from_folder is not None:
        return take_in(from_folder / row.published_file, row)
    return download.fetch(row, report=lambda done, total: None)


def files_in(home: Path) -> set[str]:
    return {path.name for path in home.iterdir() if path.name != LOCK_FILE} if home.exists() else set()


def sha256(data: bytes = CONTENT) -> Digest:
    return Digest("sha256", hashlib.sha256(data).hexdigest())


def test_a_file_lands_whole_under_its_row_s_name(home: Path, server: str) -> None:
    path = fetch(entry(f"{server}/net.onnx", digest=sha256(), size=len(CONTENT)))
    assert path == home / "my_net.onnx"
    assert path.read_bytes() == CONTENT
    assert files_in(home) == {"my_net.onnx", "digests.json"}


@pytest.mark.parametrize("algorithm", ["sha256", "sha1", "md5"])
@pytest.mark.parametrize("digits", [8, None])
def test_every_kind_of_digest_is_compared(home: Path, server: str, algorithm: str, digits: int | None) -> None:
    right = hashlib.new(algorithm, CONTENT).hexdigest()[:digits]
    wrong = ("0" if right[0] != "0" else "1") + right[1:]
    with pytest.raises(DownloadError, match=f"wrong digest, {algorithm}"):
        fetch(entry(f"{server}/net.onnx", digest=Digest(algorithm, wrong)))  # type: ignore[arg-type]
    assert files_in(home) == set()
    assert fetch(entry(f"{server}/net.onnx", digest=Digest(algorithm, right))).exists()  # type: ignore[arg-type]


def test_mirrors_are_tried_in_turn(home: Path, server: str) -> None:
    urls = (f"{server}/absent.onnx", f"{server}/short/net.onnx", f"{server}/net.onnx")
    assert fetch(entry(*urls)).read_bytes() == CONTENT


def test_a_mirror_of_one_s_own_comes_first(home: Path, served: Path, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MIRROR_VARIABLE, f"{server}/")
    assert fetch(entry("https://localhost:1/net.onnx")).read_bytes() == CONTENT
    (served / "net.pth.tar").write_bytes(b"\x80 anything")
    assert fetch(entry(checkpoint="net.pth.tar", manual_page="https://example.org")).name == "net.pth.tar"


def test_when_all_mirrors_fail_each_reason_is_told(home: Path, server: str) -> None:
    with pytest.raises(DownloadError) as caught:
        fetch(entry(f"{server}/absent.onnx", "https://localhost:1/net.onnx"))
    assert "404" in str(caught.value)
    assert "localhost:1/net.onnx: ConnectionError" in str(caught.value)
    assert files_in(home) == set()


def test_an_unknown_digest_is_recorded_and_holds_from_then_on(home: Path, served: Path, server: str) -> None:
    row = entry(f"{server}/net.onnx")
    path = fetch(row)
    assert json.loads((home / "digests.json").read_text()) == {"my_net.onnx": sha256().hex_digits}
    (served / "net.onnx").write_bytes(CONTENT + b"another")
    with pytest.raises(DownloadError, match=r"wrong digest.*recorded in .*digests.json"):
        fetch(row)
    assert path.read_bytes() == CONTENT


@pytest.mark.parametrize("start", [b"<!DOCTYPE html><title>Sign in</title>", b"\n <HTML>"])
def test_a_web_page_in_place_of_the_model_is_named(home: Path, served: Path, server: str, start: bytes) -> None:
    (served / "net.onnx").write_bytes(start)
    with pytest.raises(DownloadError, match="an HTML page came in place of the model"):
        fetch(entry(f"{server}/net.onnx", digest=sha256()))
    assert files_in(home) == set()


@pytest.mark.parametrize("content", [b"", b"not a model"])
def test_a_file_that_is_no_model_is_refused(home: Path, served: Path, server: str, content: bytes) -> None:
    (served / "net.onnx").write_bytes(content)
    with pytest.raises(DownloadError, match=r"not a \.onnx file"):
        fetch(entry(f"{server}/net.onnx"))


def test_a_transfer_that_ends_early_is_told(home: Path, server: str) -> None:
    with pytest.raises(DownloadError, match=r"ended after 513 of 1026 bytes|IncompleteRead|ChunkedEncodingError"):
        fetch(entry(f"{server}/short/net.onnx"))
    assert files_in(home) == set()


def test_a_file_of_another_size_is_refused(home: Path, server: str) -> None:
    with pytest.raises(DownloadError, match="expected 2000 bytes, got 1026"):
        fetch(entry(f"{server}/net.onnx", size=2000))


@pytest.mark.parametrize("url", ["http://localhost/net.onnx", "ftp://localhost/net.onnx", "file:///etc/hostname"])
def test_only_https_is_used(home: Path, url: str) -> None:
    with pytest.raises(DownloadError, match="is not https"):
        fetch(entry(url))


def test_a_redirection_away_from_https_is_refused(home: Path, server: str) -> None:
    with pytest.raises(DownloadError, match=r"http://localhost/net\.onnx is not https"):
        fetch(entry(f"{server}/moved/net.onnx"))


def test_a_certificate_that_nobody_vouches_for_is_refused(home: Path, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    with pytest.raises(DownloadError, match="SSLError"):
        fetch(entry(f"{server}/net.onnx"))


def test_a_row_for_hands_tells_page_and_command(home: Path) -> None:
    row = entry(manual_page="https://example.org/folder", checkpoint="net.pth.tar")
    with pytest.raises(DownloadError) as caught:
        fetch(row)
    assert "https://example.org/folder" in str(caught.value)
    assert "pose_resnet_ros models add net.pth.tar --as net" in str(caught.value)


def test_a_folder_stands_in_for_the_network(home: Path, served: Path) -> None:
    row = entry("https://example.org/net.onnx", digest=sha256())
    assert fetch(row, from_folder=served).read_bytes() == CONTENT
    assert (served / "net.onnx").exists()
    with pytest.raises(DownloadError, match="is not there; expected the published file of 'net'"):
        fetch(row, from_folder=served / "elsewhere")


def test_a_file_at_hand_is_checked_too(home: Path, served: Path) -> None:
    (served / "other.onnx").write_bytes(CONTENT[:-1])
    with pytest.raises(DownloadError, match="wrong digest"):
        take_in(served / "other.onnx", entry(digest=sha256()))
    assert files_in(home) == set()


def zip_file(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def test_a_zip_is_unpacked(home: Path, served: Path, server: str) -> None:
    zip_file(served / "net.zip", {"a/end2end.onnx": CONTENT, "a/deploy.json": b"{}"})
    path = fetch(entry(f"{server}/net.zip", zip_member="end2end.onnx"))
    assert (path.name, path.read_bytes()) == ("my_net.onnx", CONTENT)
    assert files_in(home) == {"my_net.onnx", "digests.json"}
    assert set(json.loads((home / "digests.json").read_text())) == {"my_net.onnx", "net.zip"}


@pytest.mark.parametrize("members", [{}, {"a/end2end.onnx": CONTENT, "b/end2end.onnx": CONTENT}])
def test_a_zip_without_the_one_model_is_refused(home: Path, served: Path, server: str, members: dict[str, bytes]) -> None:
    zip_file(served / "net.zip", members | {"readme": b""})
    with pytest.raises(DownloadError, match=r"expected one 'end2end\.onnx'"):
        fetch(entry(f"{server}/net.zip", zip_member="end2end.onnx"))
    assert not (home / "my_net.onnx").exists()


def test_a_damaged_zip_is_refused(home: Path, served: Path, server: str) -> None:
    path = zip_file(served / "net.zip", {"end2end.onnx": CONTENT})
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(DownloadError, match="truncated or not a zip"):
        fetch(entry(f"{server}/net.zip", zip_member="end2end.onnx"))
    assert files_in(home) == set()


def test_a_zip_that_unpacks_to_many_times_its_size_is_refused(home: Path, tmp_path: Path) -> None:
    """Sixteen megabytes of zeros in 16 kB; 20 times is more than any weights shrink."""
    with zipfile.ZipFile(tmp_path / "net.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("end2end.onnx", b"\x08" + bytes(1 << 24))
    with pytest.raises(DownloadError, match=r"net\.zip: refused, the zip file would unpack to 16777217 bytes"):
        take_in(tmp_path / "net.zip", entry("https://x/net.zip", zip_member="end2end.onnx"))
    assert not (home / "my_net.onnx").exists()


def test_a_zip_with_a_password_is_refused(home: Path, tmp_path: Path) -> None:
    path = zip_file(tmp_path / "net.zip", {"end2end.onnx": CONTENT})
    data = bytearray(path.read_bytes())
    for start, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # the flags of both headers: encrypted
        data[data.index(start) + at] |= 1
    path.write_bytes(data)
    with pytest.raises(DownloadError, match=r"not a zip file \(.*encrypted"):
        take_in(path, entry("https://x/net.zip", zip_member="end2end.onnx"))


@pytest.mark.parametrize("text", ["[]", "3", '{"net.onnx": 7}', "[" * 100_000])
def test_a_record_of_digests_that_is_something_else_is_named(home: Path, served: Path, text: str) -> None:
    home.mkdir()
    (home / "digests.json").write_text(text)
    with pytest.raises(DownloadError, match=r"digests\.json cannot be read .*; repair it, or delete it"):
        take_in(served / "net.onnx", entry("https://x/net.onnx"))


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.ENOSPC, r"the disk of .*home is full; free space, or set POSE_RESNET_ROS_HOME"),
        (errno.EACCES, r"cannot write to .*home \(Permission denied\); set POSE_RESNET_ROS_HOME"),
        (errno.EROFS, r"cannot write to .*home \(Read-only file system\); set POSE_RESNET_ROS_HOME"),
    ],
)
def test_a_full_disk_and_a_read_only_folder_are_told(
    home: Path, served: Path, monkeypatch: pytest.MonkeyPatch, number: int, reason: str
) -> None:
    """Faked: a disk cannot be filled here, and root may write to any folder."""

    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(shutil, "copyfile", refuse)
    with pytest.raises(DownloadError, match=reason):
        fetch(entry("https://example.org/net.onnx"), from_folder=served)
    assert files_in(home) == set()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path, served: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file in its way refuses root as well, whom a read-only folder would not."""
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("POSE_RESNET_ROS_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(DownloadError, match=r"cannot write to .*; set POSE_RESNET_ROS_HOME to another folder"):
        fetch(entry("https://example.org/net.onnx"), from_folder=served)


KILLED = """
import sys, time, shutil
from pathlib import Path
from pose_resnet_ros.models import download
from pose_resnet_ros.models.spec import ModelEntry
def slow(source, part):
    part.write_bytes(b"half")
    print("writing", flush=True)
    time.sleep(60)
download.shutil.copyfile = lambda source, part: slow(source, part)
row = ModelEntry("net", "pose", "my_net.onnx", "", "", "", urls=("https://example.org/net.onnx",))
download.take_in(Path(sys.argv[1]) / 'net.onnx', row)
"""


def test_a_killed_download_leaves_no_model_and_its_rest_is_removed(home: Path, served: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(served)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline().strip() == b"writing"
    process.send_signal(signal.SIGKILL)
    process.wait()
    (rest,) = (path for path in home.iterdir() if path.name != LOCK_FILE)
    assert rest.suffix == ".part"
    an_hour_ago = time.time() - 2 * LEFT_OVER_S
    os.utime(rest, (an_hour_ago, an_hour_ago))
    assert fetch(entry("https://example.org/net.onnx"), from_folder=served).read_bytes() == CONTENT
    assert files_in(home) == {"my_net.onnx", "digests.json"}


def test_a_damaged_record_is_told(home: Path, served: Path) -> None:
    home.mkdir()
    (home / "digests.json").write_text("{")
    with pytest.raises(DownloadError, match=r"digests.json cannot be read .*; repair it, or delete it"):
        fetch(entry("https://example.org/net.onnx"), from_folder=served)
