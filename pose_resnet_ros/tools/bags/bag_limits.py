# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""What a recording says that it unpacks to, looked at before a library takes the memory, or hours, for it.

Source: the MCAP specification (mcap.dev/spec), records and chunks; RFC 8878, Zstandard's frame header.
"""

from __future__ import annotations

import bz2
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from rosbags.rosbag1.reader import Chunk

MAX_UNPACKED_BYTES = 1 << 30  # of a message or a chunk of them: above every camera's images
_SUSPICIOUS_BYTES = 1 << 26  # a chunk has 4 MB, unless a message is larger
_MOST_PACKED = 2000  # times the packed size, of a chunk beyond that: more than images of one colour give
_MCAP_MAGIC = b"\x89MCAP0\r\n"
_RECORD, _CHUNK_HEAD = struct.Struct("<BQ"), struct.Struct("<QQQI")
_CHUNK = 6
_LONGEST_FRAME_HEADER = 18


@dataclass(frozen=True)
class _Chunk:
    """declared: bytes that it says it unpacks to; head: the first of its packed bytes."""

    compression: bytes
    declared: int
    packed: int
    head: bytes


def why_too_large(path: Path) -> str:
    """Why a chunk of an mcap file may not be unpacked; "" where every one may, and for a file that is no mcap file."""
    with path.open("rb") as file:
        if file.read(len(_MCAP_MAGIC)) != _MCAP_MAGIC:
            return ""
        size = os.fstat(file.fileno()).st_size
        for chunk in _chunks(file, size):
            unpacked = max(chunk.declared, _zstd_size(chunk))
            is_suspicious = unpacked > _SUSPICIOUS_BYTES and unpacked > _MOST_PACKED * chunk.packed
            if chunk.compression and (unpacked > MAX_UNPACKED_BYTES or is_suspicious):
                return f"a chunk of {chunk.packed} bytes would unpack to {unpacked}"
    return ""


def unpacked_message(raw: bytes) -> bytes:
    """A message that was compressed by itself, with Zstandard. Raises ValueError for more than ``MAX_UNPACKED_BYTES``."""
    import zstandard

    if zstandard.frame_content_size(raw) > MAX_UNPACKED_BYTES:
        raise ValueError(f"unpacked it would have more than {MAX_UNPACKED_BYTES >> 20} MiB")
    blocks, size = [], 0
    with zstandard.ZstdDecompressor().stream_reader(raw) as reader:  # takes memory as it goes, whatever the header says
        while block := reader.read(1 << 20):
            blocks.append(block)
            size += len(block)
            if size > MAX_UNPACKED_BYTES:
                raise ValueError(f"unpacked it has more than {MAX_UNPACKED_BYTES >> 20} MiB")
    return b"".join(blocks)


def limit_ros1_chunks(chunks: dict[int, Chunk]) -> None:
    """Make rosbags' reader of a ROS 1 bag raise ValueError for a chunk that unpacks to more than ``MAX_UNPACKED_BYTES``."""
    import lz4.frame  # rosbags needs it too

    limited = {bz2.decompress: bz2.BZ2Decompressor, lz4.frame.decompress: lz4.frame.LZ4FrameDecompressor}
    for place, chunk in chunks.items():
        if decompressor := limited.get(chunk.decompressor):
            chunks[place] = chunk._replace(decompressor=partial(_unpacked_chunk, decompressor))


def _unpacked_chunk(decompressor: type, packed: bytes) -> bytes:
    unpacking = decompressor()
    unpacked: bytes = unpacking.decompress(packed, MAX_UNPACKED_BYTES)
    if not unpacking.eof:
        raise ValueError(f"a chunk is cut off, or unpacks to more than {MAX_UNPACKED_BYTES >> 20} MiB")
    return unpacked


def _chunks(file: BinaryIO, size: int) -> Iterator[_Chunk]:
    """The chunks of an mcap file whose other records are passed over; ends where the file is cut off."""
    while len(head := file.read(_RECORD.size)) == _RECORD.size:
        opcode, length = _RECORD.unpack(head)
        end = file.tell() + length
        if opcode == _CHUNK:
            begin = file.read(min(length, _CHUNK_HEAD.size + 4 + 16 + 8 + _LONGEST_FRAME_HEADER))
            if (chunk := _parsed(begin, length)) is not None:
                yield chunk
        if end >= size:
            return
        file.seek(end)


def _parsed(begin: bytes, length: int) -> _Chunk | None:
    """A chunk out of its first bytes; None where they are none."""
    if len(begin) < _CHUNK_HEAD.size + 4:
        return None
    declared = _CHUNK_HEAD.unpack_from(begin)[2]
    name_size = int.from_bytes(begin[_CHUNK_HEAD.size : _CHUNK_HEAD.size + 4], "little")
    name = begin[_CHUNK_HEAD.size + 4 :][:name_size]
    data = _CHUNK_HEAD.size + 4 + name_size + 8
    return _Chunk(name, declared, max(length - data, 0), begin[data:])


def _zstd_size(chunk: _Chunk) -> int:
    """What the packed bytes themselves say; 0 where they do not."""
    if chunk.compression != b"zstd":
        return 0
    import zstandard

    try:
        return max(zstandard.frame_content_size(chunk.head), 0)
    except zstandard.ZstdError:
        return 0
