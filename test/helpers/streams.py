# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Cameras and video servers of the tests' own on 127.0.0.1, which can be cut off: HTTP, and RTSP over TCP."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import struct
import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import av
import cv2
import videos

PERIOD_S = 0.05
_BOUNDARY = b"--frame\r\nContent-Type: image/jpeg\r\n\r\n"


class Camera:
    """What the servers show: an endless film whose shade grows by 4 with each frame; sent: frames, to all viewers together.

    frames: so many are sent to a viewer, who is then cut off; is_silent: frames come no more; is_away: nobody is let in.
    """

    def __init__(self, folder: Path | None = None, frames: int = 1_000_000) -> None:
        self.folder, self.frames = folder, frames
        self.sent = self.visits = 0
        self.is_silent = self.is_away = False

    def shots(self) -> Iterator[Any]:
        """Shades, one each PERIOD_S, until the viewer is to be cut off."""
        self.visits += 1
        for _ in range(self.frames):
            while self.is_silent:
                time.sleep(PERIOD_S)
            if self.is_away:
                return
            yield 4 * self.sent % 256
            self.sent += 1
            time.sleep(PERIOD_S)


@contextlib.contextmanager
def http(camera: Camera) -> Iterator[str]:
    """/live: a camera's MJPEG; /whole/NAME: a file of the folder; /cut/NAME: half of it, though its length is announced."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if camera.is_away:
                self.send_error(503)
                return
            self.send_response(200)
            with contextlib.suppress(OSError):  # the viewer has gone
                self._live() if self.path == "/live" else self._file()

        def _live(self) -> None:
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            for shade in camera.shots():
                jpeg = cv2.imencode(".jpg", videos.gray(shade))[1].tobytes()
                self.wfile.write(_BOUNDARY + jpeg + b"\r\n")

        def _file(self) -> None:
            _, how, name = self.path.split("/")
            data = (camera.folder / name).read_bytes()
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data if how == "whole" else data[: len(data) // 2])

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with _running(server):
        yield f"http://127.0.0.1:{server.server_port}"


@contextlib.contextmanager
def rtsp(camera: Camera) -> Iterator[str]:
    """A camera's address: as much of RTSP (RFC 2326) as a player needs, MPEG-4 video in RTP (RFC 6416) within the connection."""

    server = _RtspServer(("127.0.0.1", 0), _RtspHandler)
    server.camera = camera
    with _running(server):
        yield f"rtsp://127.0.0.1:{server.server_address[1]}/camera"


def closed_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class _RtspServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    camera: Camera


class _RtspHandler(socketserver.StreamRequestHandler):
    server: Any  # with the camera

    def handle(self) -> None:
        if self.server.camera.is_away:
            return
        with contextlib.suppress(OSError):
            while (request := self._request()) is not None:
                self._answer(*request)
                if request[0] == "PLAY":
                    self._play()
                    return

    def _request(self) -> tuple[str, str] | None:
        lines = []
        while line := self.rfile.readline().strip():
            lines.append(line.decode())
        number = next((line.partition(":")[2].strip() for line in lines if line.startswith("CSeq")), "")
        return (lines[0].split()[0], number) if lines else None

    def _answer(self, method: str, number: str) -> None:
        headers, body = {"CSeq": number, "Session": "1"}, ""
        if method == "OPTIONS":
            headers["Public"] = "OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN"
        elif method == "DESCRIBE":
            body = _sdp(_Encoder().header)
            headers |= {"Content-Type": "application/sdp", "Content-Length": str(len(body))}
        elif method == "SETUP":
            headers["Transport"] = "RTP/AVP/TCP;unicast;interleaved=0-1"
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.wfile.write(f"RTSP/1.0 200 OK\r\n{head}\r\n{body}".encode())

    def _play(self) -> None:
        encoder, sequence = _Encoder(), 0
        for number, shade in enumerate(self.server.camera.shots()):
            for data in encoder.encode(shade):
                ticks = round(90_000 * PERIOD_S * number)
                packet = struct.pack(">BBHII", 0x80, 0x80 | 96, sequence, ticks, 1) + data
                self.wfile.write(struct.pack(">cBH", b"$", 0, len(packet)) + packet)
                sequence += 1


class _Encoder:
    """MPEG-4, each frame small enough for one packet. header: what a decoder needs first."""

    def __init__(self) -> None:
        self._context = av.CodecContext.create("mpeg4", "w")
        self._context.width, self._context.height, self._context.pix_fmt = 64, 48, "yuv420p"
        self._context.time_base = Fraction(1, 20)
        self._context.options = {"flags": "+global_header", "g": "1"}
        self._context.open()
        self.header: bytes = self._context.extradata

    def encode(self, shade: int) -> list[bytes]:
        frame = av.VideoFrame.from_ndarray(videos.gray(shade), format="bgr24").reformat(format="yuv420p")
        return [bytes(packet) for packet in self._context.encode(frame)]


def _sdp(header: bytes) -> str:
    lines = (
        "v=0",
        "o=- 0 0 IN IP4 127.0.0.1",
        "s=camera",
        "c=IN IP4 127.0.0.1",
        "t=0 0",
        "m=video 0 RTP/AVP 96",
        "a=rtpmap:96 MP4V-ES/90000",
        f"a=fmtp:96 config={header.hex()}",
        "a=control:track",
    )
    return "".join(f"{line}\r\n" for line in lines)


@contextlib.contextmanager
def _running(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.socket.close()  # not server_close, which waits for the viewers
        thread.join()
