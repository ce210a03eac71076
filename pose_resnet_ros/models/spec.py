# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""What a model is: its description, which is enough to run it, and its row in the model table.

Nothing is guessed from tensor shapes. A description is stored in the ONNX file, as JSON in the metadata entry ``METADATA_KEY``;
that of a file made by others is in the model table (``table_pose.py``, ``table_detectors.py``).
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from pose_resnet_ros.core.errors import ModelError
from pose_resnet_ros.core.types import InputSpec, YoloScale

METADATA_KEY = "pose_resnet_ros"
MAX_INPUT_PIXELS = 1 << 23  # above 3840 x 2176; as float32 100 MB for each image
PRECISION = "precision"  # key in the provenance of an exported file: fp16 or int8; absent: fp32
WEIGHT_BITS = "weight_bits"  # key in the provenance of an int8 file; absent: 8, which older exports wrote
MADE_FROM = "made_from_sha256"  # key in the provenance of such a file: digest of the ONNX file it was made from


# Limits for numbers in a description: float32 can represent them and their quotients.
_SMALLEST, _LARGEST = 1e-9, 1e9


@dataclass(frozen=True)
class PoseSpec:
    """A top-down pose network.

    crop: how a box becomes a crop (a name in ``core.crops``); padding: the box is widened by this factor first;
    decoder: how the output becomes points (a name in ``core.heatmaps``); skeleton: the native joint set (``core.skeletons``).
    """

    name: str
    input: InputSpec
    decoder: str
    skeleton: str
    crop: str = "topdown"
    padding: float = 1.25
    provenance: dict[str, str] = field(default_factory=dict)
    kind: Literal["pose"] = "pose"


@dataclass(frozen=True)
class DetectorSpec:
    """A person detector.

    letterbox: how the image is fitted into the input (a name in ``core.letterbox``); decoder: how the output becomes boxes (a
    name in ``core.detector_heads``); scales: the grids of the anchor-based decoders, in output order; class_count and
    person_class: the detector's classes and which of them is a person.
    """

    name: str
    input: InputSpec
    letterbox: str
    decoder: str
    scales: tuple[YoloScale, ...] = ()
    class_count: int = 1
    person_class: int = 0
    provenance: dict[str, str] = field(default_factory=dict)
    kind: Literal["detector"] = "detector"


Spec = PoseSpec | DetectorSpec
Kind = Literal["pose", "detector"]


@dataclass(frozen=True)
class Digest:
    """A published digest; ``hex_digits`` may be only its beginning (OpenMMLab's file names have eight digits)."""

    algorithm: Literal["sha256", "sha1", "md5"]
    hex_digits: str

    def __str__(self) -> str:
        full = {"sha256": 64, "sha1": 40, "md5": 32}[self.algorithm]
        return f"{self.algorithm} {self.hex_digits}" + ("..." if len(self.hex_digits) < full else "")


@dataclass(frozen=True)
class ModelEntry:
    """One model.

    spec: None where the file itself carries it (the bundled models); file: the ONNX file that runs, in the model folder;
    checkpoint: the weights that ``export`` turns into ``file``, where the published file is not ONNX; zip_member: the
    published file is a zip that holds ``file`` under this name; urls: of the published file, tried in this order, https
    only; size: its bytes; digest: its digest, None where nobody published one; manual_page: set where no program can fetch
    it; terms: what binds the weights beyond the licence of the code; accuracy: (measure, value) as published; measured: the same
    as measured with this package; was_seen: the published file itself was verified, converted and run here; megabytes:
    roughly, where ``size`` is not known; gmac: 1e9 multiply-adds of one input; note: what a user should know, above all what
    could not be verified.
    """

    name: str
    kind: Kind
    file: str
    source: str
    licence: str
    data: str
    spec: Spec | None = None
    bundled: bool = False
    checkpoint: str = ""
    zip_member: str = ""
    urls: tuple[str, ...] = ()
    size: int | None = None
    digest: Digest | None = None
    manual_page: str | None = None
    terms: str = ""
    accuracy: tuple[tuple[str, float], ...] = ()
    measured: tuple[tuple[str, float], ...] = ()
    was_seen: bool = False
    megabytes: float | None = None
    gmac: float | None = None
    note: str = ""

    @classmethod
    def of(cls, spec: Spec, **facts: Any) -> ModelEntry:
        """The row of a described model, whose file is named after it."""
        return cls(spec.name, spec.kind, f"{spec.name}.onnx", spec=spec, **facts)

    @property
    def published_file(self) -> str:
        """Name of the file as its makers serve it."""
        return self.checkpoint or (self.urls[0].rsplit("/", 1)[-1] if self.urls else self.file)

    @property
    def stored_file(self) -> str:
        """Name of the published file in the model folder; it is ``file`` unless that must be exported or unpacked first."""
        return self.checkpoint or (self.published_file if self.zip_member else self.file)


