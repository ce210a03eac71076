# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Every setting of the pipeline, declared once: the node's parameters and the tools' options are both made from this table.

No ROS here: ``ros/parameters/`` turns rows into parameter descriptors, ``tools/`` turns them into ``--options``.
"""

from __future__ import annotations

import math
import re
import sys
from dataclasses import dataclass

from pose_resnet_ros.core.errors import SettingsError
from pose_resnet_ros.core.types import names_of

Value = bool | int | float | str


@dataclass(frozen=True)
class Option:
    """One setting; its type is the type of its default.

    minimum and maximum are inclusive; step: whole numbers go up from minimum by it; choices lists the only values allowed
    (strings); live: may change while running.
    """

    name: str
    default: Value
    description: str
    live: bool = False
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    step: int = 1

    @property
    def type(self) -> type:
        return type(self.default)

    def check(self, value: Value) -> Value:
        """The value in the option's type (a whole number stands for a float too).

        Raises SettingsError, which names the option, what is allowed and what came.
        """
        if self.type is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value) if abs(value) <= sys.float_info.max else math.inf
        if type(value) is not self.type:
            raise SettingsError(f"{self.name}: expected {self.allowed}, got {value!r}")
        if self.choices and value not in self.choices:
            raise SettingsError(f"{self.name}: expected {self.allowed}, got '{value}'")
        if isinstance(value, (int, float)) and not (self._in_range(value) and self._on_step(value)):
            raise SettingsError(f"{self.name}: expected {self.allowed}, got {value}")
        return value

    def parse(self, text: str) -> Value:
        """The value that a command line's word stands for; raises SettingsError as ``check`` does."""
        if self.type is bool:
            words = {"true": True, "false": False, "1": True, "0": False, "on": True, "off": False}
            return self.check(words.get(text.lower(), text))
        if self.type is str:
            return self.check(text)
        try:
            return self.check(self.type(text))
        except ValueError:
            raise SettingsError(f"{self.name}: expected {self.allowed}, got '{text}'") from None

    @property
    def allowed(self) -> str:
        """What is allowed, in words."""
        if self.choices:
            return names_of(self.choices)
        if self.type in (bool, str):
            return {bool: "true or false", str: "a text"}[self.type]
        kind = "a whole number" if self.type is int else "a number"
        if self.step > 1 and self.minimum is not None and self.maximum is not None:
            values = range(int(self.minimum), int(self.maximum) + 1, self.step)
            return names_of([str(value) for value in values])
        if self.minimum is not None and self.maximum is not None:
            return f"{kind} from {self.minimum:g} to {self.maximum:g}"
        return f"{kind} of at least {self.minimum:g}" if self.minimum is not None else kind

    def _in_range(self, value: float) -> bool:
        low = -math.inf if self.minimum is None else self.minimum
        high = math.inf if self.maximum is None else self.maximum
        return -math.inf < value < math.inf and low <= value <= high  # math.isfinite refuses long integers

    def _on_step(self, value: float) -> bool:
        return self.step == 1 or (value - (self.minimum or 0)) % self.step == 0


