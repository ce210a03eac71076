# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Convert weights to an ONNX model that contains its description, or convert such a model to fp16 or int8."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from pose_resnet_ros.core.crops import CROPS, check_image
from pose_resnet_ros.core.errors import ModelError, SettingsError
from pose_resnet_ros.core.letterbox import LETTERBOXES
from pose_resnet_ros.media import readable_frames
from pose_resnet_ros.models.detector import FullFrame, PersonDetector
from pose_resnet_ros.models.model_folder import models_folder, record_digest
from pose_resnet_ros.models.registry import TABLE, entry_path, find_entry, get_entry
from pose_resnet_ros.models.spec import Kind, ModelEntry, PoseSpec, Spec
from pose_resnet_ros.output_files import OutputGuard
from pose_resnet_ros.settings import FrameSettings
from pose_resnet_ros.tools.options import file_path, require_writable

# Differences of float32 arithmetic in another order; fp16 and int8 differ by design, and are only printed.
CHECK_TOLERANCE = 1e-4
MAX_IMAGES = 200  # for calibration
MAX_PERSONS = 8  # of each


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    if options.int8 != (options.calibration is not None):
        raise SettingsError(
            "--int8 needs --calibration IMAGES, and only --int8 does: a folder of about fifty images of people, or a video, best"
            " from where the model will run"
        )
    if options.int8 and options.fp16:
        raise SettingsError("--fp16 and --int8: expected one of them, got both")
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
        print(f"use it with {option}:={precision} (node) or --{tools} {precision} (predict, benchmark)")
    return 0


def precision_of(options: argparse.Namespace) -> str:
    """fp32, fp16 or int8."""
    return "int8" if options.int8 else "fp16" if options.fp16 else "fp32"


def default_output(source_path: Path, entry: ModelEntry | None, precision: str) -> Path:
    """In the model folder: the row's file; in fp16 and int8 next to it, where the setting ``precision`` finds it.

    Raises SettingsError where that would be the source itself.
    """
    if precision != "fp32":
        return models_folder() / f"{Path(entry.file if entry else source_path).stem}.{precision}.onnx"
    if entry is None or not entry.checkpoint:
        name = entry.name if entry else source_path.name
        raise SettingsError(f"'{name}' is already an ONNX file, and its download is not overwritten: give --output FILE.onnx")
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
            raise ModelError(f"{path} does not exist yet; get it with: pose_resnet_ros models fetch {entry.name}")
        return path, get_entry(model) if model else entry
    path = file_path(checkpoint)
    if not path.is_file():
        raise ModelError(
            f"there is neither a file {path} nor a model of that name; expected a file, or a name that"
            " `pose_resnet_ros models list` prints"
        )
    if model:
        return path, get_entry(model)
    rows = [row for row in TABLE if row.published_file == path.name and row.spec is not None]
    if not rows and path.suffix == ".onnx":
        return path, None
    if not rows:
        raise ModelError(
            f"{path.name} is not a published file of the model table, and its colour order, size and decoder are not guessed;"
            " name the row that describes it with --model NAME (see: pose_resnet_ros models list)"
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
            raise ModelError(
                f"--check: expected a difference of at most {CHECK_TOLERANCE:g} of the largest output, got {difference:.2g} of"
                f" {largest:.2g}; nothing was written"
            )
    conversion.save(model, output)
    if output.parent == models_folder():
        record_digest(output)
    print(f"wrote {output} ({output.stat().st_size / 1e6:.1f} MB) with the description '{spec.name}'")
    return spec.kind


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="pose_resnet_ros export", description=__doc__)
    parser.add_argument(
        "checkpoint",
        help="checkpoint of Microsoft or mmpose, darknet .weights, ONNX file, or the name of a downloaded or bundled model",
    )
    parser.add_argument(
        "--output",
        type=file_path,
        metavar="FILE.onnx",
        help="file to write (default: the model folder, under the model's name; required for ONNX without --fp16 and --int8)",
    )
    parser.add_argument("--model", metavar="NAME", help="row of the model table that describes the checkpoint")
    parser.add_argument(
        "--opset",
        type=int,
        default=17,
        choices=range(13, 22),
        metavar="13..21",
        help="ONNX opset (default 17; ONNX files keep theirs)",
    )
    parser.add_argument("--fp16", action="store_true", help="half precision; inputs and outputs stay float32")
    parser.add_argument(
        "--int8", action="store_true", help="int8, with ranges from --calibration; inputs and outputs stay float32"
    )
    parser.add_argument("--calibration", type=file_path, metavar="IMAGES", help="folder of images, or a video, for --int8")
    parser.add_argument(
        "--split",
        action="store_true",
        help="replace transposed convolutions by ordinary ones, which onnxruntime runs faster on CPUs (included in --int8)",
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="compare with the source network on random input (needs PyTorch for checkpoints and .weights)",
    )
    return parser


def calibration_tensors(folder: Path, spec: Spec) -> Iterator[np.ndarray]:
    """(N, 3, h, w) float32, one for each of at most ``MAX_IMAGES`` images.

    For a pose network, crops of the people that the bundled detector finds, or the whole image if it finds none; for a detector,
    the letterboxed image. A damaged image is skipped, with a warning in the log. Raises SettingsError if no image can be read.
    """
    detector = PersonDetector("person_lite", precision="fp32") if isinstance(spec, PoseSpec) else None
    count = 0
    for frame in islice(readable_frames(str(folder)), MAX_IMAGES):
        count += 1
        yield _tensor(frame.bgr, spec, detector)
    if count == 0:
        raise SettingsError(f"calibration: no image in {folder} can be read")


def _tensor(image: np.ndarray, spec: Spec, detector: PersonDetector | None) -> np.ndarray:
    if not isinstance(spec, PoseSpec) or detector is None:
        check_image(image)
        return LETTERBOXES[spec.letterbox](image, spec=spec.input).tensor  # type: ignore[union-attr]
    thresholds = FrameSettings().detection_threshold, FrameSettings().nms_threshold
    found = detector.detect(image, detection_threshold=thresholds[0], nms_threshold=thresholds[1])
    if not len(found):
        found = FullFrame().detect(image, detection_threshold=thresholds[0], nms_threshold=thresholds[1])
    boxes = found[:MAX_PERSONS].boxes_xyxy
    return CROPS[spec.crop](image, boxes, spec=spec.input, padding=spec.padding).tensor
