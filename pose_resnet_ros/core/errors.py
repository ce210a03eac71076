# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The errors this package raises on purpose.

::

    PoseError
    ├── ImageError      one frame cannot be used: the next one may be fine
    │   └── IncompleteVideoError   a video ended before its end, or some of its frames are damaged
    ├── ModelError      a model file or its description cannot be used
    │   └── DownloadError   a model file could not be fetched or did not verify
    ├── BackendError    the requested execution backend is not available
    ├── SettingsError   a parameter or an option has a value that is not allowed
    ├── DataFileError   a file of annotations, boxes or results is not what was expected
    ├── BenchmarkError  a measurement could not be made, or would not be fair
    └── InferenceCancelled  the run was ended on request: not a fault

Each message says what was expected, what came, and what to do about it. Exceptions of other libraries are
translated into these where they enter the package, so that a caller needs one ``except PoseError``.
"""


class PoseError(Exception):
    """Base of every error that this package raises on purpose. Its text can be printed and logged whatever it quotes: a file
    name need not be UTF-8.
    """

    def __str__(self) -> str:
        return super().__str__().encode("utf-8", "backslashreplace").decode("utf-8")


class ImageError(PoseError):
    """A frame cannot be decoded or has an impossible layout."""


class IncompleteVideoError(ImageError):
    """A video gave fewer frames than it announces, or damaged ones; all that could be read was."""


class ModelError(PoseError):
    """A model file is missing, damaged, or not what its description says."""


class DownloadError(ModelError):
    """A model file could not be fetched, or its digest is wrong."""


class BackendError(PoseError):
    """The execution backend that was asked for is not available here."""


class SettingsError(PoseError):
    """A parameter or an option has a value outside what is allowed."""


class DataFileError(PoseError):
    """A JSON file given by the user cannot be read, or its content is not what was expected."""


class BenchmarkError(PoseError):
    """A measurement could not be made, or would not be fair."""


class InferenceCancelled(PoseError):  # noqa: N818 - it is the answer to a request, not a fault
    """A run was ended, or not begun, because ``cancel()`` was called."""
