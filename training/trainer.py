# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The training loop that both models share: schedule, averaged weights, checkpoints, progress and a record of it all."""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader

from training.plots import plot_history

StepLoss = Callable[[nn.Module, Any], torch.Tensor]
Evaluate = Callable[[nn.Module], dict[str, float]]


@dataclass(frozen=True)
class TrainSettings:
    """One run.

    The learning rate rises over ``warmup_steps``, stays at ``learning_rate`` for the share ``hold`` of the run, then falls
    along a cosine to ``final_learning_rate`` at the last step. evaluate_every: epochs between evaluations. minutes: where a
    machine's time is what is given, the run ends (and the cosine with it) after so long, if the epochs do not end it before;
    0: no limit.
    """

    epochs: int
    learning_rate: float = 2e-3
    final_learning_rate: float = 0.0
    warmup_steps: int = 200
    weight_decay: float = 1e-3
    ema_decay: float = 0.999
    hold: float = 0.0
    evaluate_every: int = 1
    minutes: float = 0.0
    precision: str = "bf16"
    device: str = "cpu"
    seed: int = 0


class Trainer:
    """Trains ``model`` with ``step_loss(model, batch) -> scalar``, batch being what the loader gives.

    ``evaluate(averaged_model)`` gives numbers, which are recorded; ``metric`` names the one by which ``best.pt`` is kept.
    Files in ``output``: last.pt (all that resuming needs), best.pt (a state dict of the averaged weights), history.csv and
    history.png.
    """

    def __init__(
        self, model: nn.Module, settings: TrainSettings, *, step_loss: StepLoss, evaluate: Evaluate, metric: str, output: Path
    ) -> None:
        torch.manual_seed(settings.seed)
        self.settings = settings
        self.model = model.to(settings.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.averaged = AveragedModel(self.model, multi_avg_fn=get_ema_multi_avg_fn(settings.ema_decay), use_buffers=True)
        self.optimizer = torch.optim.AdamW(_parameter_groups(self.model, settings.weight_decay), fused=True)
        self.output = Path(output)
        self.epoch = 0
        self.step = 0
        self.seconds = 0.0
        self.best = -math.inf
        self._step_loss = step_loss
        self._evaluate = evaluate
        self._metric = metric

    def fit(self, loader: DataLoader) -> None:
        """Train from the current epoch to the last one; safe to interrupt, ``resume`` goes on from the last full epoch."""
        self.output.mkdir(parents=True, exist_ok=True)
        total_steps = self.settings.epochs * len(loader)
        columns = ("[progress.description]{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, TextColumn("{task.fields[note]}"), refresh_per_second=1) as progress:
            task = progress.add_task("training", total=total_steps, completed=self.step, note="")
            while self._progress(total_steps) < 1:
                before = self.seconds
                loss = self._train_epoch(loader, total_steps, lambda note: progress.update(task, advance=1, note=note))
                self.epoch += 1
                row = {"epoch": self.epoch, "step": self.step, "loss": loss, "seconds": self.seconds - before}
                if self.epoch % self.settings.evaluate_every == 0 or self._progress(total_steps) >= 1:
                    row |= self._measure()
                self._record(row)
                progress.console.print(" ".join(f"{key} {value:.4g}" for key, value in row.items()))

    def resume(self, checkpoint: Path) -> None:
        """Go on from a ``last.pt``: the same steps follow as without the interruption."""
        state = torch.load(checkpoint, map_location=self.settings.device, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.averaged.load_state_dict(state["averaged"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.epoch, self.step, self.best = state["epoch"], state["step"], state["best"]
        self.seconds = state.get("seconds", 0.0)

    def _train_epoch(self, loader: DataLoader, total_steps: int, advance: Callable[[str], None]) -> float:
        self.model.train()
        loader.sampler.epoch = self.epoch  # type: ignore[union-attr]
        losses = []
        mark = time.monotonic()
        for batch in loader:
            rate = learning_rate_at(self.step, self._progress(total_steps), self.settings)
            for group in self.optimizer.param_groups:
                group["lr"] = rate
            with self._autocast():
                loss = self._step_loss(self.model, _to_device(batch, self.settings.device))
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.averaged.update_parameters(self.model)
            losses.append(loss.detach())
            self.step += 1
            mark, before = time.monotonic(), mark
            self.seconds += mark - before
            advance(f"epoch {self.epoch + 1} rate {rate:.1e}")
            if self._progress(total_steps) >= 1:
                break
        return float(torch.stack(losses).float().mean())

    def _progress(self, total_steps: int) -> float:
        """How much of the run is done: 1 at its end."""
        minutes = self.seconds / 60 / self.settings.minutes if self.settings.minutes else 0.0
        return max(minutes, self.step / max(total_steps, 1))

    def _measure(self) -> dict[str, float]:
        self.averaged.eval()
        with torch.inference_mode(), self._autocast():
            measured = self._evaluate(self.averaged.module)
        if measured[self._metric] > self.best:
            self.best = measured[self._metric]
            torch.save(self.averaged.module.state_dict(), self.output / "best.pt")
        return measured

    def _record(self, row: dict[str, float]) -> None:
        state = {
            "model": self.model.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "epoch": self.epoch,
            "step": self.step,
            "best": self.best,
            "seconds": self.seconds,
        }
        unfinished = self.output / "last.pt.part"
        torch.save(state, unfinished)
        unfinished.replace(self.output / "last.pt")
        append_history(self.output / "history.csv", row)
        plot_history([self.output / "history.csv"], self.output / "history.png")

    def _autocast(self) -> torch.autocast:
        device = torch.device(self.settings.device).type
        return torch.autocast(device, torch.bfloat16, enabled=self.settings.precision == "bf16")


def learning_rate_at(step: int, progress: float, settings: TrainSettings) -> float:
    """Linear warm-up, the peak, then half a cosine (Loshchilov and Hutter, ICLR 2017, without restarts); progress: 0 to 1."""
    warmup = min(1.0, (step + 1) / max(settings.warmup_steps, 1))
    low, high = settings.final_learning_rate, settings.learning_rate
    falling = max(0.0, min(progress, 1) - settings.hold) / (1 - settings.hold)
    return warmup * (low + (high - low) * 0.5 * (1 + math.cos(math.pi * falling)))


def append_history(path: Path, row: dict[str, float]) -> None:
    """Add a row to a CSV file; values that were not measured stay empty, new columns are added."""
    rows = []
    if path.exists():
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file))
    rows.append({key: f"{value:.6g}" for key, value in row.items()})
    columns = list(dict.fromkeys(key for line in rows for key in line))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)


def _parameter_groups(model: nn.Module, weight_decay: float) -> list[dict]:
    """Weight decay for kernels only, not for biases and normalisation."""
    kernels = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]
    return [{"params": kernels, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]


def _to_device(batch: Any, device: str) -> Any:
    if isinstance(batch, torch.Tensor):
        return batch.to(device, non_blocking=True)
    return [_to_device(part, device) for part in batch]
