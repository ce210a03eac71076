# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C while a program is still importing: Python would raise KeyboardInterrupt in the middle of a module, which ends in a
traceback, or which that module takes for a broken installation.
"""

import signal


def end_at_once() -> None:
    """From here, Ctrl-C ends the process silently, as a shell expects; for the first line of a program."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else somebody has decided otherwise
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def raise_again() -> None:
    """Undo ``end_at_once``: everything is imported, and the program cleans up after KeyboardInterrupt."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
