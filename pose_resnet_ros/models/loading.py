# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""From a model's name or path to an opened network with a checked description."""

from __future__ import annotations

import os

from pose_resnet_ros.models.checks import (
    S,
    check_input,
    check_kind,
    check_made_from,
    check_precision,
    spec_of,
    warn_of_wide_weights,
)
from pose_resnet_ros.models.cpu_features import is_fast_at_int8
from pose_resnet_ros.models.files import find_model, measured_in_8_bits, of_precision
from pose_resnet_ros.models.runtime import OnnxModel, RunOn


def open_model(
    name_or_path: str | os.PathLike[str], *, spec_type: type[S], run_on: RunOn, precision: str = "auto"
) -> tuple[OnnxModel, S]:
    """Open a model of the given kind (``PoseSpec`` or ``DetectorSpec``) and check its input against its description.

    precision: as in ``options.py``. Raises ModelError and BackendError; each says what to do.
    """
    original = find_model(name_or_path, kind=spec_type.kind)
    file = of_precision(original, precision)
    on_cpu = measured_in_8_bits(original) if precision == "auto" and is_fast_at_int8() else None
    model = OnnxModel(file.path, run_on=run_on, path_on_cpu=on_cpu)
    spec = check_kind(spec_of(model, file.entry), spec_type, model)
    check_input(spec, model)
    check_precision(spec, precision, model)
    if model.path != original.path:
        check_made_from(spec, original, model)
    warn_of_wide_weights(spec, model)
    return model, spec
