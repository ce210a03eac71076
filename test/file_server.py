# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""A web server of the tests' own on localhost, over https with a certificate made for the run, which can also misbehave."""

from __future__ import annotations

import contextlib
import ssl
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import trustme

AUTHORITY = trustme.CA()  # made anew for every run: no key lies in the repository


def trust(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Make requests, in this process and in its children, trust the server of ``serve``."""
    certificate = folder / "authority.pem"
    AUTHORITY.cert_pem.write_to_path(str(certificate))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))


class _Handler(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path.startswith("/short/"):
            self._send_half(Path(self.directory) / self.path.removeprefix("/short/"))
        elif self.path.startswith("/moved/"):
            self.send_response(302)
            self.send_header("Location", "http://localhost/" + self.path.removeprefix("/moved/"))
            self.end_headers()
        else:
            super().do_GET()

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
    """The address of ``folder``. Under ``/short/`` half of a file comes, ``/moved/`` leads away from https."""
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
