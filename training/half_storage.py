# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Half the file: weights stored in float16 and cast to float32 when the model is loaded."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def store_half(model: onnx.ModelProto) -> None:
    """Replace float32 weights by float16 ones followed by a Cast node, in place.

    The runtime folds the casts while loading, so that the network computes in float32 as before; only the weights are
    rounded. One-dimensional weights (biases, scales) stay as they are: they are small, and rounding them would cost more.
    """
    casts = []
    for index, weight in enumerate(model.graph.initializer):
        if weight.data_type != TensorProto.FLOAT or len(weight.dims) < 2:
            continue
        stored = f"{weight.name}_half"
        half = numpy_helper.to_array(weight).astype(np.float16)
        casts.append(helper.make_node("Cast", [stored], [weight.name], name=f"cast_{weight.name}", to=TensorProto.FLOAT))
        model.graph.initializer[index].CopyFrom(numpy_helper.from_array(half, stored))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.checker.check_model(model, full_check=True)
