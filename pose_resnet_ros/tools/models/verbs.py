# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""List, describe, download, verify and add models."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

from pose_resnet_ros.core.errors import DownloadError
from pose_resnet_ros.models.download import check_published, take_in
from pose_resnet_ros.models.model_folder import check_recorded, models_folder
from pose_resnet_ros.models.registry import TABLE, added_models, entry_path, find_entry, find_model, get_entry
from pose_resnet_ros.models.spec import ModelEntry
from pose_resnet_ros.models.transfer import Report
from pose_resnet_ros.ready import digest_text, make_each_ready, make_ready
from pose_resnet_ros.tools.models import model_text
from pose_resnet_ros.tools.models.add import add_described_file
from pose_resnet_ros.tools.options import file_path


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    return options.verb(options)


def _list(options: argparse.Namespace) -> int:
    rows = [row for row in TABLE if options.kind in (None, row.kind)]
    print(model_text.table(rows))
    print(f"\n{model_text.LEGEND}\n")
    for name in added_models():
        print(f"{name}: your own, {models_folder() / name}.onnx")
    print(f"model folder: {models_folder()}")
    return 0


def _info(options: argparse.Namespace) -> int:
    entry = find_entry(options.name)
    print(model_text.description(entry) if entry else model_text.file_description(find_model(options.name).path))
    return 0


def _path(options: argparse.Namespace) -> int:
    print(find_model(options.name).path)
    return 0


def _fetch(options: argparse.Namespace) -> int:
    def make(entry: ModelEntry) -> None:
        with _progress() as report:
            path = make_ready(entry, say=print, report=report, from_folder=options.from_folder)
        print(f"{entry.name}: {'bundled' if entry.bundled else 'ready'}, {path}")

    make_each_ready([get_entry(name) for name in options.names], make)
    return 0


@contextmanager
def _progress() -> Iterator[Report | None]:
    """A progress bar on a terminal; elsewhere None, which stands for a line every few seconds."""
    if not sys.stderr.isatty():
        yield None
        return
    with tqdm(unit="B", unit_scale=True) as bar:

        def report(done: int, total: int | None) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield report


def _verify(options: argparse.Namespace) -> int:
    names = options.names or [*(row.name for row in TABLE), *added_models()]
    return 1 if [name for name in names if not _is_verified(name, say_absent=bool(options.names))] else 0


def _is_verified(name: str, *, say_absent: bool) -> bool:
    """Check one model's files and print the result."""
    try:
        checked = _verify_added(name) if name in added_models() else _verify_row(get_entry(name))
    except DownloadError as error:
        print(f"{name}: BAD: {error}")
        return False
    if checked or say_absent:
        print(f"{name}: {', '.join(checked) if checked else 'not on this machine'}")
    return True


def _verify_added(name: str) -> list[str]:
    known = check_recorded(models_folder() / f"{name}.onnx")
    return ["unchanged since it was added" if known else "no recorded checksum"]


def _verify_row(entry: ModelEntry) -> list[str]:
    """The files that passed, in words. Raises DownloadError."""
    if entry.bundled:
        return ["bundled"]
    checked = []
    published, model = models_folder() / entry.stored_file, entry_path(entry)
    if published.is_file():
        check_published(published, entry)
        checked.append(f"{published.name} {'as published' if entry.digest else 'unchanged since its first download'}")
    if model.is_file() and model != published:
        known = check_recorded(model)
        checked.append(f"{model.name} {'unchanged since its conversion' if known else 'has no recorded checksum'}")
    return checked


def _add(options: argparse.Namespace) -> int:
    path = options.file
    rows = [row for row in TABLE if row.published_file == path.name and not row.bundled]
    if options.as_row:
        rows = [get_entry(options.as_row)]
    if rows and not (options.like or options.name):
        take_in(path, rows[0])
        print(digest_text(rows[0]))
        print(f"{rows[0].name}: ready, {make_ready(rows[0], say=print)}")
        return 0
    name = options.name or path.stem
    described = {key: getattr(options, key) for key in ("like", "person_class", "decoder", "letterbox")}
    target = add_described_file(path, name=name, **described)
    print(f"{target.stem}: ready, {target}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pose_resnet_ros models", description=__doc__, epilog="More: pose_resnet_ros models VERB --help"
    )
    verbs = parser.add_subparsers(required=True, metavar="list|info|fetch|verify|path|add")

    def verb(name: str, run: Callable[[argparse.Namespace], int], summary: str) -> argparse.ArgumentParser:
        one = verbs.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".")
        one.set_defaults(verb=run)
        return one

    one = verb("list", _list, "list all models, with size, cost, accuracy and licence")
    one.add_argument("--kind", choices=("pose", "detector"), help="only pose networks or only detectors")

    one = verb("info", _info, "show everything known about a model, and which of its sizes are free")
    one.add_argument("name", help="name of the model, or path of an ONNX file")

    one = verb("fetch", _fetch, "download, verify and convert models")
    one.add_argument("names", nargs="+", metavar="NAME")
    one.add_argument(
        "--from", dest="from_folder", type=file_path, metavar="FOLDER", help="take the published files from this folder instead"
    )

    one = verb("verify", _verify, "verify the checksums of downloaded and added models")
    one.add_argument("names", nargs="*", metavar="NAME", help="default: all models on this machine")

    one = verb("path", _path, "print the path of a model's file")
    one.add_argument("name", help="name of the model")

    one = verb("add", _add, "add an ONNX file of your own, or a published file that you downloaded yourself")
    one.add_argument("file", type=file_path, help="ONNX file, or published file of a row of the model table")
    one.add_argument("--as", dest="as_row", metavar="ROW", help="the file is the published file of this row, whatever its name")
    one.add_argument(
        "--like",
        metavar="ROW",
        help="the file is another network with the same kind of input and output as this row; its own input size and number of"
        " classes are kept",
    )
    one.add_argument(
        "--person-class", type=int, default=0, metavar="N", help="with --like: the detector's class of people, from 0 (default 0)"
    )
    one.add_argument("--decoder", metavar="NAME", help="with --like: decoder of the outputs, instead of the row's")
    one.add_argument("--letterbox", metavar="NAME", help="with --like: letterbox of a detector's input, instead of the row's")
    one.add_argument("--name", help="name of the model (default: the file's)")
    return parser
