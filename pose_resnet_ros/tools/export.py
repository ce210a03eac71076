# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Turn published weights, or your own, into an ONNX model that describes itself; or one of those into 16 or 8 bits."""

from __future__ import annotations

import argparse
from pathlib import Path

from pose_resnet_ros.calibration import calibration_tensors
from pose_resnet_ros.core.errors import ModelError, SettingsError
from pose_resnet_ros.models.model_folder import models_folder, record_digest
from pose_resnet_ros.models.registry import TABLE, entry_path, find_entry, get_entry
from pose_resnet_ros.models.spec import Kind, ModelEntry
from pose_resnet_ros.output_files import OutputGuard
from pose_resnet_ros.tools.options import file_path, require_writable

# Differences of float32 arithmetic in another order; fp16 and int8 differ by design, and are only printed.
CHECK_TOLERANCE = 1e-4


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    if options.int8 != (options.calibration is not None):
        raise SettingsError(
            "--int8 and --calibration PICTURES belong together: the ranges of 8-bit numbers are taken from pictures of persons,"
            " a folder of some fifty or a video, best from where the model will run"
        )
    if options.int8 and options.fp16:
        raise SettingsError("choose one of --fp16 and --int8")
    source_path, entry = find_source(options.checkpoint, options.model)
    output = options.output or default_output(source_path, entry, precision_of(options))
    require_writable("output", output)
    guard = OutputGuard([source_path, *([options.calibration] if options.calibration else [])])
    guard.claim("output", output)
    kind = export_file(source_path, entry, output, options)
    precision = precision_of(options)
    if options.output is None and precision != "fp32":
        option = "precision" if kind == "pose" else "detector_precision"
        tools = option.replace("_", "-")
        print(f"use it with {option}:={precision} (the node) or --{tools} {precision} (predict, benchmark)")
    return 0


def precision_of(options: argparse.Namespace) -> str:
    """fp32, fp16 or int8."""
    return "int8" if options.int8 else "fp16" if options.fp16 else "fp32"


def default_output(source_path: Path, entry: ModelEntry | None, precision: str) -> Path:
    """In the model folder: the row's file; in fp16 and int8 beside that one, where the setting ``precision`` finds it.

    Raises SettingsError where that would be the source itself.
    """
    if precision != "fp32":
        return models_folder() / f"{Path(entry.file if entry else source_path).stem}.{precision}.onnx"
    if entry is None or not entry.checkpoint:
        name = entry.name if entry else source_path.name
        raise SettingsError(f"'{name}' is ONNX already, and its download is not written over: give --output FILE.onnx")
    return entry_path(entry)


def find_source(checkpoint: str, model: str | None) -> tuple[Path, ModelEntry | None]:
    """The file, and the row that describes it: named by ``model``, or told by the file's published name.

    None instead of the row for an ONNX file that no row knows: it may describe itself. checkpoint: a path, or the name of a
    row whose checkpoint was fetched. Raises ModelError.
    """
    entry = find_entry(checkpoint)
    if entry is not None:
        path = entry_path(entry) if entry.bundled else models_folder() / entry.stored_file
        if not path.is_file():
            raise ModelError(f"{path} is not there yet; get it with: python3 -m pose_resnet_ros models fetch {entry.name}")
        return path, get_entry(model) if model else entry
    path = file_path(checkpoint)
    if not path.is_file():
        raise ModelError(
            f"there is no file {path}, and no model of that name; expected a file, or a name that"
            " `python3 -m pose_resnet_ros models list` prints"
        )
    if model:
        return path, get_entry(model)
    rows = [row for row in TABLE if row.published_file == path.name and row.spec is not None]
    if not rows and path.suffix == ".onnx":
        return path, None
    if not rows:
        raise ModelError(
            f"{path.name} is not a file that the model table knows, and its colour order, size and decoder are not guessed;"
            " say which row describes it, with --model NAME (see: python3 -m pose_resnet_ros models list)"
        )
    return path, rows[0]


def export_file(source_path: Path, entry: ModelEntry | None, output: Path, options: argparse.Namespace) -> Kind:
    """Export one file and say what was written; the kind of model that it is."""
    try:
        from pose_resnet_ros.export import conversion
    except ModuleNotFoundError as error:
        raise ModelError(f"export needs {error.name}, which is not installed; pip install {error.name}") from error
    spec = conversion.described(entry, source=source_path)
    source = conversion.open_source(source_path, spec)
    tensors = None if options.calibration is None else calibration_tensors(options.calibration, spec)
    wanted = conversion.ExportOptions(opset=options.opset, fp16=options.fp16, calibration=tensors, split=options.split)
    model = conversion.export(source, spec, wanted)
    if options.check:
        difference, largest = conversion.largest_difference(model, source, spec)
        print(f"largest difference from the source network on random input: {difference:.2g} (largest output {largest:.2g})")
        if difference > CHECK_TOLERANCE * max(1.0, largest) and not (options.fp16 or options.int8):
            raise ModelError(f"expected at most {CHECK_TOLERANCE:g} of the largest output; nothing was written")
    conversion.save(model, output)
    if output.parent == models_folder():
        record_digest(output)
    print(f"wrote {output} ({output.stat().st_size / 1e6:.1f} MB), described as '{spec.name}'")
    return spec.kind


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m pose_resnet_ros export", description=__doc__)
    parser.add_argument(
        "checkpoint",
        help="Microsoft or mmpose checkpoint, darknet .weights, ONNX file, or the name of a fetched or bundled model",
    )
    parser.add_argument(
        "--output",
        type=file_path,
        help="ONNX file to write; default: the model folder, under the row's name, with .fp16 or .int8; an ONNX file that stays"
        " as it is (neither --fp16 nor --int8) has none",
    )
    parser.add_argument("--model", metavar="NAME", help="row of the model table that describes the checkpoint")
    parser.add_argument(
        "--opset", type=int, default=17, choices=range(13, 22), metavar="13..21", help="default 17; an ONNX file keeps its own"
    )
    parser.add_argument("--fp16", action="store_true", help="half precision inside, float32 outside")
    parser.add_argument("--int8", action="store_true", help="8 bits inside, ranges from --calibration")
    parser.add_argument("--calibration", type=file_path, metavar="PICTURES", help="for --int8: a folder of pictures, or a video")
    parser.add_argument(
        "--split",
        action="store_true",
        help="transposed convolutions as plain ones: equal, and faster in onnxruntime on a CPU (--int8 always does it)",
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="compare with the source network on random input (for a checkpoint or .weights with torch)",
    )
    return parser
