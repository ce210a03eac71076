# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""``predict`` on recordings: which are left to do, and their distribution over this process, several, or a Ray cluster."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

from tqdm import tqdm

from pose_resnet_ros.core.errors import InferenceCancelled, PoseError, SettingsError
from pose_resnet_ros.output_files import OutputGuard
from pose_resnet_ros.tools.bags.bag_reading import PACKED, BagImages, is_bag
from pose_resnet_ros.tools.bags.bag_writing import ANNOTATED, ANNOTATIONS, join, scratch_folder
from pose_resnet_ros.tools.predict.bag_run import BagJob, BagPredictor, BagReport
from pose_resnet_ros.tools.predict.ray_cluster import connected, run_on_ray

Run = Callable[[Sequence[BagJob]], list[BagReport]]


def predict_bags(
    sources: Sequence[Path],
    output: Path,
    values: Mapping[str, Any],
    *,
    topic: str | None = None,
    annotated: bool = False,
    annotations: bool = False,
    workers: int | None = None,
    ray: str | None = None,
) -> int:
    """Every bag to its results; exit code 0, or 1 if one could not be used to its end.

    output: for one bag the bag to write; for several a folder, in which each result has the name of its source. Results that
    exist are kept: after an interruption the same command continues with the first bag that is not finished. workers: processes
    (default 1), or actors on Ray (default: one for each CPU of the cluster). ray: address of a Ray cluster whose machines see
    the same files, or local.
    """
    _check_packages()
    optional = tuple(name for name, is_wanted in ((ANNOTATED, annotated), (ANNOTATIONS, annotations)) if is_wanted)
    jobs = [BagJob(source, target, topic, optional) for source, target in _targets(sources, output).items()]
    _keep_inputs(jobs)
    left = [job for job in jobs if not job.output.exists()]
    done = dict(zip((job.output for job in left), _run_all(left, values, workers, ray), strict=True))
    reports = [done.get(job.output, BagReport(job, skipped=True)) for job in jobs]
    for report in reports:
        tqdm.write(str(report), file=sys.stderr if report.problem else sys.stdout)
    return int(any(report.problem or report.bad for report in reports))


def _keep_inputs(jobs: Sequence[BagJob]) -> None:
    """Raises SettingsError if results would overwrite a recording, or what an interrupted run left of one."""
    guard = OutputGuard([job.source for job in jobs])
    for job in jobs:
        guard.claim("output", job.output)
        scratch = {scratch_folder(job.output).resolve(), _parts_folder(job.output).resolve()}
        for other in jobs:
            if found := scratch & {other.source.resolve(), *other.source.resolve().parents}:
                raise SettingsError(
                    f"output: {job.output} is written in {found.pop()}, where the input {other.source} lies; choose another name"
                )


def _run_all(jobs: Sequence[BagJob], values: Mapping[str, Any], workers: int | None, ray: str | None) -> list[BagReport]:
    """The reports, in the order of the jobs; without jobs nothing is started."""
    if not jobs:
        return []
    if ray is not None:
        with connected(ray) as cpus:
            jobs = [replace(job, source=job.source.resolve(), output=job.output.resolve()) for job in jobs]
            run = partial(run_on_ray, values=values, workers=workers or cpus, cpus=cpus)
            return _in_parts(jobs, workers or cpus, run)
    return _in_parts(jobs, workers or 1, partial(_run_here, values=values, workers=workers or 1))


