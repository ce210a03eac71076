# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Downloads one file over https, and resumes an interrupted transfer where the server supports it (RFC 9110, section 14).

An incomplete file is kept for the next try, beside it a note of the address and of the server's mark of its version (``ETag`` or
``Last-Modified``); if the version has changed, the server sends the whole file again.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from pose_resnet_ros.core.errors import DownloadError

TIMEOUT_S = 20.0
ATTEMPTS = 4
CHUNK = 1 << 14
# Bytes so far, and the total or None if the server does not say. It may raise, to stop.
Report = Callable[[int, "int | None"], None]


class _Broken(DownloadError):  # noqa: N818 - not an error yet, the next try may succeed
    """The transfer ended early or could not begin; trying again may help."""


def download(url: str, part: Path, report: Report) -> None:
    """Transfer ``url`` into ``part``, resuming what is there.

    Raises DownloadError for a scheme other than https, also after a redirect, and for a failed transfer. Anything else that ends
    it (an interrupt, a full disk) deletes ``part``.
    """
    require_https(url)
    try:
        _download(url, part, report)
    except DownloadError:
        raise
    except BaseException:
        discard(part)
        raise


def discard(part: Path) -> None:
    """Delete what a transfer left."""
    part.unlink(missing_ok=True)
    _note(part).unlink(missing_ok=True)


def _download(url: str, part: Path, report: Report) -> None:
    for attempt in range(1, ATTEMPTS + 1):
        before = _size(part)
        try:
            _request(url, part, report)
            _note(part).unlink(missing_ok=True)
            return
        except _Broken as error:
            kept = _size(part) if _mark_of(part, url) else 0
            if not kept:
                discard(part)
                raise DownloadError(str(error)) from error
            if attempt == ATTEMPTS or kept == before:  # no progress since the last try
                raise DownloadError(f"{error}; {kept} bytes are kept, and the next try resumes there") from error


def _request(url: str, part: Path, report: Report) -> None:
    try:
        import requests
    except ImportError as error:
        raise DownloadError("downloading needs requests: pip install requests, or use --from FOLDER") from error
    have, mark = _size(part), _mark_of(part, url)
    if not mark:
        discard(part)
        have = 0
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers |= {"Range": f"bytes={have}-", "If-Range": mark}
    try:
        with requests.get(url, stream=True, headers=headers, timeout=TIMEOUT_S, hooks={"response": _stay_on_https}) as response:
            is_beyond = response.status_code == requests.codes.requested_range_not_satisfiable
            if not is_beyond:
                response.raise_for_status()
                _receive(response, url, part, report)
    except requests.exceptions.RequestException as error:
        raise _Broken(_reason(error)) from error
    if is_beyond:  # the kept bytes are not the beginning of this file
        discard(part)
        _request(url, part, report)


def _receive(response: Any, url: str, part: Path, report: Report) -> None:
    goes_on = response.status_code == 206 and _begins_at(response, _size(part))
    done = _size(part) if goes_on else 0
    length = response.headers.get("content-length")
    total = done + int(length) if length and "content-encoding" not in response.headers else None
    _write_note(part, url, response)
    report(done, total)
    with part.open("ab" if goes_on else "wb") as file:
        for chunk in response.iter_content(CHUNK):
            file.write(chunk)
            done += len(chunk)
            report(done, total)
    if total not in (None, done):
        raise _Broken(f"the transfer ended after {done} of {total} bytes")


def _begins_at(response: Any, offset: int) -> bool:
    if response.headers.get("content-range", "").startswith(f"bytes {offset}-"):
        return True
    raise DownloadError("the server sent another part of the file than requested")


def _note(part: Path) -> Path:
    return part.with_name(f"{part.name}.from")


def _write_note(part: Path, url: str, response: Any) -> None:
    tag = response.headers.get("etag", "")
    mark = response.headers.get("last-modified", "") if tag.startswith("W/") or not tag else tag
    if mark and (response.headers.get("accept-ranges") == "bytes" or response.status_code == 206):
        _note(part).write_text(json.dumps({"url": url, "mark": mark}), encoding="utf-8")
    else:
        _note(part).unlink(missing_ok=True)


def _mark_of(part: Path, url: str) -> str:
    """The version of the file whose beginning ``part`` is; "" if there is nothing to resume."""
    try:
        note = json.loads(_note(part).read_text(encoding="utf-8"))
        return str(note["mark"]) if note["url"] == url and part.is_file() else ""
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _size(part: Path) -> int:
    return part.stat().st_size if part.is_file() else 0


def _stay_on_https(response: Any, *_: Any, **__: Any) -> None:
    if response.is_redirect:
        require_https(urljoin(response.url, response.headers["location"]))


def require_https(url: str) -> None:
    if urlsplit(url).scheme != "https":
        raise DownloadError(f"refused: {url} is not https")


def _reason(error: Exception) -> str:
    """The innermost cause: the outer layers only repeat the address."""
    causes = [error]
    while isinstance(getattr(causes[-1], "reason", None), Exception) or (
        causes[-1].args and isinstance(causes[-1].args[0], Exception)
    ):
        reason = getattr(causes[-1], "reason", None)
        causes.append(reason if isinstance(reason, Exception) else causes[-1].args[0])
    return f"{type(error).__name__}: {causes[-1]}"
