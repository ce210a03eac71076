# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The detector's training command, from photographs on disk to a model file that the package loads."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from pose_resnet_ros.core.types import Detections  # noqa: E402
from pose_resnet_ros.models.detector import PersonDetector  # noqa: E402
from pose_resnet_ros.models.spec import METADATA_KEY, spec_from_json  # noqa: E402
from training.coco import load_photographs  # noqa: E402
from training.detector import export as export_detector  # noqa: E402
from training.detector import measure as measure_detector  # noqa: E402
from training.detector import mine as mine_detector  # noqa: E402
from training.detector import model as detector_model  # noqa: E402
from training.detector import train as train_detector  # noqa: E402
from training.detector.check import BoxCheck  # noqa: E402
from training.detector.loss import detection_loss  # noqa: E402
from training.detector.network import PersonLite, count_macs, grow  # noqa: E402
from training.images import ImageStore  # noqa: E402


def _write_data_set(folder: Path, count: int) -> None:
    """Photographs of a white bar, 20x50 pixels, on dark noise, with a doubtful second box."""
    random = np.random.default_rng(0)
    images, annotations = [], []
    for number in range(1, count + 1):
        picture = random.integers(0, 60, (96, 128, 3)).astype(np.uint8)
        x, y = (int(v) for v in random.integers(5, 40, 2))
        picture[y : y + 50, x : x + 20] = 255
        cv2.imwrite(str(folder / f"{number}.png"), picture)
        images.append({"id": number, "file_name": f"{number}.png", "width": 128, "height": 96})
        annotations.append({"image_id": number, "category_id": 1, "bbox": [x, y, 20, 50]})
        annotations.append({"image_id": number, "category_id": 1, "bbox": [90, 10, 20, 50], "score": 0.3})
    annotations = [{"id": number} | row for number, row in enumerate(annotations, start=1)]
    data = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "person"}]}
    (folder / "annotations.json").write_text(json.dumps(data))


def _train(folder: Path, *more: str) -> None:
    train_detector.main(
        f"--data {folder} --output {folder / 'run'} --validation-images 2 --batch-size 4 "
        f"--workers 0 --device cpu --precision fp32 --threads 1".split()
        + list(more)
    )


def test_stages_follow_one_another_and_continue(tmp_path: Path) -> None:
    _write_data_set(tmp_path, 10)
    _train(tmp_path, "--stages", "64x64:1:1e-3,96x64:1:1e-3")
    first = torch.load(tmp_path / "run/stage1/last.pt", weights_only=True)
    assert first["epoch"] == 1
    _train(tmp_path, "--stages", "64x64:1:1e-3,96x64:2:1e-3")  # the first stage is done, the second goes on
    assert torch.load(tmp_path / "run/stage1/last.pt", weights_only=True)["step"] == first["step"]
    assert torch.load(tmp_path / "run/stage2/last.pt", weights_only=True)["epoch"] == 2
    best, fine = tmp_path / "run/stage2/best.pt", tmp_path / "fine"
    _train(tmp_path, "--stages", "64x64:1:1e-3", "--init", str(best), "--output", str(fine))
    assert (tmp_path / "fine/stage1/best.pt").exists()


@pytest.mark.parametrize(
    "persons_xyxy",
    [[[30, 20, 52, 70]], [[28, 20, 40, 60], [40, 22, 52, 62]]],
    ids=["one", "two in one cell of the coarser grids"],
)
def test_overfits_one_picture(persons_xyxy: list[list[int]]) -> None:
    torch.manual_seed(0)
    picture = torch.zeros(1, 3, 96, 128)
    for shade, (x1, y1, x2, y2) in zip((1.0, 0.5), persons_xyxy, strict=False):
        picture[:, :, y1:y2, x1:x2] = shade
    persons, nobody = torch.tensor([persons_xyxy], dtype=torch.float32), torch.zeros(1, 1, 4)
    model = PersonLite(width=8)
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    for _ in range(80):
        loss = detection_loss(model(picture), detector_model.GRIDS, persons, nobody)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    image = (picture[0].permute(1, 2, 0).numpy() * 255).astype(np.uint8)
    model.train()  # one picture is all the statistics there are
    with torch.no_grad():
        found = detector_model.detect(
            model, image, spec=detector_model.describe(width=128, height=96), threshold=0.5, device="cpu"
        )
    found_xyxy = found.boxes_xyxy[np.argsort(found.boxes_xyxy[:, 0])]
    np.testing.assert_allclose(found_xyxy, persons_xyxy, atol=4)


