# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The fast path on onnxruntime's CPU provider, against the ordinary path of the same network."""

from __future__ import annotations

import logging
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import known_models
import numpy as np
import onnxruntime as ort
import pytest
from spot_model import spot_model

from pose_resnet_ros.core.errors import BackendError, ImageError, InferenceCancelled
from pose_resnet_ros.core.types import Detections, InputSpec
from pose_resnet_ros.models import fused_graph
from pose_resnet_ros.models.backends import SelectedProvider
from pose_resnet_ros.models.fused_graph_buffers import buckets_for
from pose_resnet_ros.models.pose_net import PoseEstimate, PoseNet
from pose_resnet_ros.models.runtime import RunOn
from pose_resnet_ros.models.stages import StageClock

CPU = RunOn(backend="cpu", threads=1)
IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}

STREET = Path(__file__).parents[2] / "docs" / "images" / "street.jpg"
STREET_BOXES_XYXY = np.array(
    [[100, 135, 180, 277], [278, 115, 355, 281], [453, 88, 505, 230], [511, 83, 565, 234], [673, 107, 728, 284]], np.float32
)


def scene(width: int, height: int, *, seed: int = 0) -> np.ndarray:
    """A picture of soft bright blobs of many colours on a dark ground."""
    rng = np.random.default_rng(seed)
    dots = np.zeros((height, width, 3), np.float32)
    for _ in range(12):
        x, y = rng.integers(0, width), rng.integers(0, height)
        dots[y, x] = rng.uniform(0.3, 1.0, 3)
    soft = cv2.GaussianBlur(dots, (0, 0), max(width, height) / 80)
    return (30 + 220 * soft / soft.max()).astype(np.uint8)


def boxes_for(count: int, width: int, height: int, *, seed: int = 1) -> Detections:
    """Boxes inside, across and outside the border."""
    rng = np.random.default_rng(seed)
    centres = rng.uniform(-0.2, 1.2, (count, 2)) * (width, height)
    sizes = rng.uniform(0.2, 0.7, (count, 2)) * (width, height)
    corners = np.concatenate([centres - sizes / 2, centres + sizes / 2], axis=1)
    return Detections(corners.astype(np.float32), np.full(count, 0.9, np.float32))


def both(net: PoseNet, image: np.ndarray, boxes: Detections, *, flip_test: bool = False) -> tuple[PoseEstimate, PoseEstimate]:
    """The estimate of the fast path, and of the ordinary one."""
    clock = StageClock()
    fast = net.estimate(image, boxes, flip_test=flip_test, keep_heatmaps=False, clock=clock)
    assert list(clock.ms) == ["pose"]
    return fast, net.estimate(image, boxes, flip_test=flip_test)


def clear_joints(estimate: PoseEstimate, noise: float) -> np.ndarray:
    """(N, K) mask: the peak stands out from all other cells, and its slopes from 0, by more than ``noise``."""
    assert estimate.heatmaps is not None
    count, joints, _, width = estimate.heatmaps.shape
    ordered = np.sort(estimate.heatmaps.reshape(count, joints, -1), axis=2)
    clear = ordered[..., -1] - ordered[..., -2] > noise
    padded = np.pad(estimate.heatmaps, ((0, 0), (0, 0), (1, 1), (1, 1)))
    for person, joint in np.ndindex(count, joints):
        row, column = divmod(int(estimate.heatmaps[person, joint].argmax()), width)
        near = padded[person, joint, row : row + 3, column : column + 3]
        clear[person, joint] &= min(abs(near[1, 2] - near[1, 0]), abs(near[2, 1] - near[0, 1])) > noise
    return clear


def require_same(
    fast: PoseEstimate, ordinary: PoseEstimate, *, noise: float = 0.008, score_noise: float | None = None, apart_px: float = 0.05
) -> None:
    """Within ``apart_px`` wherever the heatmaps leave no doubt; noise: what the ordinary path's rounding of crops may change.

    score_noise: the same for the highest peaks, where contrast makes that more.
    """
    clear = clear_joints(ordinary, noise)
    assert clear.mean() > 0.15
    apart = np.abs(fast.people.keypoints_xy - ordinary.people.keypoints_xy).max(axis=2)
    assert apart[clear].max(initial=0) < apart_px
    np.testing.assert_allclose(fast.people.keypoint_scores, ordinary.people.keypoint_scores, atol=score_noise or noise)
    np.testing.assert_array_equal(fast.people.boxes_xyxy, ordinary.people.boxes_xyxy)
    np.testing.assert_array_equal(fast.image_from_crop, ordinary.image_from_crop)
    assert fast.heatmaps is None


