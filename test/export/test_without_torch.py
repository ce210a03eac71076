# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Checkpoints to joints where PyTorch is not: read, exported and run beside a network written out in NumPy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import literal
import literal_network
import numpy as np
import onnxruntime
import pytest
from torch_files import Saved, architecture, called, named, saved, seeded_state, write_file

from pose_resnet_ros.export.checkpoint import load_state
from pose_resnet_ros.export.pose_resnet import architecture_of, pose_graph

FORMATS = pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
SMALL = architecture(18, width=4, deconv_channels=(8, 8, 8))
BOX = np.array([40, 20, 200, 260], np.float64)


def run(state: dict[str, np.ndarray], crop: np.ndarray) -> np.ndarray:
    """(J, h/4, w/4) of one crop (3, h, w) through the exported graph."""
    model = pose_graph(state, width=crop.shape[2], height=crop.shape[1])
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"input": crop[None]})[0][0]


def assert_equal(ours: dict[str, np.ndarray], theirs: dict[str, np.ndarray]) -> None:
    assert ours.keys() == theirs.keys()
    for name, values in theirs.items():
        assert ours[name].dtype == np.float32
        np.testing.assert_array_equal(ours[name], values)


@pytest.mark.slow
@FORMATS
@pytest.mark.parametrize("depth", [50, 152])
def test_joints_of_a_checkpoint_are_those_of_the_reference_network(tmp_path: Path, depth: int, legacy: bool) -> None:
    """The published depths at their full widths, at both published sizes."""
    state = seeded_state(architecture(depth), seed=depth)
    read = load_state(write_file(tmp_path / "net.pth.tar", saved(state), legacy=legacy))
    for width, height in ((192, 256), (288, 384)):
        crop = np.random.default_rng(depth).standard_normal((3, height, width), np.float32)
        ours, theirs = run(read, crop), literal_network.heatmaps(state, crop)
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
        points = [
            literal.keypoints(maps[None], BOX[None], (width, height), 1.25, literal.microsoft)[0] for maps in (ours, theirs)
        ]
        np.testing.assert_allclose(points[0], points[1], atol=0.05)


@pytest.mark.parametrize(
    "network",
    [
        architecture(18, width=8, deconv_channels=(16, 12, 20)),
        architecture(34, width=8, deconv_channels=(4, 4, 4), deconv_bias=True),
        architecture(50, width=4, deconv_channels=(8, 16, 8), deconv_kernels=(2, 3, 4), final_kernel=3),
        architecture(101, width=4, deconv_channels=(8, 8, 8), deconv_bias=True, joint_count=16),
    ],
    ids=["widths", "bias", "kernels", "mpii"],
)
def test_other_architectures_of_the_family(tmp_path: Path, network: object) -> None:
    state = seeded_state(network)  # type: ignore[arg-type]
    assert architecture_of(state) == network
    read = load_state(write_file(tmp_path / "net.pth", saved(state), legacy=False))
    crop = np.random.default_rng(1).standard_normal((3, 64, 96), np.float32)
    np.testing.assert_allclose(run(read, crop), literal_network.heatmaps(state, crop), atol=1e-5)


@FORMATS
def test_every_outer_structure_and_type_is_read(tmp_path: Path, legacy: bool) -> None:
    """Prefixes of both makers, a trainer's dictionary with NumPy values, counters, half precision, a transposed view."""
    state = seeded_state(SMALL)
    weights = {f"module.{name}": item for name, item in saved(state).items()}
    weights["module.bn1.num_batches_tracked"] = Saved(np.array(7, "i4"), "counter")
    turned = np.ascontiguousarray(state["final_layer.weight"].transpose(1, 0, 2, 3))
    weights["module.final_layer.weight"] = Saved(turned, "turned", shape=state["final_layer.weight"].shape, strides=(1, 17, 1, 1))
    number = called("numpy.core.multiarray.scalar", called("numpy.dtype", "f8", 0, 1), called("_codecs.encode", "x"))
    outer = lambda op: {"epoch": 140, "perf": number, "state_dict": op, "optimizer": {0: [1.5, None]}}  # noqa: E731
    assert_equal(load_state(write_file(tmp_path / "net.pth", weights, legacy=legacy, outer=outer)), state)


@pytest.mark.parametrize(("kind", "code"), [("Half", "f2"), ("Double", "f8"), ("BFloat16", "bfloat16")])
def test_other_precisions_become_single(tmp_path: Path, kind: str, code: str) -> None:
    state = seeded_state(SMALL)
    items, expected = {}, {}
    for number, (name, values) in enumerate(state.items()):
        if code == "bfloat16":
            stored = (values.view(np.uint32) >> 16).astype(np.uint16)
            expected[name] = (stored.astype(np.uint32) << 16).view(np.float32)
        else:
            stored = values.astype(code)
            expected[name] = stored.astype(np.float32)
        items[name] = Saved(stored, str(number), kind=named(f"torch.{kind}Storage"))
    assert_equal(load_state(write_file(tmp_path / "net.pth", items, legacy=False)), expected)


def test_python_2_wrote_other_strings(tmp_path: Path) -> None:
    path = write_file(tmp_path / "net.pth", saved(seeded_state(SMALL)), legacy=True)
    expected = load_state(path)
    content = path.read_bytes()
    for name in expected:  # BINUNICODE becomes SHORT_BINSTRING
        content = content.replace(
            b"X" + len(name).to_bytes(4, "little") + name.encode(), b"U" + bytes([len(name)]) + name.encode()
        )
    path.write_bytes(content)
    assert_equal(load_state(path), expected)


def test_reading_and_writing_the_graph_import_no_torch(tmp_path: Path) -> None:
    path = write_file(tmp_path / "net.pth.tar", saved(seeded_state(SMALL)), legacy=True)
    code = """
import sys
from pathlib import Path
sys.modules["torch"] = None
from pose_resnet_ros.export.checkpoint import load_state
from pose_resnet_ros.export.pose_resnet import pose_graph
print(len(pose_graph(load_state(Path(sys.argv[1])), width=64, height=64).graph.node))
"""
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert int(done.stdout) > 40