def spec_to_json(spec: Spec) -> str:
    """The metadata value for ``METADATA_KEY``; ``spec_from_json`` is its inverse."""
    return json.dumps(asdict(spec), sort_keys=True)


def spec_from_json(text: str) -> Spec:
    """Parse a metadata value.

    Raises ModelError if it is not JSON, or not a description that this version understands.
    """
    try:
        data: dict[str, Any] = json.loads(text)
        _check_texts(data)
        data["input"] = InputSpec(**{key: _frozen(value) for key, value in data["input"].items()})
        _check_input(data["input"])
        if data["kind"] == "pose":
            _require("padding", data.get("padding", 1.25), above=0)
            return PoseSpec(**data)
        if data["kind"] == "detector":
            data["scales"] = tuple(YoloScale(s["stride"], _frozen(s["anchors"])) for s in data["scales"])
            return _checked_detector(DetectorSpec(**data))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ModelError(f"the model's metadata entry '{METADATA_KEY}' is not a readable description: {error}") from error
    raise ModelError(f"the model's metadata says kind '{data['kind']}'; expected pose or detector")


def _check_texts(data: dict[str, Any]) -> None:
    for name in ("name", "decoder", "skeleton", "crop", "letterbox"):
        if not isinstance(data.get(name, ""), str):
            raise ValueError(f"{name}: expected a string, got {data[name]!r}")
    facts = data.get("provenance", {})
    if not isinstance(facts, dict) or not all(isinstance(fact, str) for fact in facts.values()):
        raise ValueError(f"provenance: expected strings by name, got {facts!r}")


def _check_input(pixels: InputSpec) -> None:
    """Raises ValueError for values that would divide by zero, or distort the pixels."""
    _require("input.width", pixels.width, above=0, whole=True)
    _require("input.height", pixels.height, above=0, whole=True)
    if pixels.width * pixels.height > MAX_INPUT_PIXELS:
        raise ValueError(f"input: expected at most {MAX_INPUT_PIXELS} pixels, got {pixels.width} x {pixels.height}")
    _require("input.scale", pixels.scale, above=0)
    if pixels.channel_order not in ("bgr", "rgb"):
        raise ValueError(f"input.channel_order: expected bgr or rgb, got {pixels.channel_order!r}")
    for name, values, least in (("mean", pixels.mean, -math.inf), ("std", pixels.std, 0)):
        if not isinstance(values, tuple) or len(values) != 3:
            raise ValueError(f"input.{name}: expected three numbers, got {values!r}")
        for value in values:
            _require(f"input.{name}", value, above=least)


def _checked_detector(spec: DetectorSpec) -> DetectorSpec:
    _require("class_count", spec.class_count, above=0, whole=True)
    _require("person_class", spec.person_class, above=-1, whole=True)
    if spec.person_class >= spec.class_count:
        raise ValueError(f"person_class: expected one of {spec.class_count} classes from 0, got {spec.person_class}")
    for scale in spec.scales:
        _require("stride", scale.stride, above=0, whole=True)
        for width, height in scale.anchors:
            _require("anchors", width, above=0)
            _require("anchors", height, above=0)
    return spec


def _require(name: str, value: object, *, above: float, whole: bool = False) -> None:
    kinds = (int,) if whole else (int, float)
    if not isinstance(value, kinds) or isinstance(value, bool) or not above < value < math.inf:
        limit = f" above {above:g}" if math.isfinite(above) else ""
        raise ValueError(f"{name}: expected {'an integer' if whole else 'a number'}{limit}, got {value!r}")
    if value != 0 and not _SMALLEST <= abs(value) <= _LARGEST:
        raise ValueError(f"{name}: expected a magnitude from {_SMALLEST:g} to {_LARGEST:g}, got {value!r}")


def _frozen(value: Any) -> Any:
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value