def test_export_describes_itself_and_computes_the_same(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = PersonLite().eval()
    for module in model.modules():  # statistics that folding has to get right
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-0.2, 0.2)
            module.running_var.uniform_(0.5, 2.0)
    torch.save(model.state_dict(), tmp_path / "best.pt")
    target = tmp_path / "person_lite.onnx"
    export_detector.main(["--weights", str(tmp_path / "best.pt"), "--output", str(target), "--accuracy", "none"])
    onnx, onnxruntime = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")
    written = onnx.load(target)
    assert (written.ir_version, written.opset_import[0].version) == (8, 17)
    spec = spec_from_json({p.key: p.value for p in written.metadata_props}[METADATA_KEY])
    assert (spec.input.width, spec.input.height, spec.input.channel_order) == (416, 320, "rgb")
    assert (spec.decoder, spec.letterbox, spec.class_count) == ("yolov3", "darknet", 1)
    assert "Johnson" in spec.provenance["data"]
    assert target.stat().st_size < 4e6
    session = onnxruntime.InferenceSession(str(target), providers=["CPUExecutionProvider"])
    batch = np.random.default_rng(0).random((2, 3, 320, 416), np.float32)
    with torch.no_grad():
        expected = model(torch.from_numpy(batch))
    for ours, theirs in zip(session.run(["stride32", "stride16", "stride8"], {"input": batch}), expected, strict=True):
        np.testing.assert_allclose(ours, theirs.numpy(), atol=2e-2)
    PersonDetector(target).close()


def test_a_grown_network_starts_with_the_answers_of_the_smaller_one() -> None:
    torch.manual_seed(0)
    small, large = (PersonLite(width=8, pairs=(1, 1, 1, 1)).eval(), PersonLite(width=8, pairs=(1, 2, 3, 1)).eval())
    grow(large, small.state_dict())
    picture = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        for ours, theirs in zip(large(picture), small(picture), strict=True):
            torch.testing.assert_close(ours, theirs)
    with pytest.raises(RuntimeError, match="another network"):
        grow(PersonLite(width=8, pairs=(1, 1, 1, 1)), large.state_dict())


def test_budget() -> None:
    assert count_macs(PersonLite(), width=416, height=320) < 0.8e9


def test_accuracy_is_measured_with_the_packages_decoding(tmp_path: Path) -> None:
    _write_data_set(tmp_path, 2)
    labels = [train_detector.labels_of(p) for p in load_photographs(tmp_path / "annotations.json")]
    assert [len(label.boxes_xyxy) for label in labels] == [1, 1]
    assert [len(label.ignore_xyxy) for label in labels] == [1, 1]
    measured = train_detector.evaluate(PersonLite().eval(), labels, ImageStore(tmp_path))
    assert measured["ap50"] < 0.05  # an untrained network finds nobody


@pytest.mark.parametrize("more", ["", "--verify-by pose_resnet_lite"])
def test_the_measuring_command_prints_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str], more: str) -> None:
    _write_data_set(tmp_path, 3)
    arguments = f"--model full_frame --data {tmp_path} --validation-images 2 {more}"
    measure_detector.main(arguments.split())
    printed = capsys.readouterr().out
    assert "AP50 0.000 for persons over 40 px" in printed  # the whole frame is not the bar in it
    assert "| 0.4 | 0.00 | 0.00 |" in printed


def test_mined_places_are_trained_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From the detector that takes every picture for a person: only a picture without anybody is a false alarm."""
    people, things = tmp_path / "people", tmp_path / "things"
    people.mkdir()
    things.mkdir()
    _write_data_set(people, 4)
    cv2.imwrite(str(things / "chair.png"), np.full((60, 80, 3), 90, np.uint8))
    hard = tmp_path / "hard.json"
    mine_detector.main(f"--model full_frame --data {people} {things} --validation-images 2 --output {hard}".split())
    assert "1 places in 1 pictures" in capsys.readouterr().out
    rows = json.loads(hard.read_text())
    assert [(row["file_name"], row["free_xyxy"]) for row in rows] == [("chair.png", [0, 0, 80, 60])]
    _train(people, "--stages", "64x64:1:1e-3", "--hard-negatives", str(hard), "--data", str(people), str(things))
    assert torch.load(tmp_path / "people/run/stage1/last.pt", weights_only=True)["step"] == 1


def test_the_check_is_cocos(tmp_path: Path) -> None:
    """Two persons and an empty picture: one found, one missed, one false alarm that scores between them."""
    images = [{"id": n, "file_name": f"{n}.png", "width": 100, "height": 100} for n in (1, 2, 3)]
    rows = [{"id": n, "image_id": n, "category_id": 1, "bbox": [10, 10, 40, 80], "area": 3200, "iscrowd": 0} for n in (1, 2)]
    data = {"images": images, "annotations": rows, "categories": [{"id": 1, "name": "person"}]}
    (tmp_path / "annotations.json").write_text(json.dumps(data))
    for number in (1, 2, 3):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((100, 100, 3), number, np.uint8))
    answers = {
        1: Detections(np.array([[10, 10, 50, 90]], np.float32), np.array([0.9], np.float32)),
        2: Detections.empty(),
        3: Detections(np.array([[0, 0, 50, 50]], np.float32), np.array([0.5], np.float32)),
    }
    result = BoxCheck(tmp_path).measure(lambda image: answers[int(image[0, 0, 0])], threshold=0.4)
    assert (result.false_alarms, result.empty) == (1, 1)
    assert (result.precision, result.recall) == (0.5, 0.5)
    assert result.ap50 == pytest.approx(51 / 101)
    assert (result.best_threshold, result.best_f1) == (pytest.approx(0.9), pytest.approx(2 / 3))