# 32 persons are one batch of the default size: more than a robot meets, and a bound on the time that one frame can take.
PIPELINE_OPTIONS: tuple[Option, ...] = (
    Option("pose_model", "pose_resnet_lite", "pose network: a name from `models list`, or the path of an ONNX file"),
    Option(
        "detector_model",
        "person_lite",
        "person detector: a name from `models list`, the path of an ONNX file, or full_frame (the whole image is one person)",
    ),
    Option(
        "detector_input",
        "",
        "size of the detector's input, WIDTHxHEIGHT in pixels, multiples of 32 (320x256): smaller is faster, larger finds"
        " smaller persons; for models whose input size is free, as person_lite's is; empty: the model's own",
    ),
    Option(
        "backend",
        "auto",
        "where the networks run; a named backend is granted or refused, only auto falls back to the CPU, and says so",
        choices=("auto", "cpu", "cuda", "tensorrt", "openvino"),
    ),
    Option(
        "precision",
        "auto",
        "of the pose network. auto: its file as it is, but the bundled models in 8 bits on a CPU that is fast at that (x86 with"
        " AVX2), at the same accuracy; fp16 or int8: the file `NAME.fp16.onnx` or `NAME.int8.onnx` that `export`"
        " made of it (beside it, or in the model folder); fp32: its file, refused if that is of another precision",
        choices=("auto", "fp32", "fp16", "int8"),
    ),
    Option("detector_precision", "auto", "the same of the detector", choices=("auto", "fp32", "fp16", "int8")),
    Option("device_id", 0, "which GPU, counted from 0", minimum=0, maximum=63),
    Option("threads", 0, "CPU threads of each network; 0: one for each physical core", minimum=0, maximum=256),
    Option("max_batch", 32, "persons in one run of the pose network; more are run in several batches", minimum=1, maximum=256),
    Option(
        "one_trip",
        False,
        "crop and decode in the pose network's own graph: with backend cuda the image goes to the GPU once, and keypoints come"
        " back; where that cannot be, the log says why and the CPU does it",
    ),
    Option(
        "skeleton",
        "openpose18",
        "joint set of the results; native: the pose model's own",
        choices=("openpose18", "coco17", "native"),
    ),
    Option(
        "allow_download",
        False,
        "fetch models that are not on this machine yet, check them and convert them where needed; progress is logged",
    ),
    Option("detection_threshold", 0.4, "least detector score of a person", live=True, minimum=0.0, maximum=1.0),
    Option(
        "image_rotation",
        0,
        "degrees clockwise that turn the camera's images upright; results stay in the image as it came",
        live=True,
        minimum=0,
        maximum=270,
        step=90,
    ),
    *(
        Option(
            f"detector_region_{name}",
            default,
            f"the detector looks only at a part of the (upright) image: its {what}, as a share of the image's {side}",
            live=True,
            minimum=least,
            maximum=1.0,
        )
        for name, default, what, side, least in (
            ("x", 0.0, "left border", "width", 0.0),
            ("y", 0.0, "upper border", "height", 0.0),
            ("width", 1.0, "width", "width", 0.01),
            ("height", 1.0, "height", "height", 0.01),
        )
    ),
    Option(
        "detector_interval",
        1,
        "detect persons in every n-th image of a sequence; in between boxes follow the keypoints, and who is lost is looked for",
        live=True,
        minimum=1,
        maximum=1000,
    ),
    Option(
        "nms_threshold",
        0.45,
        "two boxes that overlap more than this (intersection over union) are one person",
        live=True,
        minimum=0.0,
        maximum=1.0,
    ),
    Option(
        "keypoint_threshold",
        0.2,
        "keypoints below this score are not drawn and do not count in pose_score; they are published all the same",
        live=True,
        minimum=0.0,
        maximum=1.0,
    ),
    Option(
        "max_persons", 32, "at most this many persons an image, those with the best scores", live=True, minimum=1, maximum=1000
    ),
    Option("flip_test", False, "average with the mirrored crop: a little more accurate, twice the pose time", live=True),
    Option("draw_skeletons", True, "draw joints and limbs", live=True),
    Option("draw_boxes", True, "draw the persons' boxes", live=True),
    Option("draw_ids", True, "write the ids of tracked persons", live=True),
    Option("draw_scores", False, "write the detector's scores", live=True),
)

TRACKING_OPTIONS: tuple[Option, ...] = (
    Option(
        "tracker",
        "iou",
        "how persons keep their track_id from frame to frame: by overlap of boxes (iou) or likeness of keypoints (oks), both with"
        " the colours of clothes; or not at all",
        live=True,
        choices=("none", "iou", "oks"),
    ),
    Option(
        "tracking.min_similarity",
        0.2,
        "from one frame to the next two persons less alike than this (the tracker's iou or oks; for oks rather 0.05) are never"
        " taken for one",
        live=True,
        minimum=0.0,
        maximum=1.0,
    ),
    Option(
        "tracking.confirm_hits",
        2,
        "a new person gets its track_id when seen in this many frames in a row; until then it is -1",
        live=True,
        minimum=1,
        maximum=100,
    ),
    Option(
        "tracking.max_age_ms",
        2000.0,
        "a person unseen for longer than this is forgotten, and is a new one when it comes back",
        live=True,
        minimum=0.0,
        maximum=60000.0,
    ),
    Option("smoothing.enabled", False, "One-Euro smoothing of each tracked person's keypoints; scores stay raw", live=True),
    Option(
        "smoothing.min_cutoff_hz",
        1.0,
        "smoothing of a joint at rest: lower is smoother",
        live=True,
        minimum=0.001,
        maximum=1000.0,
    ),
    Option(
        "smoothing.beta",
        5.0,
        "cutoff in Hz that a joint gains by moving one person size a second: higher lags less behind fast moves",
        live=True,
        minimum=0.0,
        maximum=1000.0,
    ),
)

# The arguments of ``pipeline.load_pipeline``.
LOAD_NAMES: tuple[str, ...] = (
    "pose_model",
    "detector_model",
    "detector_input",
    "backend",
    "precision",
    "detector_precision",
    "device_id",
    "threads",
    "max_batch",
    "one_trip",
    "skeleton",
    "allow_download",
)

_BY_NAME = {option.name: option for option in PIPELINE_OPTIONS + TRACKING_OPTIONS}


def size_wh(text: str) -> tuple[int, int] | None:
    """Width and height out of ``detector_input``; None where it is empty. Raises SettingsError for any other text."""
    if not text:
        return None
    digits = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text, re.ASCII)
    width, height = map(int, digits.groups()) if digits else (0, 0)
    if not (width and height):
        raise SettingsError(f"detector_input: expected WIDTHxHEIGHT in pixels, such as 320x256, or nothing, got '{text}'")
    return width, height


def option(name: str) -> Option:
    """The row of that name (KeyError where there is none: a programming error)."""
    return _BY_NAME[name]
