# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""``python3 -m pose_resnet_ros TOOL ...``, and the command ``pose_resnet_ros TOOL ...``"""

import sys

from pose_resnet_ros import interrupts


def main(arguments: list[str] | None = None) -> int:
    """Run a tool as the whole program; without arguments, those of the command line. Returns the exit code."""
    interrupts.end_at_once()
    from pose_resnet_ros.tools import cli

    return cli.main(arguments)


if __name__ == "__main__":  # worker processes import this file too
    sys.exit(main())