def _in_parts(jobs: Sequence[BagJob], workers: int, run: Run) -> list[BagReport]:
    """Where there are more workers than jobs, several work on the parts of one; the results are joined."""
    parts = [_parts(job, workers // len(jobs)) for job in jobs]
    try:
        reports = {report.job.output: report for report in run([part for each in parts for part in each])}
        return [_joined(job, [reports[part.output] for part in each]) for job, each in zip(jobs, parts, strict=True)]
    finally:
        for job in jobs:
            shutil.rmtree(_parts_folder(job.output), ignore_errors=True)


def _parts(job: BagJob, count: int) -> list[BagJob]:
    if count < 2:
        return [job]
    try:
        with BagImages(job.source, job.topic) as images:
            spans = images.spans_ns(count)
    except PoseError:  # the worker reports it
        return [job]
    names = [_parts_folder(job.output) / f"{part}.mcap" for part in range(len(spans))] if len(spans) > 1 else [job.output]
    return [
        replace(job, output=name, span_ns=span, part=part) for part, (name, span) in enumerate(zip(names, spans, strict=True))
    ]


def _parts_folder(output: Path) -> Path:
    return output.with_name(f".{output.name}.parts")


def _joined(job: BagJob, reports: Sequence[BagReport]) -> BagReport:
    if len(reports) == 1:
        return reports[0]
    problems = [report.problem for report in reports if report.problem]
    written = [report.job.output for report in reports if report.job.output.exists()]
    if len(written) == len(reports):
        try:
            join(written, job.output, optional=job.optional)
        except SettingsError as error:
            problems.append(str(error))
    return BagReport(
        job,
        images=sum(report.images for report in reports),
        persons=sum(report.persons for report in reports),
        bad=sum(report.bad for report in reports),
        passed_over=reports[0].passed_over,
        problem="; ".join(problems),
        parts=len(reports),
    )


def _run_here(jobs: Sequence[BagJob], *, values: Mapping[str, Any], workers: int) -> list[BagReport]:
    workers = min(workers, len(jobs))
    return _one_by_one(jobs, values) if workers == 1 else _side_by_side(jobs, values, workers)


def _one_by_one(jobs: Sequence[BagJob], values: Mapping[str, Any]) -> list[BagReport]:
    with tqdm(unit="image", disable=None) as progress:

        def advance(done: int, total: int | None) -> None:
            progress.total = total
            progress.update(done)

        def run(job: BagJob) -> BagReport:
            progress.set_description(job.source.name)
            progress.reset()
            return predictor.run(job)

        predictor = BagPredictor(values, advance=advance)
        return [run(job) for job in jobs]


def _side_by_side(jobs: Sequence[BagJob], values: Mapping[str, Any], workers: int) -> list[BagReport]:
    """workers: at least 2, and not more than there are jobs."""
    threads = values["threads"] or max(1, (os.cpu_count() or 1) // workers)
    # A process that has loaded onnxruntime cannot be forked safely.
    spawn = multiprocessing.get_context("spawn")
    stop, images = spawn.Event(), spawn.Value("Q", 0)
    begin = ({**values, "threads": threads}, stop, images)
    with (
        ProcessPoolExecutor(workers, mp_context=spawn, initializer=_begin_worker, initargs=begin) as pool,
        tqdm(desc=f"{workers} workers", unit="image", disable=None) as progress,
    ):
        try:
            with _signals_ignored():  # by the workers from their first moment on
                futures = [pool.submit(_run_in_worker, job) for job in jobs]
            waiting = set(futures)
            while waiting:
                done, waiting = wait(waiting, timeout=0.5, return_when=FIRST_COMPLETED)
                progress.update(images.value - progress.n)
                for future in done:
                    future.result()  # raises what the worker raised
        except BrokenProcessPool as error:
            raise PoseError("a worker was killed, probably because memory ran out; try fewer --workers") from error
        except BaseException:  # Ctrl-C too: a pool continues with the jobs that it has
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


_predictor: BagPredictor | None = None  # of a worker


def _begin_worker(values: Mapping[str, Any], stop: Event, images: Synchronized[int]) -> None:
    """stop: when it is set, the worker ends after the image in progress, by InferenceCancelled; images: counts all workers'."""
    global _predictor

    def advance(done: int, _: int | None) -> None:
        with images.get_lock():
            images.value += done
        if stop.is_set():
            raise InferenceCancelled("interrupted")

    _predictor = BagPredictor(values, advance=advance)


def _run_in_worker(job: BagJob) -> BagReport:
    assert _predictor is not None
    return _predictor.run(job)


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
