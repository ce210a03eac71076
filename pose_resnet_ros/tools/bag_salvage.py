# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""What is whole in a recording that was cut off: a full disk, a pulled plug, a copy that broke. rosbags refuses such files."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from pose_resnet_ros.core.errors import PoseError


class BagError(PoseError):
    """A bag cannot be read, or not to its end."""


@dataclass(frozen=True, eq=False)
class RawMessage:
    """raw: CDR bytes of a message of this type; log_ns: when it was recorded."""

    topic: str
    type_name: str
    log_ns: int
    raw: bytes


def whole_messages(path: Path) -> Iterator[RawMessage]:
    """The messages of an mcap or db3 file from its front to where it breaks off.

    Raises BagError if not even the front can be read.
    """
    yield from _of_mcap(path) if path.suffix == ".mcap" else _of_db3(path)


def _of_mcap(path: Path) -> Iterator[RawMessage]:
    from mcap.exceptions import EndOfFile, McapError
    from mcap.records import Channel, Message, Schema
    from mcap.stream_reader import StreamReader

    schemas: dict[int, str] = {}
    channels: dict[int, Channel] = {}
    with path.open("rb") as file:
        try:
            for record in StreamReader(file).records:
                if isinstance(record, Schema):
                    schemas[record.id] = record.name
                elif isinstance(record, Channel):
                    channels[record.id] = record
                elif isinstance(record, Message):
                    channel = channels[record.channel_id]
                    yield RawMessage(channel.topic, schemas[channel.schema_id], record.log_time, record.data)
        except EndOfFile as error:
            if not schemas:
                raise BagError(f"{path}: not an mcap file, or nothing is left of it") from error
        except McapError as error:
            raise BagError(f"{path}: not an mcap file, or damaged: {error}") from error


def _of_db3(path: Path) -> Iterator[RawMessage]:
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as database:
        try:
            # Without this SQLite refuses every query on a file that is shorter than its header says (btree.c, lockBtree).
            database.execute("PRAGMA writable_schema=ON")
            topics = {
                number: (name, kind)
                for number, name, kind in database.execute("SELECT id, name, type FROM topics")
            }
        except sqlite3.DatabaseError as error:
            raise BagError(f"{path}: not a db3 file, or nothing is left of it: {error}") from error
        try:
            for number, log_ns, raw in database.execute("SELECT topic_id, timestamp, data FROM messages"):
                yield RawMessage(*topics[number], log_ns, raw)
        except sqlite3.DatabaseError:
            return
