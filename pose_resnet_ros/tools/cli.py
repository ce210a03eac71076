# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The command line: one table of tools (its commands), each imported only when it is called.

A tool is a function ``main(arguments: list[str]) -> int`` (the exit code); what it raises as PoseError, and what the system
refuses of a file (OSError), is printed here as one line, without a traceback.
"""

from __future__ import annotations

import importlib
import io
import os
import select
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TextIO

from pose_resnet_ros import interrupts
from pose_resnet_ros.core.errors import PoseError
from pose_resnet_ros.core.library_setup import limit_opencv


@dataclass(frozen=True)
class Tool:
    """module: where ``main`` is; needs_ros: it imports rclpy."""

    module: str
    summary: str
    needs_ros: bool = False


TOOLS: dict[str, Tool] = {
    "predict": Tool(
        "pose_resnet_ros.tools.predict.predict", "find people and their keypoints in images, videos, cameras, streams and bags"
    ),
    "models": Tool("pose_resnet_ros.tools.models.verbs", "list, describe, download, verify and add models"),
    "export": Tool("pose_resnet_ros.tools.export", "convert a checkpoint to an ONNX model that describes itself"),
    "evaluate": Tool("pose_resnet_ros.tools.evaluate.evaluate", "measure accuracy on a COCO data set"),
    "benchmark": Tool("pose_resnet_ros.tools.benchmark", "measure speed, stage by stage, and compare configurations"),
    "pose_node": Tool("pose_resnet_ros.ros.node", "the ROS 2 node: image topic in, keypoints out", needs_ros=True),
    "image_source": Tool(
        "pose_resnet_ros.ros.programs.image_source", "publish a video, images, a webcam or a stream like a camera", needs_ros=True
    ),
    "demo": Tool(
        "pose_resnet_ros.ros.programs.demo",
        "run image_source and pose_node together and record what they publish",
        needs_ros=True,
    ),
}

_EXIT_PIPE_CLOSED = 141  # as a shell reports SIGPIPE


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``COMMAND ...``; the exit code: 0, 1 for an error that is printed, 2 for a wrong command line, 130 (129, 143) if
    interrupted by SIGINT (SIGHUP, SIGTERM), 141 if the reader of the output has gone (``| head``).
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a file name need not be text
    try:
        try:
            return _run(arguments)
        finally:
            print(end="", flush=True)  # else what is still buffered meets the closed pipe when Python ends, which is noisy
    except BrokenPipeError:
        closed = [stream for stream in (sys.stdout, sys.stderr) if stream and _has_no_reader(stream)]
        if not closed:
            raise  # another pipe, of a process or a connection
        for stream in closed:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return _EXIT_PIPE_CLOSED


def _has_no_reader(stream: TextIO) -> bool:
    """Whether the stream is a pipe or a socket whose other end is closed."""
    poll = select.poll()
    poll.register(stream, 0)  # errors and hang-ups are always told
    return bool(poll.poll(0))


def _run(arguments: Sequence[str] | None) -> int:
    name, *rest = (sys.argv[1:] if arguments is None else list(arguments)) or ["--help"]
    if name in ("-h", "--help"):
        print(_help())
        return 0
    if name == "--version":
        from pose_resnet_ros import __version__

        print(__version__)
        return 0
    if name not in TOOLS:
        print(f"pose_resnet_ros: unknown command '{name}'\n\n{_help()}", file=sys.stderr)
        return 2
    limit_opencv()
    try:
        tool_main = _load(TOOLS[name], name)
        interrupts.raise_again()
        return tool_main(rest)
    except PoseError as error:
        print(f"pose_resnet_ros {name}: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        if error.filename is None or isinstance(error, BrokenPipeError):
            raise
        print(f"pose_resnet_ros {name}: {error.filename}: {error.strerror}", file=sys.stderr)
        return 1
    except KeyboardInterrupt as error:
        return interrupts.exit_code(error)


def _load(tool: Tool, name: str) -> Callable[[list[str]], int]:
    try:
        return importlib.import_module(tool.module).main
    except ModuleNotFoundError as error:
        if tool.needs_ros:
            raise PoseError(f"{name} needs ROS 2 (no module named '{error.name}'): source its setup.bash first") from error
        raise


def _help() -> str:
    rows = "\n".join(f"  {name:<14}{tool.summary}" for name, tool in TOOLS.items())
    return (
        f"usage: pose_resnet_ros COMMAND ...\n\ncommands:\n{rows}\n\nFor the options of a command: pose_resnet_ros COMMAND --help"
    )
