# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""``predict`` on many recordings: which are left to do, and one after the other, side by side or on a Ray cluster."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

from tqdm import tqdm

from pose_resnet_ros.core.errors import InferenceCancelled, PoseError, SettingsError
from pose_resnet_ros.output_files import OutputGuard
from pose_resnet_ros.tools.bags.bag_reading import PACKED, is_bag
from pose_resnet_ros.tools.bags.bag_writing import scratch_folder
from pose_resnet_ros.tools.predict.bag_run import BagJob, BagReport, predict_bag


def predict_bags(
    sources: Sequence[Path],
    output: Path,
    values: Mapping[str, Any],
    *,
    topic: str | None = None,
    annotated: bool = False,
    workers: int = 1,
    ray: str | None = None,
) -> int:
    """Every bag to its results; exit code 0, or 1 if one could not be used to its end.

    output: for one bag the bag to write; for several a folder, in which each gets the name of its source. What is there
    already is left as it is: after an interruption the same command goes on with the first bag that is not finished.
    ray: address of a Ray cluster, whose machines see the same files, or local; it takes the place of the workers.
    """
    _check_packages()
    jobs = [BagJob(source, target, topic, annotated, values) for source, target in _targets(sources, output).items()]
    _keep_inputs(jobs)
    left = [job for job in jobs if not job.output.exists()]
    done = dict(zip((job.output for job in left), _run_all(left, workers, ray), strict=True))
    reports = [done.get(job.output, BagReport(job, skipped=True)) for job in jobs]
    for report in reports:
        tqdm.write(str(report), file=sys.stderr if report.problem else sys.stdout)
    return int(any(report.problem or report.bad for report in reports))


def _keep_inputs(jobs: Sequence[BagJob]) -> None:
    """Raises SettingsError where results would be written over a recording, or over what an interrupted run left of one."""
    guard = OutputGuard([job.source for job in jobs])
    for job in jobs:
        guard.claim("output", job.output)
        scratch = scratch_folder(job.output).resolve()
        for other in jobs:
            if scratch in (other.source.resolve(), *other.source.resolve().parents):
                raise SettingsError(
                    f"output: {job.output} is written in {scratch}, where the input {other.source} lies; name another file"
                )


def _run_all(jobs: Sequence[BagJob], workers: int, ray: str | None) -> Sequence[BagReport]:
    """The reports, in the order of the jobs; where there is no job nothing is started."""
    if not jobs:
        return []
    if ray is not None:
        return _on_ray(jobs, ray)
    workers = min(workers, len(jobs))
    return _one_by_one(jobs) if workers == 1 else _side_by_side(jobs, workers)


def _one_by_one(jobs: Sequence[BagJob]) -> list[BagReport]:
    reports = []
    for job in jobs:
        with tqdm(desc=job.source.name, unit="image", disable=None) as progress:

            def advance(total: int | None, progress: tqdm = progress) -> None:
                progress.total = total
                progress.update()

            reports.append(predict_bag(job, advance))
    return reports


def _side_by_side(jobs: Sequence[BagJob], workers: int) -> list[BagReport]:
    """workers: at least 2, and not more than there are jobs."""
    if jobs[0].values["threads"] == 0:
        share = {"threads": max(1, (os.cpu_count() or 1) // workers)}
        jobs = [replace(job, values={**job.values, **share}) for job in jobs]
    # A process that has loaded onnxruntime cannot be forked safely.
    spawn = multiprocessing.get_context("spawn")
    stop = spawn.Event()
    with (
        ProcessPoolExecutor(workers, mp_context=spawn, initializer=_begin_worker, initargs=(stop,)) as pool,
        tqdm(total=len(jobs), unit="bag", disable=None) as progress,
    ):
        try:
            with _signals_ignored():  # by the workers from their first moment on
                futures = [pool.submit(_predict_in_worker, job) for job in jobs]
            for future in as_completed(futures):
                future.result()  # raises what the worker raised
                progress.update()
        except BrokenProcessPool as error:
            raise PoseError("a worker was killed (out of memory?); fewer --workers need less") from error
        except BaseException:  # Ctrl-C too: a pool goes on with what it was given
            stop.set()
            raise
    return [future.result() for future in futures]


@contextmanager
def _signals_ignored() -> Iterator[None]:
    """Those that a terminal sends to all its processes."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


_stop: Event | None = None  # in a worker: set when it shall end


def _begin_worker(stop: Event) -> None:
    global _stop
    _stop = stop


def _predict_in_worker(job: BagJob) -> BagReport:
    """Ends after the image in progress, or does not begin, once the others were told to stop: raises InferenceCancelled."""

    def advance(_: int | None = None) -> None:
        if _stop is not None and _stop.is_set():
            raise InferenceCancelled(f"{job.source}: interrupted")

    advance()
    return predict_bag(job, advance)


def _on_ray(jobs: Sequence[BagJob], address: str) -> list[BagReport]:
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise PoseError(f"--ray needs the package {error.name}: pip install 'ray[data]'") from error
    ray.init(address=address, ignore_reinit_error=True)
    try:
        rows = ray.data.from_items([{"job": _absolute(job)} for job in jobs], override_num_blocks=len(jobs))
        done = rows.map(lambda row: {"report": predict_bag(row["job"])}).take_all()
    finally:
        ray.shutdown()
    reports = {row["report"].job.output: row["report"] for row in done}
    return [reports[_absolute(job).output] for job in jobs]


def _absolute(job: BagJob) -> BagJob:
    """Another process has another current folder; a model that is no file is a name."""
    models = {name: Path(job.values[name]) for name in ("pose_model", "detector_model")}
    files = {name: str(path.resolve()) for name, path in models.items() if path.is_file()}
    return replace(job, source=job.source.resolve(), output=job.output.resolve(), values={**job.values, **files})


def _targets(sources: Sequence[Path], output: Path) -> dict[Path, Path]:
    if len(sources) == 1:
        if output.is_dir() and not is_bag(output):
            example = output / f"{_name(sources[0])}.mcap"
            raise SettingsError(f"output: {output} is a folder; name the bag to write, for example {example}")
        return {sources[0]: output}
    targets = {source: output / f"{_name(source)}.mcap" for source in sources}
    if len(set(targets.values())) < len(sources):
        raise SettingsError("inputs: several bags have the same name; give them one by one, each with its own --output")
    return targets


def _name(source: Path) -> str:
    """A recording's name without its suffixes; a folder's has none, whatever dots are in it."""
    name = source.resolve().name
    return name if source.is_dir() else Path(name.removesuffix(PACKED)).stem


def _check_packages() -> None:
    try:
        import mcap.stream_reader  # noqa: F401
        import rosbags.highlevel  # noqa: F401
    except ImportError as error:
        raise PoseError(f"bags need the package {error.name}: pip install rosbags mcap zstandard") from error
