# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Write a trained person detector as a self-describing ONNX file: ``python3 -m training.detector.export --help``."""

from __future__ import annotations

import argparse

import numpy as np
import onnx
from torch import Tensor, nn

from pose_resnet_ros.export.graph import GraphBuilder, describe, fold_batch_norm
from training.checkpoints import load_weights
from training.data_options import new_parser
from training.detector import model as detector_model
from training.detector.network import LEAK, STRIDES, ConvUnit, PersonLite, Residual
from training.half_storage import store_half
from training.provenance import PHOTOGRAPHS, add_export_options, provenance_of

DATA_SET = (
    f"{PHOTOGRAPHS}; pictures without people of Caltech-101 (L. Fei-Fei, R. Fergus, P. Perona, 2004); boxes by hand and by a"
    " COCO-trained detector"
)


def main(arguments: list[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    model = PersonLite()
    model.load_state_dict(load_weights(options.weights))
    made = export(model, width=options.width, height=options.height, provenance=provenance_of(options))
    onnx.save(made, options.output)
    print(f"{options.output}: {options.output.stat().st_size / 1e6:.2f} MB")


def export(model: PersonLite, *, width: int, height: int, provenance: dict[str, str]) -> onnx.ModelProto:
    """``input`` (N, 3, h, w) -> ``stride32``, ``stride16``, ``stride8``: batch norm folded, weights in half precision.

    All sizes but the channels are free; width and height are those of the description, at which it is to run by default.
    """
    g = GraphBuilder()
    at8 = _chain(g, "input", [model.stem, model.stage4, model.stage8])
    at16 = _chain(g, at8, [model.stage16])
    neck32 = _chain(g, at16, [model.stage32, model.neck32])
    neck16 = _chain(g, _merged(g, neck32, model.lateral32, at16), [model.neck16])
    neck8 = _chain(g, _merged(g, neck16, model.lateral16, at8), [model.neck8])
    heads = ((model.head32, model.out32), (model.head16, model.out16), (model.head8, model.out8))
    outputs = {}
    for stride, neck, (head, out) in zip(STRIDES, (neck32, neck16, neck8), heads, strict=True):
        name = f"stride{stride}"
        g.conv(_chain(g, neck, [head]), _array(out.weight), _array(out.bias), output=name)
        outputs[name] = ("N", out.out_channels, f"rows{stride}", f"columns{stride}")
    made = g.model(name=detector_model.NAME, input_shape=("N", 3, "height", "width"), outputs=outputs)
    store_half(made)
    describe(made, detector_model.describe(width=width, height=height, provenance=provenance))
    return made


def _merged(g: GraphBuilder, coarse: str, lateral: nn.Module, fine: str) -> str:
    """Coarse features, narrowed and twice as large, on top of the fine ones."""
    # Repeating columns and rows is the upsampling; written as Resize, the one operator that all runtimes do fast.
    scales = g.weight(np.array([1, 1, 2, 2], np.float32))
    nearest = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    upsampled = g.node("Resize", _chain(g, coarse, [lateral]), "", scales, **nearest)
    return g.node("Concat", upsampled, fine, axis=1)


def _chain(g: GraphBuilder, x: str, parts: list[nn.Module]) -> str:
    """Add units, residual pairs and sequences of them, one after the other."""
    for part in parts:
        if isinstance(part, ConvUnit):
            x = _unit(g, x, part)
        elif isinstance(part, Residual):
            x = g.node("Add", x, _chain(g, x, [part.squeeze, part.spread]))
        else:
            x = _chain(g, x, list(part.children()))
    return x


def _unit(g: GraphBuilder, x: str, unit: ConvUnit) -> str:
    conv, norm = unit[0], unit[1]
    statistics = {name: _array(getattr(norm, name)) for name in ("weight", "bias", "running_mean")}
    denominator = np.sqrt(_array(norm.running_var).astype(np.float64) + norm.eps)
    folded = fold_batch_norm(_array(conv.weight), statistics, denominator=denominator)
    return g.node("LeakyRelu", g.conv(x, *folded, stride=conv.stride[0]), alpha=LEAK)


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().cpu().numpy()


def _parser() -> argparse.ArgumentParser:
    parser = new_parser(__doc__)
    add_export_options(
        parser, name=detector_model.NAME, width=detector_model.WIDTH, height=detector_model.HEIGHT, data_set=DATA_SET
    )
    return parser


if __name__ == "__main__":
    main()
