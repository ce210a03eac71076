# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""``config/pose.yaml``, written from the declarations.

python3 -m pose_resnet_ros.ros.parameters.yaml_file > config/pose.yaml
"""

from __future__ import annotations

import sys
import textwrap

from pose_resnet_ros.options import Option, Value
from pose_resnet_ros.ros.parameters.settings import PARAMETERS

_WIDTH = 115
_HEADER = """\
# Every parameter of the pose node with its default. Pass a copy with --params-file, or as params_file to the launch file.
# Those marked (live) may change while the node runs: ros2 param set /pose_resnet NAME VALUE

/**:
  ros__parameters:
"""


def parameter_file() -> str:
    """The file's text: each parameter with a comment that says what it means and what is allowed."""
    return _HEADER + "\n".join(_entry(option) for option in PARAMETERS)


def _entry(option: Option) -> str:
    meaning = option.description[0].upper() + option.description[1:]
    comment = f"{meaning}. Allowed: {option.allowed}.{' (live)' if option.live else ''}"
    lines = [f"    # {line}" for line in textwrap.wrap(comment, _WIDTH)]
    return "\n".join([*lines, f"    {option.name}: {_yaml(option.default)}", ""])


def _yaml(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else repr(value)


if __name__ == "__main__":
    sys.stdout.write(parameter_file())
