# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""A detector at another input size than the one that it was made for: cheaper, or with an eye for smaller persons."""

from __future__ import annotations

from dataclasses import replace

from pose_resnet_ros.core.errors import SettingsError
from pose_resnet_ros.models.runtime import OnnxModel
from pose_resnet_ros.models.spec import MAX_INPUT_PIXELS, DetectorSpec

# Of the networks whose description lists no grids: YOLOX, and YOLOv3 with its suppression in the graph.
_COARSEST_STRIDE = 32


def at_size(spec: DetectorSpec, input_wh: tuple[int, int], model: OnnxModel) -> DetectorSpec:
    """The description with this input size. Raises SettingsError where the model cannot take it; says which it can."""
    wanted = replace(spec, input=replace(spec.input, width=input_wh[0], height=input_wh[1]))
    if wanted == spec:
        return spec
    asked, own = "x".join(map(str, input_wh)), f"{spec.input.width}x{spec.input.height}"
    if any(size is not None for size in model.inputs[0].shape[2:]):
        raise SettingsError(
            f"detector_input: {model.path} takes {own} only, {asked} was asked for: leave detector_input empty, or use a model"
            " whose height and width are free, such as person_lite"
        )
    if input_wh[0] * input_wh[1] > MAX_INPUT_PIXELS:
        raise SettingsError(f"detector_input: expected at most {MAX_INPUT_PIXELS} pixels, got {asked}")
    stride = max((scale.stride for scale in spec.scales), default=_COARSEST_STRIDE)
    if input_wh[0] % stride or input_wh[1] % stride:
        raise SettingsError(
            f"detector_input: expected a width and a height that are multiples of {stride} for {model.path.name}, got {asked}"
        )
    return wanted
