# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The pose network's training command, from photographs on disk to a model file that the package loads."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="requires torch")
pytest.importorskip("matplotlib", reason="requires matplotlib")

from pose_resnet_ros.core.errors import ImageError  # noqa: E402
from pose_resnet_ros.core.heatmaps import DECODERS  # noqa: E402
from pose_resnet_ros.core.types import Detections  # noqa: E402
from pose_resnet_ros.models.pose_net import PoseNet  # noqa: E402
from pose_resnet_ros.models.spec import METADATA_KEY, spec_from_json  # noqa: E402
from training.coco import load_photographs, split_by_id  # noqa: E402
from training.data_options import open_images, read_split  # noqa: E402
from training.images import ImageStore  # noqa: E402
from training.loading import make_loader  # noqa: E402
from training.pose import augment as pose_augment  # noqa: E402
from training.pose import export as export_pose  # noqa: E402
from training.pose import measure as measure_pose  # noqa: E402
from training.pose import metrics as pose_metrics  # noqa: E402
from training.pose import model as pose_model  # noqa: E402
from training.pose import presence  # noqa: E402
from training.pose import train as train_pose  # noqa: E402
from training.pose.check import CocoCheck  # noqa: E402
from training.pose.crops import PoseCrops  # noqa: E402
from training.pose.loss import PoseLoss, gaussian_heatmaps  # noqa: E402

WEIGHTS = Path(__file__).parents[3] / "pose_resnet_ros" / "weights"


def _write_data_set(folder: Path, count: int) -> None:
    """Photographs of 17 dots of 17 colours, a person each; a bystander with machine labels, one without."""
    random = np.random.default_rng(0)
    images, annotations = [], []
    for number in range(1, count + 1):
        picture = np.full((120, 160, 3), 40, np.uint8)
        joints = random.integers((20, 20), (90, 100), (17, 2))
        for joint, (x, y) in enumerate(joints.tolist()):
            cv2.circle(picture, (x, y), 4, (15 * joint, 250 - 12 * joint, (joint % 4) * 80), -1)
        cv2.imwrite(str(folder / f"{number}.png"), picture)
        images.append({"id": number, "file_name": f"{number}.png", "width": 160, "height": 120})
        points = np.hstack([joints, np.full((17, 1), 2)]).ravel().tolist()
        machine = np.hstack([joints, np.full((17, 1), 1)]).ravel().tolist()
        main = {"image_id": number, "category_id": 1, "bbox": [10, 10, 90, 100]}
        annotations += [
            main | {"keypoints": points, "keypoint_source": "annotated"},
            main | {"keypoints": machine, "keypoint_source": "machine", "score": 0.9},
            main | {"keypoints": [], "score": 0.4},
            main | {"iscrowd": 1},
        ]
    annotations = [{"id": number} | row for number, row in enumerate(annotations, start=1)]
    data = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "person"}]}
    (folder / "annotations.json").write_text(json.dumps(data))


def _train(folder: Path, *more: str) -> None:
    train_pose.main(
        f"--data {folder} --output {folder / 'run'} --validation-images 2 --batch-size 4 "
        "--net-width 8 --deconv-channels 8 --workers 0 --device cpu --precision fp32 --threads 1".split()
        + list(more)
    )


def test_training_resuming_and_fine_tuning(tmp_path: Path) -> None:
    _write_data_set(tmp_path, 6)
    _train(tmp_path, "--stages", "64x64:2:1e-3")
    whole = torch.load(tmp_path / "run/stage1/last.pt", weights_only=True)
    assert (whole["epoch"], whole["step"]) == (2, 4)  # 4 images, 8 labelled persons
    _train(tmp_path, "--stages", "64x64:3:1e-3,64x96:1:1e-3")
    epochs = [torch.load(tmp_path / f"run/stage{n}/last.pt", weights_only=True)["epoch"] for n in (1, 2)]
    assert epochs == [3, 1]
    best, fine = tmp_path / "run/stage2/best.pt", tmp_path / "fine"
    _train(tmp_path, "--stages", "64x96:1:3e-4", "--init", str(best), "--output", str(fine))
    assert (fine / "stage1/best.pt").exists()


