# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""What a model expects and what its output means: enough to run it, nothing guessed from tensor shapes.

A spec travels inside the ONNX file, as JSON in the metadata entry ``METADATA_KEY``; for files made by others it stands in
the model table (``registry.py``).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from pose_resnet_ros.core.errors import ModelError
from pose_resnet_ros.core.types import InputSpec, YoloScale

METADATA_KEY = "pose_resnet_ros"
PRECISION = "precision"  # of an exported file, in its provenance: fp16 or int8; absent: fp32
MADE_FROM = (
    "made_from_sha256"  # of such a file, in its provenance: digest of the ONNX file whose weights it has
)


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


def spec_to_json(spec: Spec) -> str:
    """The metadata value for ``METADATA_KEY``; ``spec_from_json`` is its inverse."""
    return json.dumps(asdict(spec), sort_keys=True)


def spec_from_json(text: str) -> Spec:
    """Parse a metadata value.

    Raises ModelError if it is not JSON, or is not a spec of this package's version.
    """
    try:
        data: dict[str, Any] = json.loads(text)
        data["input"] = InputSpec(**{key: _frozen(value) for key, value in data["input"].items()})
        if data["kind"] == "pose":
            return PoseSpec(**data)
        if data["kind"] == "detector":
            data["scales"] = tuple(YoloScale(s["stride"], _frozen(s["anchors"])) for s in data["scales"])
            return DetectorSpec(**data)
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"the model's metadata entry '{METADATA_KEY}' is not a readable description: {error}"
        ) from error
    raise ModelError(f"the model's metadata says kind '{data['kind']}'; expected pose or detector")


def _frozen(value: Any) -> Any:
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value
