# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""``python3 -m pose_resnet_ros TOOL ...``"""

import sys

from pose_resnet_ros import interrupts

if __name__ == "__main__":  # worker processes import this file too
    interrupts.end_at_once()
    from pose_resnet_ros.tools.cli import main

    sys.exit(main())
