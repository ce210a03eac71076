# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Messages out of recordings that rosbags refuses: cut off (a full disk, a pulled plug), or with channels that are not ROS."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from pose_resnet_ros.core.errors import PoseError

CDR = "cdr"


class BagError(PoseError):
    """A bag cannot be read, or not to its end."""


@dataclass(frozen=True, eq=False)
class RawMessage:
    """raw: CDR bytes of a message of this type; log_ns: when it was recorded."""

    topic: str
    type_name: str
    log_ns: int
    raw: bytes


class Salvage:
    """The messages of an mcap or db3 file from its front to where it breaks off, with nothing but what each storage needs.

    After the iteration is_whole says whether the file ended where its writer ended it, and passed_over has the topics whose
    messages are not CDR, ROS 2's encoding, with the encoding that they have.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.is_whole = False
        self.passed_over: dict[str, str] = {}

    def __iter__(self) -> Iterator[RawMessage]:
        """Raises BagError if not even the front can be read."""
        yield from self._of_mcap() if self.path.suffix == ".mcap" else self._of_db3()

    def _of_mcap(self) -> Iterator[RawMessage]:
        from mcap.exceptions import EndOfFile
        from mcap.records import Channel, Message, Schema
        from mcap.stream_reader import StreamReader

        schemas = {0: ""}  # a channel without a schema has the id 0 (MCAP specification, Channel)
        channels: dict[int, Channel] = {}
        with self.path.open("rb") as file:
            try:
                for record in StreamReader(file).records:
                    if isinstance(record, Schema):
                        schemas[record.id] = record.name
                    elif isinstance(record, Channel):
                        channels[record.id] = record
                        if record.message_encoding != CDR:
                            self.passed_over[record.topic] = record.message_encoding or "no encoding"
                    elif isinstance(record, Message):
                        channel = channels[record.channel_id]
                        if channel.message_encoding == CDR:
                            name = schemas[channel.schema_id]
                            yield RawMessage(channel.topic, name, record.log_time, record.data)
                self.is_whole = True
            except EndOfFile as error:
                if not channels:
                    raise BagError(f"{self.path}: not an mcap file, or damaged beyond recovery") from error
            except Exception as error:  # mcap's, struct's and those of the decompressors, on damaged bytes
                raise BagError(f"{self.path}: not an mcap file, or damaged: {error}") from error

    def _of_db3(self) -> Iterator[RawMessage]:
        address = f"{self.path.resolve().as_uri()}?mode=ro&immutable=1"
        with closing(sqlite3.connect(address, uri=True)) as database:
            topics = self._topics_of_db3(database)
            try:
                for number, log_ns, raw in database.execute("SELECT topic_id, timestamp, data FROM messages"):
                    name, kind, encoding = topics[number]
                    if encoding == CDR:
                        yield RawMessage(name, kind, log_ns, raw)
                self.is_whole = True
            except (sqlite3.DatabaseError, KeyError):
                return

    def _topics_of_db3(self, database: sqlite3.Connection) -> dict[int, tuple[str, str, str]]:
        """Name, type and encoding by number."""
        try:
            # Without this SQLite refuses every query on a file that is shorter than its header says (btree.c, lockBtree).
            database.execute("PRAGMA writable_schema=ON")
            rows = database.execute("SELECT id, name, type, serialization_format FROM topics").fetchall()
        except sqlite3.DatabaseError as error:
            raise BagError(f"{self.path}: not a db3 file, or damaged beyond recovery: {error}") from error
        self.passed_over = {name: encoding for _, name, _, encoding in rows if encoding != CDR}
        return {number: (name, kind, encoding) for number, name, kind, encoding in rows}
