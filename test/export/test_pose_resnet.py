# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Checkpoints with the key names and shapes of the published files, through to heatmaps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

torch = pytest.importorskip("torch")

from published_files import Style, write_checkpoint  # noqa: E402 - needs torch

from pose_resnet_ros.core.errors import ModelError  # noqa: E402
from pose_resnet_ros.export.checkpoint import load_state  # noqa: E402
from pose_resnet_ros.export.pose_resnet import architecture_of, joint_count, pose_graph  # noqa: E402
from pose_resnet_ros.export.torch_networks import BasicBlock, PoseResNet, network_for, pose_resnet, seeded  # noqa: E402

# Depth, learnable parameters, tensors without and with PyTorch's batch counters.
PUBLISHED = [
    (18, 15_376_721, 117, 140),
    (34, 25_484_881, 197, 236),
    (50, 33_999_697, 282, 338),
    (101, 52_991_825, 537, 644),
    (152, 68_635_473, 792, 950),
]
R50_SHAPES = {
    "conv1.weight": (64, 3, 7, 7),
    "bn1.running_mean": (64,),
    "layer1.0.conv1.weight": (64, 64, 1, 1),
    "layer1.0.downsample.0.weight": (256, 64, 1, 1),
    "layer1.0.downsample.1.running_var": (256,),
    "layer1.2.conv3.weight": (256, 64, 1, 1),
    "layer2.0.conv1.weight": (128, 256, 1, 1),
    "layer2.3.conv2.weight": (128, 128, 3, 3),
    "layer3.5.bn3.weight": (1024,),
    "layer4.0.downsample.0.weight": (2048, 1024, 1, 1),
    "layer4.2.conv1.weight": (512, 2048, 1, 1),
    "deconv_layers.0.weight": (2048, 256, 4, 4),
    "deconv_layers.1.weight": (256,),
    "deconv_layers.6.weight": (256, 256, 4, 4),
    "deconv_layers.7.running_var": (256,),
    "final_layer.weight": (17, 256, 1, 1),
    "final_layer.bias": (17,),
}


def small(depth: int = 18, joint_count: int = 17) -> PoseResNet:
    return seeded(pose_resnet(depth, joint_count=joint_count, width=8, deconv_channels=16))


