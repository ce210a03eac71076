# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""PyAV, which is FFmpeg for Python: found or asked for, and its errors in words."""

from __future__ import annotations

from typing import Any

from pose_resnet_ros.core.errors import SettingsError

OLDEST = 12  # before it the rotation that a phone writes into its videos cannot be read
_CURE = "pip install 'av>=12' (in Ubuntu 26.04 also: apt install python3-av)"


def pyav() -> Any:
    """The module ``av``. Raises SettingsError, which says how to install it, where it is missing or too old."""
    try:
        import av
        import av.logging
    except ImportError as error:
        raise SettingsError(f"source: videos, webcams and streams need the package av (PyAV): {_CURE}") from error
    if int(av.__version__.partition(".")[0]) < OLDEST:
        raise SettingsError(f"source: expected the package av (PyAV) in version {OLDEST} or newer, got {av.__version__}: {_CURE}")
    if av.logging.get_level() is not None:  # up to PyAV 13 FFmpeg's own messages go to stderr
        av.logging.set_level(av.logging.PANIC)
    return av


def reason_of(error: Exception) -> str:
    """What FFmpeg or the system says, in a few words, without file names or addresses (which may hold a password)."""
    if type(error).__name__ == "ExitError":
        return "timed out"
    return getattr(error, "strerror", None) or type(error).__name__
