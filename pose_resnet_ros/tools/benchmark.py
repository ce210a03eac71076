# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Measure how long a frame takes, stage by stage, by number of persons."""

from __future__ import annotations

import argparse
import shlex
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from pose_resnet_ros.benchmark.latency import measure_frames
from pose_resnet_ros.benchmark.report import compare, frame_table, machine, node_tables, plot, print_table
from pose_resnet_ros.benchmark.scenes import Source
from pose_resnet_ros.core.errors import BenchmarkError, ModelError, SettingsError
from pose_resnet_ros.output_files import OutputGuard, write_json
from pose_resnet_ros.settings import LoadSettings
from pose_resnet_ros.tools.options import file_path, flag, help_text, integer, parser_of, require_writable

# Settings that may have several values: every combination runs.
AXES = tuple(row for row in LoadSettings.settings() if row.name not in ("skeleton", "allow_download"))
_PERSONS = [0, 1, 2, 4, 8, 16, 32]
_DESCRIPTION = """Configurations are measured in turns (A B A B): compare within one call, not between calls. With --node the
ROS 2 node runs in a process of its own, between a source and a listener."""


def main(arguments: list[str]) -> int:
    args = _parse(arguments)
    _check_files(args)
    source, command = Source(args.source, args.size, args.encoding), shlex.join(["benchmark", *arguments])
    if args.node:
        _measure_node(args, source, command)
    else:
        _measure_frames(args, source, command)
    return 0


def _measure_node(args: argparse.Namespace, source: Source, command: str) -> None:
    parameters = {row.name: getattr(args, row.name)[0] for row in AXES} | {"image_transport": args.image_transport}
    how = {"rate_hz": args.rate, "seconds": args.seconds, "cameras": args.cameras, "node_per_camera": args.node_per_camera}
    row = measure_through_ros(source, parameters, without_networks=args.without_networks, **how)
    for table in node_tables(row):
        print_table(table)
    if args.json:
        write_json(args.json, {"machine": machine(), "command": command, "node": row})


def _measure_frames(args: argparse.Namespace, source: Source, command: str) -> None:
    frames = measure_frames(configurations(args), persons=args.persons, source=source, rounds=args.rounds)
    print_table(frame_table(frames))
    if args.compare:
        print_table(compare(frames, args.compare))
    if args.json:
        write_json(args.json, {"machine": machine(), "command": command, "frames": list(map(asdict, frames))})
    if args.plot:
        plot(frames, args.plot)


def _check_files(args: argparse.Namespace) -> None:
    """Find out before minutes of measuring. Raises SettingsError."""
    for name in ("json", "plot"):
        if vars(args)[name] is not None:
            require_writable(name, vars(args)[name])
    guard = OutputGuard(map(file_path, [args.source, str(args.compare or ""), *args.pose_model, *args.detector_model]))
    for name in ("json", "plot"):
        if vars(args)[name] is not None:
            guard.claim(name, vars(args)[name])
    if args.compare is not None and not args.compare.is_file():
        raise SettingsError(f"compare: there is no file {args.compare}; expected one that --json wrote")


