# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Whatever a checkpoint or a published zip file holds: tensors or a model, or an error of ours, and no half of a file."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mutations import mutated
from torch_files import Saved, program, saved, write_file, write_legacy, write_zip

from pose_resnet_ros.core.errors import DownloadError, ModelError
from pose_resnet_ros.export.checkpoint import load_state, open_torch_file
from pose_resnet_ros.export.torch_pickle import Malformed, Refused
from pose_resnet_ros.models.download import take_in
from pose_resnet_ros.models.spec import ModelEntry

STATE = {"a": np.arange(6, dtype="f4").reshape(2, 3), "b": np.ones(2, "f2"), "c": np.array(7, "i8")}
MODEL = b"\x08\x08" + bytes(range(64))
ENTRY = ModelEntry("net", "pose", "net.onnx", "", "", "", urls=("https://example.org/net.zip",), zip_member="end2end.onnx")


def zipped(compression: int) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", compression) as archive:
        archive.writestr("a/end2end.onnx", MODEL)
        archive.writestr("a/deploy.json", "{}")
    return data.getvalue()


ZIPS = [zipped(compression) for compression in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("archives")


@pytest.fixture(scope="module")
def checkpoints(folder: Path) -> list[bytes]:
    path = folder / "whole.pth"
    return [write_file(path, saved(STATE), legacy=legacy).read_bytes() for legacy in (False, True)]


@given(data=st.data())
def test_a_damaged_checkpoint_is_refused(folder: Path, checkpoints: list[bytes], data: st.DataObject) -> None:
    path = folder / "damaged.pth"
    path.write_bytes(data.draw(mutated(checkpoints)))
    with pytest.raises(ModelError):  # whole or not, these are no PoseResNet
        load_state(path)


@given(data=st.data(), legacy=st.booleans())
def test_tensors_of_a_damaged_pickle_are_no_larger_than_the_file(folder: Path, data: st.DataObject, legacy: bool) -> None:
    """Its own sizes and bytes are right, so that the program inside is run."""
    entries = {name: tensor.op(legacy) for name, tensor in saved(STATE).items()}
    pickle = data.draw(mutated([program(entries)]))
    storages = {tensor.key: tensor.values.tobytes() for tensor in saved(STATE).values()}
    path = (write_legacy if legacy else write_zip)(folder / "pickle.pth", pickle, storages)
    with pytest.raises(ModelError):
        load_state(path)


@given(
    shape=st.lists(st.integers(-1, 4) | st.integers(0, 1 << 62), max_size=4),
    strides=st.lists(st.integers(-1, 4) | st.integers(0, 1 << 62), max_size=4),
    offset=st.integers(-1, 9) | st.integers(0, 1 << 62),
    count=st.none() | st.integers(-1, 9) | st.integers(0, 1 << 62),
    legacy=st.booleans(),
)
def test_a_tensor_lies_inside_its_storage(
    folder: Path, shape: list[int], strides: list[int], offset: int, count: int | None, legacy: bool
) -> None:
    values = np.arange(6, dtype="f4")
    lie = Saved(values, "0", count=count, offset=offset, shape=tuple(shape), strides=tuple(strides))
    path = write_file(folder / "lie.pth", {"a": lie}, legacy=legacy)
    try:
        with open_torch_file(path) as content:
            array = content["a"].numpy()  # type: ignore[index]
    except (Malformed, Refused, ValueError):
        return
    assert array.nbytes <= path.stat().st_size
    assert np.isin(array, values).all()


@given(data=mutated(ZIPS))
def test_a_zip_file_is_a_model_or_refused(folder: Path, data: bytes) -> None:
    home, path = folder / "home", folder / "net.zip"
    (home / "net.onnx").unlink(missing_ok=True)
    path.write_bytes(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POSE_RESNET_ROS_HOME", str(home))
        (home / "digests.json").unlink(missing_ok=True)
        try:
            model = take_in(path, ENTRY)
        except DownloadError:
            assert not (home / "net.onnx").exists()
            return
    assert model.read_bytes() == MODEL
