# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""What a recording says that it unpacks to, looked at before a library takes the memory, or hours, for it.

Source: the MCAP specification (mcap.dev/spec), records and chunks; RFC 8878, Zstandard's frame header.
"""

from __future__ import annotations

import bz2
import os
import struct
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from pose_resnet_ros.tools.bags.bag_salvage import BagError

if TYPE_CHECKING:
    from rosbags.rosbag1.reader import Chunk

MAX_UNPACKED_BYTES = 1 << 30  # of a message or a chunk of them: above every camera's images
_SUSPICIOUS_BYTES = 1 << 26  # a chunk has 4 MB, unless a message is larger
_MOST_PACKED = 2000  # times the packed size, of a chunk beyond that: more than images of one colour give
_MCAP_MAGIC = b"\x89MCAP0\r\n"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"  # a message in CDR begins with 0
_CHUNK = 6
_RECORD, _CHUNK_HEAD = struct.Struct("<BQ"), struct.Struct("<QQQII")  # the last field: the length of the compression's name
_LONGEST_NAME, _LONGEST_FRAME_HEADER = 16, 18


def require_small_chunks(files: Iterable[Path]) -> None:
    """Raises BagError for a recording that would unpack to more than a robot can have recorded."""
    for file in files:
        try:
            reason = why_too_large(file)
        except OSError as error:
            raise BagError(f"{file}: cannot be read: {error.strerror}") from error
        if reason:
            raise BagError(f"{file}: refused, {reason} bytes, which no camera's recording does")


def why_too_large(path: Path) -> str:
    """Why a chunk of an mcap file may not be unpacked; "" where every one may, and for a file that is no mcap file."""
    with path.open("rb") as file:
        if file.read(len(_MCAP_MAGIC)) != _MCAP_MAGIC:
            return ""
        for packed, unpacked in _chunk_sizes(file, os.fstat(file.fileno()).st_size):
            if unpacked > MAX_UNPACKED_BYTES or (unpacked > _SUSPICIOUS_BYTES and unpacked > _MOST_PACKED * packed):
                return f"a chunk of {packed} bytes would unpack to {unpacked}"
    return ""


def unpacked_message(raw: bytes) -> bytes:
    """A message as it was before it was compressed by itself, with Zstandard; another one as it is. (Only metadata.yaml says
    which they are, and it may be missing.) Raises ValueError for more than ``MAX_UNPACKED_BYTES``.
    """
    if not raw.startswith(_ZSTD_MAGIC):
        return raw
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


def _chunk_sizes(file: BinaryIO, size: int) -> Iterator[tuple[int, int]]:
    """Packed and unpacked bytes of the compressed chunks of an mcap file, whose other records are passed over; ends where the
    file is cut off. The unpacked size is the larger of what the chunk says and what the packed bytes themselves say.
    """
    while len(head := file.read(_RECORD.size)) == _RECORD.size:
        opcode, length = _RECORD.unpack(head)
        end = file.tell() + length
        if opcode == _CHUNK:
            begin = file.read(min(length, _CHUNK_HEAD.size + _LONGEST_NAME + 8 + _LONGEST_FRAME_HEADER))
            if len(begin) >= _CHUNK_HEAD.size:
                *_, declared, _, name_size = _CHUNK_HEAD.unpack_from(begin)
                name, data = begin[_CHUNK_HEAD.size :][:name_size], _CHUNK_HEAD.size + name_size + 8
                if name:
                    yield max(length - data, 0), max(declared, _zstd_size(begin[data:]) if name == b"zstd" else 0)
        if end >= size:
            return
        file.seek(end)


def _zstd_size(frame: bytes) -> int:
    """What a frame's header says it unpacks to; 0 if it does not."""
    import zstandard

    try:
        return max(zstandard.frame_content_size(frame), 0)
    except zstandard.ZstdError:
        return 0
