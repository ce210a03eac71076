# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""From a model's name or path to an opened network with a checked description."""

from __future__ import annotations

import os

from pose_resnet_ros.models.checks import check_input, check_kind, spec_of
from pose_resnet_ros.models.entry import Kind
from pose_resnet_ros.models.files import find_model
from pose_resnet_ros.models.runtime import OnnxModel, RunOn
from pose_resnet_ros.models.spec import Spec


def open_model(name_or_path: str | os.PathLike[str], *, kind: Kind, run_on: RunOn) -> tuple[OnnxModel, Spec]:
    """Open a model of the given kind and check its input against its description.

    Raises ModelError and BackendError; each says what to do.
    """
    file = find_model(name_or_path, kind=kind)
    model = OnnxModel(file.path, run_on=run_on)
    spec = spec_of(model, file.entry)
    check_kind(spec, kind, model)
    check_input(spec, model)
    return model, spec
