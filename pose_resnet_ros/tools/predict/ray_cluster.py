# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Recordings on a Ray cluster (ray.io): actors that load the models once and take one job after the other."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tqdm import tqdm

from pose_resnet_ros.core.errors import PoseError
from pose_resnet_ros.tools.predict.bag_run import BagJob, BagPredictor, BagReport, print_error


@contextmanager
def connected(address: str) -> Iterator[int]:
    """A connection to a cluster; gives the number of its CPUs. Raises PoseError if Ray is missing or does not answer."""
    try:
        ray = _ray()
    except ImportError as error:
        raise PoseError(f"--ray needs the package {error.name}: pip install ray") from error
    try:
        ray.init(address=address, ignore_reinit_error=True, log_to_driver=False, logging_level=logging.WARNING)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise PoseError(f"--ray: cannot connect to {address}: {error}") from error
    try:
        yield max(1, int(ray.cluster_resources().get("CPU", 1)))
    finally:
        ray.shutdown()


def run_on_ray(jobs: Sequence[BagJob], *, values: Mapping[str, Any], workers: int, cpus: int) -> list[BagReport]:
    """The reports in the order in which the jobs end. jobs: with absolute paths, which every machine of the cluster sees."""
    from ray.util import ActorPool

    workers = min(workers, cpus, len(jobs))
    threads = values["threads"] or cpus // workers
    actor = _ray().remote(num_cpus=1, max_concurrency=2)(_RayWorker)  # it tells its progress beside the work
    actors = [actor.remote({**_with_absolute_models(values), "threads": threads}) for _ in range(workers)]
    pool, reports, images = ActorPool(actors), [], dict.fromkeys(actors, 0)
    for job in jobs:
        pool.submit(lambda actor, job: actor.run.remote(job), job)
    with tqdm(desc=f"{workers} workers", unit="image", disable=None) as progress:
        while pool.has_next():
            if (report := _next_report(pool)) is not None:
                reports.append(report)
            images |= _images_done(actors)
            progress.update(sum(images.values()) - progress.n)
    return reports


def _ray() -> Any:
    import ray

    return ray


def _next_report(pool: Any) -> BagReport | None:
    """The report of the next job that ends; None if none does within a second. Raises what the actor raised as PoseError."""
    errors = _ray().exceptions
    try:
        report, complaints = pool.get_next_unordered(timeout=1.0)
    except TimeoutError:
        return None
    except errors.RayTaskError as error:
        raise (error.cause if isinstance(error.cause, PoseError) else error) from None
    except errors.RayActorError as error:
        raise PoseError("a worker was killed, probably because memory ran out; try fewer --workers") from error
    for text in complaints:
        print_error(text)
    return report  # type: ignore[no-any-return]


def _images_done(actors: Sequence[Any]) -> dict[Any, int]:
    """The counts of those actors that answer at once."""
    asked = {actor.images_done.remote(): actor for actor in actors}
    ready, _ = _ray().wait(list(asked), num_returns=len(asked), timeout=1.0)
    return {asked[reference]: _ray().get(reference) for reference in ready}


class _RayWorker:
    """An actor."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._images = 0
        self._complaints: list[str] = []
        self._predictor = BagPredictor(values, advance=self._advance, complain=self._complaints.append)

    def run(self, job: BagJob) -> tuple[BagReport, list[str]]:
        """The report, and what was wrong with single images."""
        self._complaints.clear()
        return self._predictor.run(job), self._complaints

    def images_done(self) -> int:
        """Until now, of all jobs."""
        return self._images

    def _advance(self, done: int, _: int | None) -> None:
        self._images += done


def _with_absolute_models(values: Mapping[str, Any]) -> dict[str, Any]:
    """Another process has another current folder; a model that is no file is a name."""
    models = {name: Path(values[name]) for name in ("pose_model", "detector_model")}
    return {**values, **{name: str(path.resolve()) for name, path in models.items() if path.is_file()}}