@pytest.fixture(scope="module")
def blob_net(tmp_path_factory: pytest.TempPathFactory) -> PoseNet:
    path = known_models.blob_finder(tmp_path_factory.mktemp("blob") / "blob.onnx")
    return PoseNet(path, run_on=replace(CPU, max_batch=4), fused_graph=True)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 8, 9])
def test_any_number_of_persons(blob_net: PoseNet, count: int) -> None:
    image, boxes = scene(320, 240), boxes_for(count, 320, 240)
    if not count:
        estimate = blob_net.estimate(image, boxes, keep_heatmaps=False)
        assert estimate.people.keypoints_xy.shape == (0, 17, 2)
        return
    require_same(*both(blob_net, image, boxes))


def test_more_than_the_largest_bucket(tmp_path: Path) -> None:
    net = PoseNet(spot_model(tmp_path / "spot.onnx"), run_on=replace(CPU, max_batch=256), fused_graph=True)
    require_same(*both(net, scene(320, 240), boxes_for(65, 320, 240)))


def test_the_frame_may_change_its_size_and_come_back(blob_net: PoseNet) -> None:
    sizes = [(320, 240), (321, 239), (97, 211), (640, 480), (320, 240), (97, 211)]
    for turn, (width, height) in enumerate(sizes):
        image, boxes = scene(width, height, seed=turn), boxes_for(5, width, height, seed=turn)
        require_same(*both(blob_net, image, boxes))


def test_a_later_frame_leaves_earlier_results_alone(blob_net: PoseNet) -> None:
    boxes = boxes_for(3, 320, 240)
    first = blob_net.estimate(scene(320, 240), boxes, keep_heatmaps=False).people
    before = first.keypoints_xy.copy(), first.keypoint_scores.copy()
    later = blob_net.estimate(scene(320, 240, seed=9), boxes, keep_heatmaps=False).people
    np.testing.assert_array_equal(first.keypoints_xy, before[0])
    np.testing.assert_array_equal(first.keypoint_scores, before[1])
    assert np.abs(later.keypoint_scores - before[1]).max() > 0.01


def test_a_window_of_a_larger_picture(blob_net: PoseNet) -> None:
    image, boxes = scene(640, 480)[100:340, 200:520], boxes_for(3, 320, 240)
    assert not image.flags.c_contiguous
    require_same(*both(blob_net, image, boxes))


@pytest.mark.parametrize("order", ["bgr", "rgb"])
@pytest.mark.parametrize("decoder", fused_graph.DECODERS)
@pytest.mark.parametrize("flip_test", [False, True])
def test_colour_orders_statistics_decoders_and_flip_test(tmp_path: Path, order: str, decoder: str, flip_test: bool) -> None:
    given = InputSpec(48, 64, order, 1 / 255, **IMAGENET)  # type: ignore[arg-type]
    spec = replace(known_models.POSE_SPEC, input=given, decoder=decoder)
    net = PoseNet(known_models.blob_finder(tmp_path / "p.onnx", spec=spec), run_on=CPU, fused_graph=True)
    estimates = both(net, scene(320, 240), boxes_for(4, 320, 240), flip_test=flip_test)
    require_same(*estimates, noise=0.03)


@pytest.mark.parametrize("flip_test", [False, True])
def test_the_bundled_network(flip_test: bool) -> None:
    """On people: on coloured blobs its maps are nearly flat, as they should be."""
    net = PoseNet("pose_resnet_lite", run_on=CPU, precision="fp32", fused_graph=True)
    image = cv2.imread(str(STREET))
    boxes = Detections(STREET_BOXES_XYXY, np.full(len(STREET_BOXES_XYXY), 0.9, np.float32))
    # A photograph has more contrast than the blobs, and rounding it to whole grey levels and 1/32 pixel changes more. DARK's
    # step follows these changes, where the quarter step has two values. 0.5 px is a tenth of a heatmap cell here.
    require_same(*both(net, image, boxes, flip_test=flip_test), noise=0.012, score_noise=0.025, apart_px=0.5)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"crop": "ailia"}, "crop 'ailia' has no version inside a graph"),
        ({"batch": 1}, "the file has a fixed batch, or more than one input"),
    ],
)
def test_what_it_cannot_do_takes_the_ordinary_path_and_says_so_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, change: dict[str, str | int], said: str
) -> None:
    batch = change.pop("batch", "n")
    spec = replace(known_models.POSE_SPEC, **change)  # type: ignore[arg-type]
    path = known_models.pose_net(tmp_path / "p.onnx", spec=spec, batch=batch)
    with caplog.at_level(logging.WARNING):
        net = PoseNet(path, run_on=replace(CPU, max_batch=1), fused_graph=True)
        for _ in range(2):
            estimate = net.estimate(scene(320, 240), boxes_for(2, 320, 240), keep_heatmaps=False)
    assert estimate.heatmaps is not None
    messages = [record.message for record in caplog.records]
    assert messages == [f"p.onnx: crops and decoding stay on the CPU: {said}"]


