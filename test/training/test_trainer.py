# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The shared loop: what it keeps, and that an interrupted run ends where the whole one does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="requires torch")
pytest.importorskip("matplotlib", reason="requires matplotlib")

from training.loading import make_loader  # noqa: E402
from training.trainer import Trainer, TrainSettings, append_history, learning_rate_at  # noqa: E402

SETTINGS = TrainSettings(epochs=4, learning_rate=0.05, warmup_steps=1, precision="fp32", ema_decay=0.5)


class Line(torch.utils.data.Dataset):
    """y = 3 x + 1, the noise being a function of (epoch, number) alone."""

    def __len__(self) -> int:
        return 12

    def __getitem__(self, index: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        x = np.random.default_rng(index).normal(size=1).astype(np.float32)
        return x, 3 * x + 1


def _squared_error(model: torch.nn.Module, batch: list[torch.Tensor]) -> torch.Tensor:
    x, y = batch
    return (model(x) - y).square().mean()


def _accuracy(model: torch.nn.Module) -> dict[str, float]:
    return {"accuracy": -abs(float(model.weight.float()) - 3)}


def _trainer(output: Path, settings: TrainSettings) -> Trainer:
    torch.manual_seed(0)
    return Trainer(
        torch.nn.Linear(1, 1), settings, step_loss=_squared_error, evaluate=_accuracy, metric="accuracy", output=output
    )


def _fit(trainer: Trainer) -> dict[str, torch.Tensor]:
    trainer.fit(make_loader(Line(), batch_size=4, shuffle=True))
    return trainer.averaged.state_dict()


def test_a_resumed_run_ends_with_the_same_weights(tmp_path: Path) -> None:
    whole = _fit(_trainer(tmp_path / "whole", SETTINGS))

    class StoppedError(RuntimeError):
        pass

    interrupted = _trainer(tmp_path / "part", SETTINGS)
    measure, calls = interrupted._evaluate, []

    def stop_in_third_epoch(model: torch.nn.Module) -> dict[str, float]:
        calls.append(1)
        if len(calls) == 3:
            raise StoppedError
        return measure(model)

    interrupted._evaluate = stop_in_third_epoch
    with pytest.raises(StoppedError):
        _fit(interrupted)
    resumed = _trainer(tmp_path / "part", SETTINGS)
    resumed.resume(tmp_path / "part/last.pt")
    assert resumed.epoch == 2
    again = _fit(resumed)
    assert all(torch.equal(again[key], whole[key]) for key in whole)


def test_what_a_run_leaves_behind(tmp_path: Path) -> None:
    trainer = _trainer(tmp_path, SETTINGS)
    _fit(trainer)
    lines = (tmp_path / "history.csv").read_text().splitlines()
    assert lines[0] == "epoch,step,loss,seconds,accuracy"
    assert [line.split(",")[:2] for line in lines[1:]] == [["1", "3"], ["2", "6"], ["3", "9"], ["4", "12"]]
    best = torch.load(tmp_path / "best.pt", weights_only=True)
    assert -abs(float(best["weight"]) - 3) == pytest.approx(trainer.best)
    assert (tmp_path / "history.png").read_bytes()[1:4] == b"PNG"
    assert not list(tmp_path.glob("*.part"))


def test_the_time_given_ends_the_run_at_rate_zero(tmp_path: Path) -> None:
    trainer = _trainer(tmp_path, replace(SETTINGS, epochs=10**6, minutes=1e-9))
    _fit(trainer)
    assert (trainer.epoch, trainer.step) == (1, 1)


def test_learning_rate_rises_then_falls() -> None:
    settings = TrainSettings(epochs=1, learning_rate=1.0, final_learning_rate=0.2, warmup_steps=10)
    assert learning_rate_at(0, 0.0, settings) == pytest.approx(0.1)
    assert learning_rate_at(9, 0.0, settings) == pytest.approx(1.0)
    assert learning_rate_at(99, 0.5, settings) == pytest.approx(0.6)
    assert learning_rate_at(99, 1.0, settings) == pytest.approx(0.2)
    assert learning_rate_at(99, 7.0, settings) == pytest.approx(0.2)


def test_history_takes_new_columns(tmp_path: Path) -> None:
    append_history(tmp_path / "h.csv", {"epoch": 1, "loss": 0.5})
    append_history(tmp_path / "h.csv", {"epoch": 2, "loss": 0.25, "pck": 0.5})
    assert (tmp_path / "h.csv").read_text().split() == ["epoch,loss,pck", "1,0.5,", "2,0.25,0.5"]
