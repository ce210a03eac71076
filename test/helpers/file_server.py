# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""A web server of the tests' own on localhost, over https with a certificate made for the run, which can also misbehave."""

from __future__ import annotations

import contextlib
import ssl
import threading
import time
import zlib
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import trustme

REQUESTS: list[tuple[str, int]] = []
AUTHORITY = trustme.CA()  # made anew for every run: no key lies in the repository


def trust(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Make requests, in this process and in its children, trust the server of ``serve``."""
    certificate = folder / "authority.pem"
    AUTHORITY.cert_pem.write_to_path(str(certificate))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))


class _Handler(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path.startswith(("/ranges/", "/cut/")):
            self._send_range(Path(self.directory) / self.path.split("/", 2)[2], cut=self.path.startswith("/cut/"))
        elif self.path.startswith("/slow/"):
            self._send_slowly(Path(self.directory) / self.path.removeprefix("/slow/"))
        elif self.path.startswith("/short/"):
            self._send_half(Path(self.directory) / self.path.removeprefix("/short/"))
        elif self.path.startswith("/moved/"):
            self.send_response(302)
            self.send_header("Location", "http://localhost/" + self.path.removeprefix("/moved/"))
            self.end_headers()
        else:
            super().do_GET()

    def _send_range(self, path: Path, *, cut: bool) -> None:
        data = path.read_bytes()
        tag = f'"{zlib.crc32(data):x}"'
        start = 0
        if (wanted := self.headers.get("Range")) and self.headers.get("If-Range") == tag:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
        REQUESTS.append((self.path, start))
        if start >= len(data) > 0:
            return self.send_error(416)
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("ETag", tag)
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        rest = data[start:]
        self.wfile.write(rest[: -(-len(rest) // 2)] if cut and len(rest) > 1 else rest)
        return None

    def _send_slowly(self, path: Path) -> None:
        data = path.read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        with contextlib.suppress(OSError):
            for start in range(0, len(data), 1024):
                self.wfile.write(data[start : start + 1024])
                time.sleep(0.05)

    def _send_half(self, path: Path) -> None:
        data = path.read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) // 2])

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def serve(folder: Path) -> Iterator[str]:
    """The address of ``folder``. Under ``/short/`` half of a file comes, ``/moved/`` leads away from https,
    ``/ranges/`` knows ranges, ``/cut/`` too and sends half of what is asked for, ``/slow/`` sends twenty kilobytes a second.
    What the middle two were asked for is appended to ``REQUESTS``: path and first byte.
    """
    server = ThreadingHTTPServer(("localhost", 0), lambda *args: _Handler(*args, directory=str(folder)))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert("localhost").configure_cert(context)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"https://localhost:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
