# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The package's loggers, of the standard library."""

from __future__ import annotations

import logging


def logger_of(module: str) -> logging.Logger:
    """The logger of a module by its ``__name__``; its records go on to the package's logger and to the root.

    So they do by default, but importing ROS 2's ``launch`` sets a class of loggers that keep their records to themselves, for
    everybody in its process: then nothing that a node says there would reach ROS.
    """
    logger = logging.getLogger(module)
    logger.propagate = True
    return logger