def test_a_network_without_heatmaps_takes_the_ordinary_path(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    answers = {"x": np.ones((1, 17, 384)), "y": np.ones((1, 17, 512))}
    spec = replace(known_models.POSE_SPEC, decoder="simcc")
    PoseNet(known_models.constant_answers(tmp_path / "s.onnx", answers, spec=spec), run_on=CPU, fused_graph=True)
    assert "s.onnx: crops and decoding stay on the CPU: decoder 'simcc' has no version inside a graph" in caplog.text


def test_without_the_onnx_package_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = known_models.pose_net(tmp_path / "p.onnx")
    monkeypatch.setitem(sys.modules, "onnx", None)
    PoseNet(path, run_on=CPU, fused_graph=True)
    assert "the onnx package is missing (pip install onnx; the extra [gpu] has it)" in caplog.text


def test_on_the_cpu_it_is_not_used_unless_asked_for(tmp_path: Path) -> None:
    clock = StageClock()
    net = PoseNet(known_models.pose_net(tmp_path / "p.onnx"), run_on=CPU)
    net.estimate(scene(320, 240), boxes_for(1, 320, 240), keep_heatmaps=False, clock=clock)
    assert list(clock.ms) == ["crop", "pose", "decode"]


def test_bad_images_and_boxes_are_refused(blob_net: PoseNet) -> None:
    with pytest.raises(ImageError, match="expected a BGR image"):
        blob_net.estimate(np.zeros((4, 4), np.uint8), boxes_for(1, 4, 4), keep_heatmaps=False)
    flat = Detections(np.array([[5, 5, 5, 9]], np.float32), np.ones(1, np.float32))
    with pytest.raises(ImageError, match="has no area"):
        blob_net.estimate(scene(320, 240), flat, keep_heatmaps=False)


def test_it_can_be_cancelled(tmp_path: Path) -> None:
    run_on = RunOn(backend="cpu")
    net = PoseNet(known_models.pose_net(tmp_path / "p.onnx"), run_on=run_on, fused_graph=True)
    run_on.canceller.cancel()
    with pytest.raises(InferenceCancelled):
        net.estimate(scene(320, 240), boxes_for(1, 320, 240), keep_heatmaps=False)


@pytest.mark.parametrize(
    ("max_batch", "buckets"), [(1, (1,)), (4, (1, 2, 4)), (24, (1, 2, 4, 8, 16, 24)), (256, (1, 2, 4, 8, 16, 32, 64))]
)
def test_buckets_end_at_the_largest_batch(max_batch: int, buckets: tuple[int, ...]) -> None:
    assert buckets_for(max_batch) == buckets


def test_where_it_does_not_agree_with_the_ordinary_path_it_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A device that computes something else cannot be had: here it answers the second picture with the first one's points."""
    real, first = fused_graph.FusedGraph.run, []

    def stale(self: fused_graph.FusedGraph, *given: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        first.append(real(self, *given))
        return first[0]

    monkeypatch.setattr(fused_graph.FusedGraph, "run", stale)
    net = PoseNet(known_models.blob_finder(tmp_path / "p.onnx"), run_on=CPU, fused_graph=True)
    assert "p.onnx: crops and decoding stay on the CPU: its keypoints lie" in caplog.text
    estimate = net.estimate(scene(320, 240), boxes_for(2, 320, 240), keep_heatmaps=False)
    assert estimate.heatmaps is not None


def test_tensorrt_runs_the_network_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    net = PoseNet(known_models.blob_finder(tmp_path / "p.onnx"), run_on=CPU)
    monkeypatch.setattr(
        net._model, "selected_provider", SelectedProvider("tensorrt", "TensorrtExecutionProvider", "as requested")
    )
    assert net._open_fused_graph(CPU) is None
    assert "p.onnx: crops and decoding stay on the CPU: backend 'tensorrt' runs only the network itself" in caplog.text


def test_where_cuda_graphs_are_refused_it_runs_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """No GPU here: a CPU session stands in for CUDA's, and refuses to record as a graph with a copy in it does."""
    net = PoseNet(known_models.blob_finder(tmp_path / "p.onnx"), run_on=CPU)
    monkeypatch.setattr(net._model, "selected_provider", SelectedProvider("cuda", "CUDAExecutionProvider", "as requested"))
    monkeypatch.setattr(fused_graph, "_DEVICES", {"cuda": "cpu"})
    monkeypatch.setattr(fused_graph, "_version", lambda: fused_graph._FIRST_WITH_RECORDINGS)
    real = fused_graph.open_composed

    def refusing(model: bytes, *, more: dict[str, str], backend: str, **given: object) -> object:
        if more == {"enable_cuda_graph": "1"}:
            raise BackendError("the model has Memcpy nodes")
        return real(model, backend="cpu", **given)  # type: ignore[arg-type]

    monkeypatch.setattr(fused_graph, "open_composed", refusing)
    net._fused_graph = net._open_fused_graph(CPU)
    assert "p.onnx: runs without CUDA graphs: the model has Memcpy nodes" in caplog.text
    require_same(*both(net, scene(320, 240), boxes_for(2, 320, 240)))


class Recording:
    """A session on the CPU that notes the number of the recording of each run, and fails or is cancelled when it is told to."""

    def __init__(self, session: ort.InferenceSession, numbers: list[str]) -> None:
        self._session, self._numbers = session, numbers
        self.raises: Exception | None = None

    def io_binding(self) -> ort.IOBinding:
        return self._session.io_binding()

    def run_with_iobinding(self, binding: ort.IOBinding, options: ort.RunOptions) -> None:
        self._numbers.append(options.get_run_config_entry("gpu_graph_id"))
        if self.raises is not None:
            error, self.raises = self.raises, None
            raise error
        self._session.run_with_iobinding(binding, options)


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[PoseNet, list[Recording], list[str]]:
    """A network that believes to be on CUDA, its sessions with recorded graphs, and the numbers of the recordings they ran."""
    net = PoseNet(known_models.blob_finder(tmp_path / "p.onnx"), run_on=CPU)
    monkeypatch.setattr(net._model, "selected_provider", SelectedProvider("cuda", "CUDAExecutionProvider", "as requested"))
    monkeypatch.setattr(fused_graph, "_DEVICES", {"cuda": "cpu"})
    monkeypatch.setattr(fused_graph, "_version", lambda: fused_graph._FIRST_WITH_RECORDINGS)
    real, sessions, numbers = fused_graph.open_composed, [], []

    def opened(model: bytes, *, more: dict[str, str], backend: str, **given: object) -> object:
        session = real(model, backend="cpu", **given)  # type: ignore[arg-type]
        if not more:
            return session
        sessions.append(Recording(session, numbers))
        return sessions[-1]

    monkeypatch.setattr(fused_graph, "open_composed", opened)
    net._fused_graph = net._open_fused_graph(CPU)
    numbers.clear()
    return net, sessions, numbers


def test_one_recording_for_each_number_of_persons(recorded: tuple[PoseNet, list[Recording], list[str]]) -> None:
    net, _, numbers = recorded
    for count in (1, 2, 1, 3, 4, 2):
        both(net, scene(320, 240), boxes_for(count, 320, 240))
    one, two, again, four, filled, twice = numbers
    assert (one, two, four) == (again, twice, filled)
    assert len({one, two, four}) == 3


def test_what_cannot_be_recorded_later_runs_without_from_then_on(
    recorded: tuple[PoseNet, list[Recording], list[str]], caplog: pytest.LogCaptureFixture
) -> None:
    net, (session,), numbers = recorded
    session.raises = RuntimeError("CUDA failure 901: operation failed due to a previous error during capture")
    require_same(*both(net, scene(320, 240), boxes_for(2, 320, 240)))
    assert "p.onnx: runs without CUDA graphs" in caplog.text
    assert "CUDA failure 901" in caplog.text
    both(net, scene(320, 240), boxes_for(2, 320, 240), flip_test=True)  # nor is its session opened to record
    assert len(numbers) == 1


def test_a_recording_that_was_cancelled_is_not_replayed(recorded: tuple[PoseNet, list[Recording], list[str]]) -> None:
    net, (session,), numbers = recorded
    session.raises = InferenceCancelled("inference was cancelled")
    with pytest.raises(InferenceCancelled):
        net.estimate(scene(320, 240), boxes_for(2, 320, 240), keep_heatmaps=False)
    require_same(*both(net, scene(320, 240), boxes_for(2, 320, 240)))
    assert len(set(numbers)) == 2