def test_learns_four_people_by_heart(tmp_path: Path) -> None:
    _write_data_set(tmp_path, 6)
    people = PoseCrops(load_photographs(tmp_path / "annotations.json")[:4], ImageStore(tmp_path), (64, 64), only_main=True)
    torch.manual_seed(0)
    model, loss_of = (pose_model.new_network(width=8, deconv_channels=32), PoseLoss((64, 64), sigma=1.5))
    batch = next(iter(make_loader(people, batch_size=4, shuffle=False)))
    optimizer = torch.optim.AdamW(model.parameters(), 5e-3)
    for _ in range(150):
        loss = loss_of(model, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        heatmaps = model(pose_model.to_input(batch[0])).numpy()
    points, scores = DECODERS["microsoft"].decode([heatmaps], input_wh=(64, 64))
    assert np.median(np.linalg.norm(points - batch[1][:, 0].numpy(), axis=2)) < 2
    assert np.median(scores) > 0.6


def test_who_is_trained_on_and_who_is_measured(tmp_path: Path) -> None:
    _write_data_set(tmp_path, 5)
    training, validation = split_by_id(load_photographs(tmp_path / "annotations.json"), validation_count=2)
    assert [p.image_id for p in validation] == [4, 5]
    images = ImageStore(tmp_path, cache_bytes=10**6)
    crops = PoseCrops(training, images, (96, 128))
    assert (len(crops), len(PoseCrops(validation, images, (96, 128), only_main=True))) == (6, 2)
    crop, keypoints, weights = crops[0, 1]
    assert (crop.shape, keypoints.shape, weights.shape) == ((128, 96, 3), (2, 17, 2), (2, 17))
    np.testing.assert_array_equal(weights[0], 0.5)  # labelled by a machine
    np.testing.assert_array_equal(crops[0, 0][2][0], 1)
    np.testing.assert_array_equal(weights[1], 0)  # no teacher
    with pytest.raises(ValueError, match="expected 1 to 4, got 5"):
        split_by_id([*training, *validation], validation_count=5)


def test_images_come_from_a_folder_or_a_tar(tmp_path: Path) -> None:
    _write_data_set(tmp_path, 2)
    with tarfile.open(tmp_path / "images.tar", "w") as archive:
        archive.add(tmp_path / "2.png", "2.png")
    (tmp_path / "no.png").write_text("no image")
    folder, packed = ImageStore(tmp_path), ImageStore(tmp_path / "images.tar", cache_bytes=10**6)
    np.testing.assert_array_equal(folder.read("2.png"), packed.read("2.png"))
    assert packed.read("2.png") is packed.read("2.png")
    with pytest.raises(ImageError, match=r"no\.png"):
        folder.read("no.png")
    declared = load_photographs(tmp_path / "annotations.json")
    assert ImageStore(tmp_path, photographs=declared).read("2.png").shape == (120, 160, 3)
    cv2.imwrite(str(tmp_path / "2.png"), np.zeros((50, 50, 3), np.uint8))
    with pytest.raises(ImageError, match=r"2\.png: the annotations say 160 x 120, but it has 50 x 50 pixels"):
        ImageStore(tmp_path, photographs=declared).read("2.png")
    with pytest.raises(FileNotFoundError, match="folder of images"):
        ImageStore(tmp_path / "absent")


def test_several_data_folders(tmp_path: Path) -> None:
    first, second, things = (tmp_path / name for name in ("first", "second", "things"))
    for folder in (first, second, things):
        folder.mkdir()
    _write_data_set(first, 4)
    cv2.imwrite(str(things / "chair.png"), np.zeros((30, 40, 3), np.uint8))
    options = train_pose._parser().parse_args(f"--data {first} {second} {things} --validation-images 2".split())
    for folder in (first, second):
        _tar_with(folder / "images.tar", first / "1.png")
    with pytest.raises(ValueError, match=r"1\.png is also in"):
        open_images(options)
    (second / "images.tar").unlink()
    (first / "images.tar").unlink()
    training, validation = read_split(options)
    assert [photograph.file_name for photograph in training] == ["1.png", "2.png", "chair.png"]
    assert [photograph.file_name for photograph in validation] == ["3.png", "4.png"]
    assert open_images(options).read("chair.png").shape == (30, 40, 3)


def _tar_with(archive: Path, picture: Path) -> None:
    with tarfile.open(archive, "w") as file:
        file.add(picture, picture.name)


def test_targets_by_hand() -> None:
    keypoints = torch.tensor([[[8.0, 12.0], [10.0, 12.0], [-400.0, 0.0]]])
    maps = gaussian_heatmaps(keypoints, (32, 64), sigma=2.0)
    assert maps.shape == (1, 3, 16, 8)
    assert maps[0, 0, 3, 2] == 1
    assert maps[0, 0, 3, 4] == pytest.approx(np.exp(-0.5))  # one sigma to the right
    assert maps[0, 1, 3, 2] == maps[0, 1, 3, 3]  # half a cell from both
    assert maps[0, 2].max() == 0


def test_pck_by_hand() -> None:
    keypoints = np.zeros((1, 17, 3))
    keypoints[0, [5, 6, 9], 2] = 2
    keypoints[0, 13, 2] = 1  # a machine's label: not measured on
    predicted = np.zeros((1, 17, 2))
    predicted[0, 5] = (9.9, 0)
    predicted[0, 6] = (0, 10.1)
    measured = pose_metrics.pck(predicted, keypoints, np.array([[0, 0, 50, 100]]))
    assert measured["pck"] == pytest.approx(2 / 3)
    assert (measured["shoulders"], measured["wrists"]) == (0.5, 1.0)
    assert np.isnan(measured["knees"])


def test_export_describes_itself_and_computes_the_same(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = pose_model.new_network().eval()
    for module in model.modules():  # statistics that folding has to get right
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-0.2, 0.2)
            module.running_var.uniform_(0.5, 2.0)
    torch.save(model.state_dict(), tmp_path / "best.pt")
    target = tmp_path / "pose.onnx"
    arguments = ["--accuracy", "none", "--width", "96", "--height", "128"]
    export_pose.main(["--weights", str(tmp_path / "best.pt"), "--output", str(target), *arguments])
    onnx, onnxruntime = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")
    written = onnx.load(target)
    assert (written.ir_version, written.opset_import[0].version) == (8, 17)
    spec = spec_from_json({p.key: p.value for p in written.metadata_props}[METADATA_KEY])
    assert (spec.input.width, spec.input.height, spec.input.channel_order) == (96, 128, "bgr")
    assert (spec.decoder, spec.skeleton, spec.crop, spec.padding) == ("dark", "coco17", "topdown", pose_augment.PADDING)
    assert "Johnson" in spec.provenance["data"]
    assert target.stat().st_size < 8e6
    session = onnxruntime.InferenceSession(str(target), providers=["CPUExecutionProvider"])
    batch = np.random.default_rng(0).normal(size=(3, 3, 128, 96)).astype(np.float32)
    with torch.no_grad():
        expected = model(torch.from_numpy(batch)).numpy()
    np.testing.assert_allclose(session.run(["heatmaps"], {"input": batch})[0], expected, atol=0.01 * np.abs(expected).max())


def test_the_package_and_the_training_see_the_same_input(tmp_path: Path) -> None:
    """The decoded points of a trained file, through the package, are those that the training measured."""
    _write_data_set(tmp_path, 4)
    torch.manual_seed(0)
    model = pose_model.new_network().eval()
    torch.nn.init.normal_(model.final_layer.weight, std=0.5)
    torch.save(model.state_dict(), tmp_path / "best.pt")
    target = tmp_path / "pose.onnx"
    export_pose.main(f"--weights {tmp_path / 'best.pt'} --output {target} --width 96 --height 128".split())
    people = PoseCrops(load_photographs(tmp_path / "annotations.json"), ImageStore(tmp_path), (96, 128), only_main=True)
    crop = torch.from_numpy(people[0, 0][0])[None]
    with torch.no_grad():
        expected = model(pose_model.to_input(crop)).numpy()
    box = np.array([[10, 10, 100, 110]], np.float32)
    net = PoseNet(target)
    estimate = net.estimate(ImageStore(tmp_path).read("1.png"), Detections(box, np.ones(1, np.float32)))
    net.close()
    np.testing.assert_allclose(estimate.heatmaps, expected, atol=0.02 * np.abs(expected).max())


def test_measuring_a_file_prints_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _write_data_set(tmp_path, 3)
    torch.save(pose_model.new_network(width=8, deconv_channels=8).state_dict(), tmp_path / "best.pt")
    export_pose.main(f"--weights {tmp_path / 'best.pt'} --output {tmp_path / 'p.onnx'} --width 64 --height 64".split())
    measure_pose.main(f"--data {tmp_path} --model {tmp_path / 'p.onnx'} --validation-images 2".split())
    header, _, plain, flipped = capsys.readouterr().out.splitlines()[-4:]
    assert header == "| PCK@0.1 | all | shoulders | elbows | wrists | hips | knees | ankles |"
    assert [line.split(" | ")[0] for line in (plain, flipped)] == ["| one pass", "| with flip test"]
    assert all(0 <= float(value) <= 1 for value in plain.strip(" |").split(" | ")[1:])


def _standing_person(folder: Path) -> None:
    """One COCO picture whose person has all joints labelled, the head above and the feet below."""
    folder.mkdir()
    cv2.imwrite(str(folder / "1.png"), np.random.default_rng(0).integers(0, 255, (120, 160, 3), np.uint8))
    rows = [12, 10, 10, 12, 12, 30, 30, 45, 45, 58, 58, 60, 60, 85, 85, 108, 108]
    points = [value for row, x in zip(rows, [80, 82, 78, 84, 76] + [90, 70] * 6, strict=True) for value in (x, row, 2)]
    person = {
        "id": 1, "image_id": 1, "category_id": 1, "bbox": [60, 5, 40, 110], "area": 3000, "iscrowd": 0,
        "keypoints": points, "num_keypoints": 17,
    }  # fmt: skip
    image = {"id": 1, "file_name": "1.png", "width": 160, "height": 120}
    data = {"images": [image], "annotations": [person], "categories": [{"id": 1, "name": "person"}]}
    (folder / "annotations.json").write_text(json.dumps(data))


def test_presence_is_measured_on_pictures_cut_at_chest_hips_and_knees(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _standing_person(tmp_path / "check")
    (photograph,) = load_photographs(tmp_path / "check/annotations.json")
    assert presence.cut_rows(photograph.persons[0]) == [45, 60, 85]
    net = PoseNet("pose_resnet_lite")
    found = presence.measure(net, [photograph], ImageStore(tmp_path / "check"))
    net.close()
    assert (len(found.seen), len(found.cut_off)) == (7 + 11 + 13, 10 + 6 + 4)
    assert found.at(-10.0) == (0.0, 1.0)
    assert found.at(10.0) == (1.0, 0.0)


@pytest.mark.parametrize("file", ["pose_resnet_lite.onnx", "pose_resnet_lite.int8.onnx"])
def test_training_measures_as_the_bundled_files_are_decoded(file: str) -> None:
    onnx = pytest.importorskip("onnx")
    metadata = onnx.load(str(WEIGHTS / file)).metadata_props
    spec = spec_from_json({entry.key: entry.value for entry in metadata}[METADATA_KEY])
    assert spec == pose_model.describe(provenance=spec.provenance)


def test_weights_are_chosen_by_ap_too(tmp_path: Path) -> None:
    _write_data_set(tmp_path, 6)
    _standing_person(tmp_path / "check")
    _train(tmp_path, "--stages", "64x64:1:1e-3", "--check", str(tmp_path / "check"))
    header, values = (tmp_path / "run/stage1/history.csv").read_text().splitlines()
    row = dict(zip(header.split(","), values.split(","), strict=True))
    assert float(row["choice"]) == pytest.approx((float(row["pck"]) + float(row["ap"])) / 2, abs=1e-4)


def test_the_check_measures_what_the_network_says(tmp_path: Path) -> None:
    """A network that draws the truth reaches AP 1."""
    _standing_person(tmp_path / "check")
    (photograph,) = load_photographs(tmp_path / "check/annotations.json")
    check = CocoCheck(tmp_path / "check", (64, 96))
    (affine,) = check._affines
    points = photograph.persons[0].keypoints[:, :2] @ affine[:, :2].T + affine[:, 2]
    maps = gaussian_heatmaps(torch.tensor(points[None], dtype=torch.float32), (64, 96), sigma=2.0)
    measured = check.measure(lambda _: maps, batch_size=8, device="cpu")  # type: ignore[arg-type]
    assert measured == pytest.approx({"ap": 1.0, "ap50": 1.0})