def parameter_count(network: PoseResNet) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def heatmaps(model: onnx.ModelProto, crops: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(["heatmaps"], {"input": crops})[0]


@pytest.mark.parametrize(("depth", "parameters", "tensors", "with_counters"), PUBLISHED)
def test_networks_have_the_published_number_of_tensors(depth: int, parameters: int, tensors: int, with_counters: int) -> None:
    network = pose_resnet(depth)
    state = network.state_dict()
    assert parameter_count(network) == parameters
    assert len(state) == with_counters
    assert architecture_of(state).shapes() == {key: tuple(state[key].shape) for key in state if "num_batches" not in key}
    assert sum("num_batches_tracked" not in key for key in state) == tensors


def test_resnet_50_has_the_published_names_and_shapes() -> None:
    state = pose_resnet(50).state_dict()
    assert {key: tuple(state[key].shape) for key in R50_SHAPES} == R50_SHAPES


@pytest.mark.slow
@pytest.mark.parametrize("depth", [50, 101, 152])
def test_heatmaps_equal_those_of_the_network_in_torch(tmp_path: Path, depth: int) -> None:
    network = seeded(pose_resnet(depth), seed=depth)
    state = load_state(write_checkpoint(tmp_path / "net.pth.tar", network))
    for width, height in ((192, 256), (288, 384)):
        crops = np.random.default_rng(depth).standard_normal((1, 3, height, width), np.float32)
        ours = heatmaps(pose_graph(state, width=width, height=height), crops)
        with torch.no_grad():
            theirs = network(torch.from_numpy(crops)).numpy()
        assert ours.shape == (1, 17, height // 4, width // 4)
        assert np.abs(theirs).max() > 0.2
        np.testing.assert_allclose(ours, theirs, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(("depth", "width"), [(18, 16), (50, 64), (152, 16)])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_heatmaps_equal_those_of_pytorch_s_own_export(tmp_path: Path, depth: int, width: int) -> None:
    network = seeded(pose_resnet(depth, width=width, deconv_channels=4 * width), seed=depth)
    crops = np.random.default_rng(depth).standard_normal((1, 3, 256, 192), np.float32)
    names = {"input_names": ["input"], "output_names": ["heatmaps"]}
    torch.onnx.export(network, (torch.from_numpy(crops),), tmp_path / "net.onnx", dynamo=False, **names)
    theirs = heatmaps(onnx.load(tmp_path / "net.onnx"), crops)
    state = load_state(write_checkpoint(tmp_path / "net.pth.tar", network))
    ours = heatmaps(pose_graph(state, width=192, height=256), crops)
    assert np.abs(theirs).max() > 0.2
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_a_network_of_other_widths_and_kernels_equals_the_one_in_torch(tmp_path: Path) -> None:
    further = {"deconv_channels": (12, 8, 16), "deconv_kernels": (2, 3, 4), "deconv_bias": True, "final_kernel": 3}
    network = seeded(PoseResNet(BasicBlock, block_counts=(2, 2, 2, 2), width=8, **further))
    state = load_state(write_checkpoint(tmp_path / "net.pth", network))
    crops = np.random.default_rng(0).standard_normal((2, 3, 64, 96), np.float32)
    again = network_for({name: torch.from_numpy(array) for name, array in state.items()})
    with torch.no_grad():
        theirs = network(torch.from_numpy(crops)).numpy()
        np.testing.assert_array_equal(again(torch.from_numpy(crops)).numpy(), theirs)
    np.testing.assert_allclose(heatmaps(pose_graph(state, width=96, height=64), crops), theirs, atol=1e-5)


@pytest.mark.parametrize("depth", [18, 34, 50])
@pytest.mark.parametrize("count", [1, 5])
def test_every_block_kind_and_batch_size(depth: int, count: int) -> None:
    network = small(depth, joint_count=16)
    state = {key: value.numpy() for key, value in network.state_dict().items()}
    crops = np.random.default_rng(0).standard_normal((count, 3, 64, 96), np.float32)
    with torch.no_grad():
        theirs = network(torch.from_numpy(crops)).numpy()
    np.testing.assert_allclose(heatmaps(pose_graph(state, width=96, height=64), crops), theirs, atol=1e-4)


@pytest.mark.parametrize("style", ["microsoft", "trainer", "best", "mmpose", "mmpose0"])
def test_every_way_of_saving_gives_the_same_tensors(tmp_path: Path, style: Style) -> None:
    network = small(50)
    state = load_state(write_checkpoint(tmp_path / "net.pth", network, style=style))
    expected = {key: value for key, value in network.state_dict().items() if "num_batches" not in key}
    assert state.keys() == expected.keys()
    for key, value in expected.items():
        np.testing.assert_array_equal(state[key], value.numpy())
    assert joint_count(state) == 17


def test_a_half_precision_checkpoint_is_read_as_single(tmp_path: Path) -> None:
    state = load_state(write_checkpoint(tmp_path / "net.pth", small().half()))
    assert {array.dtype for array in state.values()} == {np.dtype(np.float32)}


def test_the_network_is_told_from_its_tensors() -> None:
    network = small(34, joint_count=16)
    again = network_for({key: value for key, value in network.state_dict().items() if "num_batches" not in key})
    assert parameter_count(again) == parameter_count(network)
    assert not again.training


def test_files_are_of_opset_17_and_ir_8_unless_asked(tmp_path: Path) -> None:
    state = {key: value.numpy() for key, value in small().state_dict().items()}
    for opset, ir_version in ((17, 8), (13, 8), (21, 10)):
        model = pose_graph(state, width=64, height=64, opset=opset)
        assert (model.opset_import[0].version, model.ir_version) == (opset, ir_version)
    assert pose_graph(state, width=64, height=64).ir_version == 8


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("this ran",)


def test_a_pickle_that_runs_code_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    torch.save({"state_dict": small().state_dict(), "extra": Evil()}, tmp_path / "evil.pth")
    with pytest.raises(ModelError, match=r"refused, because opening it would use .*print"):
        load_state(tmp_path / "evil.pth")
    assert "this ran" not in capfd.readouterr().out


@pytest.mark.parametrize("content", [b"", b"<html>", b"PK\x03\x04 cut", b"\x80\x02}q"])
def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "net.pth").write_bytes(content)
    with pytest.raises(ModelError, match="damaged or not a PyTorch checkpoint"):
        load_state(tmp_path / "net.pth")


def test_a_truncated_checkpoint_is_refused(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path / "net.pth", small())
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(ModelError, match="damaged or not a PyTorch checkpoint"):
        load_state(path)


def test_another_network_is_refused(tmp_path: Path) -> None:
    torch.save({"fc.weight": torch.zeros(3)}, tmp_path / "net.pth")
    with pytest.raises(ModelError, match=r"not a PoseResNet checkpoint, conv1\.weight.* missing; it starts with fc\.weight"):
        load_state(tmp_path / "net.pth")
    torch.save([1, 2], tmp_path / "net.pth")
    with pytest.raises(ModelError, match="expected a dictionary of tensors, got list"):
        load_state(tmp_path / "net.pth")


@pytest.mark.parametrize("change", ["missing", "another shape", "unknown"])
def test_tensors_that_do_not_make_a_network_are_refused(tmp_path: Path, change: str) -> None:
    state = small().state_dict()
    key = "layer3.1.bn2.running_mean"
    if change == "missing":
        del state[key]
    elif change == "another shape":
        state[key] = torch.zeros(9)
    else:
        key = "vis_head.weight"
        state[key] = torch.zeros(3)
    torch.save(state, tmp_path / "net.pth")
    with pytest.raises(ModelError, match=rf"do not make a PoseResNet: .*{key}"):
        load_state(tmp_path / "net.pth")