def configurations(args: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """Every combination along ``AXES``; named by what differs, else by the pose model."""
    axes = {row.name: getattr(args, row.name) for row in AXES}
    differing = [name for name, values in axes.items() if len(values) > 1] or ["pose_model"]
    combinations = [dict(zip(axes, values, strict=True)) for values in product(*axes.values())]
    return {" ".join(_label(name, given[name]) for name in differing): given for given in combinations}


def _label(name: str, value: Any) -> str:
    if isinstance(value, str):
        return Path(value).stem or "own size"
    return f"{name} {str(value).lower()}"


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal() and int(width) > 0 and int(height) > 0):
        raise argparse.ArgumentTypeError(f"expected WIDTHxHEIGHT in pixels, got '{text}'")
    return int(width), int(height)


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="pose_resnet_ros benchmark", description=f"{__doc__} {_DESCRIPTION}")
    axes = parser.add_argument_group("settings, each with one or more values")
    for row in AXES:
        name = row.name.upper()
        axes.add_argument(flag(row), nargs="+", default=[row.default], type=parser_of(row), metavar=name, help=help_text(row))
    parser.add_argument(
        "--persons",
        nargs="+",
        type=integer(0),
        default=_PERSONS,
        help="numbers of persons in the frame (default 0 1 2 4 8 16 32)",
    )
    parser.add_argument("--source", default="synthetic", help="synthetic (default), or a video, an image or a folder of images")
    parser.add_argument("--size", type=_size, metavar="WxH", help="frame size (default: 640x480, or the recording's own)")
    parser.add_argument("--encoding", choices=("bgr8", "rgb8"), default="bgr8", help="encoding of the frames (default bgr8)")
    parser.add_argument("--rounds", type=integer(1), default=20, help="how often each configuration runs (default 20)")
    parser.add_argument("--json", type=file_path, metavar="FILE", help="write all measurements as JSON")
    parser.add_argument("--plot", type=file_path, metavar="FILE", help="plot latency by number of persons (needs matplotlib)")
    parser.add_argument("--compare", type=file_path, metavar="FILE", help="show the ratios to an older --json file")
    group = parser.add_argument_group("through ROS 2 (of several values, the first is used)")
    group.add_argument("--node", action="store_true", help="measure the node, in a process between a source and a listener")
    group.add_argument("--cameras", type=integer(1), default=1, metavar="N", help="number of cameras of the node (default 1)")
    group.add_argument("--node-per-camera", action="store_true", help="give each camera a node of its own, for comparison")
    group.add_argument("--rate", type=float, default=30.0, help="frames per second of each camera (default 30)")
    group.add_argument("--seconds", type=float, default=20.0, help="duration (default 20)")
    group.add_argument(
        "--image-transport",
        choices=("raw", "compressed", "ffmpeg"),
        default="raw",
        help="how the images arrive (default raw; compressed: JPEG, ffmpeg: H.264), encoded beforehand",
    )
    group.add_argument(
        "--without-networks", action="store_true", help="replace the networks by trivial ones, to measure ROS 2 itself"
    )
    return parser.parse_args(arguments)


def measure_through_ros(
    source: Source, parameters: Mapping[str, Any], *, without_networks: bool = False, **how: Any
) -> dict[str, Any]:
    """What ``ros.programs.benchmark_node.measure_node`` gives, with its arguments ``how``; parameters: of the node.

    Raises BenchmarkError without ROS 2.
    """
    try:
        from pose_resnet_ros.ros.programs.benchmark_node import measure_node
    except ImportError as error:
        raise BenchmarkError(f"--node needs ROS 2: no module named '{error.name}'; source its setup.bash first") from error
    given = dict(parameters)
    with tempfile.TemporaryDirectory() as folder:
        if without_networks:
            model = null_model(Path(folder) / "null.onnx")
            given |= {"pose_model": str(model), "detector_model": "full_frame"}
        return measure_node(np.stack(source.images()), parameters=given, **how)


def null_model(path: Path) -> Path:
    """A pose network that costs almost nothing: the rest of the node's time is ROS 2's and ours. Raises ModelError."""
    try:
        import onnx

        from pose_resnet_ros.export.graph import GraphBuilder, describe
    except ModuleNotFoundError as error:
        raise ModelError("--without-networks needs onnx: pip install onnx") from error
    from pose_resnet_ros.core.types import InputSpec
    from pose_resnet_ros.models.spec import PoseSpec

    graph = GraphBuilder()
    pooled = graph.node("AveragePool", "input", kernel_shape=[4, 4], strides=[4, 4])
    graph.conv(pooled, np.full((17, 3, 1, 1), 1 / 3, np.float32), np.zeros(17, np.float32), output="heatmaps")
    shapes: dict[str, Any] = {"input_shape": ("N", 3, 64, 48), "outputs": {"heatmaps": ("N", 17, 16, 12)}}
    model = graph.model(**shapes)
    spec = PoseSpec("null", InputSpec(48, 64, "bgr", 1 / 255), decoder="microsoft", skeleton="coco17")
    describe(model, spec)
    onnx.save(model, str(path))
    return path
