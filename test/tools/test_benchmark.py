# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The benchmark runs and reports what it was asked for; how fast anything was is not tested."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import spot_model

from pose_resnet_ros.benchmark.report import Table, compare, print_table
from pose_resnet_ros.core.errors import BenchmarkError
from pose_resnet_ros.tools import cli


@pytest.fixture(scope="module")
def spot(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(spot_model.spot_model(tmp_path_factory.mktemp("models") / "spot.onnx"))


def run(*arguments: str) -> int:
    return cli.main(["benchmark", "--threads", "1", "--rounds", "2", "--size", "160x120", *arguments])


def test_frames_of_the_bundled_models(tmp_path: Path, capsys):
    path = tmp_path / "all.json"
    assert run("--persons", "0", "2", "--max-batch", "32", "1", "--json", str(path)) == 0
    rows = json.loads(path.read_text())["frames"]
    assert [(row["configuration"], row["persons"]) for row in rows] == [
        ("max_batch 32", 0), ("max_batch 1", 0), ("max_batch 32", 2), ("max_batch 1", 2)
    ]  # fmt: skip
    assert {"convert", "letterbox", "detect", "boxes", "draw"} <= rows[0]["stage_ms"].keys()
    assert {"crop", "pose", "decode"} <= rows[2]["stage_ms"].keys() - rows[0]["stage_ms"].keys()
    assert all(0 < row["others_share"] < 1 and row["whole"]["rounds"] == 2 for row in rows)
    assert rows[0]["against_first"] == rows[0]["cpu_against_first"] == 1.0
    assert all(row["cpu_ms"] > 0 for row in rows)
    assert "max_batch 32" in capsys.readouterr().out


def test_the_fused_graph_beside_the_ordinary_way(spot: str, tmp_path: Path):
    path = tmp_path / "both.json"
    given = ("--pose-model", spot, "--detector-model", "full_frame", "--persons", "1", "--json", str(path))
    assert run(*given, "--fused-graph", "false", "true") == 0
    ordinary, fused = json.loads(path.read_text())["frames"]
    assert (ordinary["configuration"], fused["configuration"]) == ("fused_graph false", "fused_graph true")
    assert {"crop", "decode"} <= ordinary["stage_ms"].keys()
    assert not {"crop", "decode"} & fused["stage_ms"].keys()


def test_it_is_compared_with_an_older_run(spot: str, tmp_path: Path, capsys):
    older = tmp_path / "older.json"
    given = ("--pose-model", spot, "--detector-model", "full_frame", "--persons", "1")
    assert run(*given, "--json", str(older)) == 0
    capsys.readouterr()
    assert run(*given, "--compare", str(older)) == 0
    assert f"against {older}" in capsys.readouterr().out


def test_a_comparison_needs_a_file_of_ours(spot: str, tmp_path: Path, capsys):
    other = tmp_path / "other.json"
    other.write_text("{}")
    given = ("--pose-model", spot, "--detector-model", "full_frame", "--persons", "1")
    assert run(*given, "--compare", str(other)) == 1
    assert "is not a file that benchmark --json wrote" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--compare", "none.json"], "there is no file none.json"),
        (["--json", "/proc/none/a.json"], "json: cannot make the folder /proc/none"),
        (["--plot", "."], "plot: expected the name of a file to write"),
    ],
)
def test_files_are_looked_at_before_anything_is_measured(arguments: list[str], said: str, capsys):
    assert run(*arguments) == 1
    assert said in capsys.readouterr().err


def test_inputs_are_never_written_over(tmp_path: Path, capsys):
    older, picture = tmp_path / "older.json", tmp_path / "a.png"
    older.write_text("{}")
    picture.write_bytes(b"of great value")
    (tmp_path / "link").symlink_to(older)
    for option, output in (("--json", tmp_path / "link"), ("--plot", picture), ("--json", picture)):
        assert run("--compare", str(older), "--source", str(tmp_path / "a.png"), option, str(output)) == 1
        assert "would be overwritten" in capsys.readouterr().err


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "NaN", '{"frames": [{"configuration": 1, "persons": 1, "whole": {"median_ms": "x"}}]}']
)
def test_an_older_file_of_whatever_content_is_one_sentence(tmp_path: Path, text: str):
    (tmp_path / "older.json").write_text(text)
    with pytest.raises(BenchmarkError, match="is not a file that benchmark --json wrote"):
        compare([], tmp_path / "older.json")


def test_the_plot_is_a_picture(spot: str, tmp_path: Path):
    pytest.importorskip("matplotlib")
    path = tmp_path / "plot.png"
    given = ("--pose-model", spot, "--detector-model", "full_frame", "--persons", "0", "1")
    assert run(*given, "--plot", str(path)) == 0
    assert path.read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize("size", ["640", "640x", "0x480", "axb"])
def test_a_size_is_width_x_height(size: str, capsys):
    with pytest.raises(SystemExit):
        run("--size", size)
    assert f"expected WIDTHxHEIGHT in pixels, got '{size}'" in capsys.readouterr().err


def test_a_table_is_in_columns(capsys):
    print_table(Table("times", ("name", "ms"), [("a", "10.0"), ("longer", "2.0")]))
    assert capsys.readouterr().out.splitlines() == ["", "times", "name      ms", "a       10.0", "longer   2.0"]
