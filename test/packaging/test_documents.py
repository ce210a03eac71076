# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The documents say what the code does: links, commands, options, parameters, topics and examples."""

import contextlib
import importlib.util
import io
import re
import shlex
import shutil
from functools import cache
from pathlib import Path

import pytest
import yaml

from pose_resnet_ros.ros.codecs.encodings import ENCODINGS
from pose_resnet_ros.settings import Settings
from pose_resnet_ros.tools import cli

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "training" / "README.md"])
TEXTS = {str(page.relative_to(ROOT)): page.read_text(encoding="utf-8") for page in PAGES}
README = TEXTS["README.md"]
FENCES = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
PARAMETERS = yaml.safe_load((ROOT / "config" / "pose.yaml").read_text(encoding="utf-8"))["/**"]["ros__parameters"]
VERBS = ("list", "info", "fetch", "verify", "path", "add")
# A command in a table or a sentence stands in backquotes, one in a block begins its line.
ONE_COMMAND = r"(?:^|`)(?:python3 -m )?pose_resnet_ros +((?:[^`\n\\]|\\\n)+)"


def words(command):
    """The words of a shell command without its comment."""
    return shlex.split(command.replace("\\\n", " "), comments=True)


def found(pattern, text=None):
    """Everything the pattern finds in all pages, or in this text."""
    joined = "\n".join(TEXTS.values()) if text is None else text
    return sorted(set(re.findall(pattern, joined, re.MULTILINE)))


def headings(text):
    """The anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", re.sub(FENCES, "", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@cache
def options(tool):
    """The options that a tool's help names; of `models`, those of all its verbs."""
    calls = [[tool, verb, "--help"] for verb in VERBS] if tool == "models" else [[tool, "--help"]]
    return {option for call in calls for option in re.findall(r"--[\w.-]+", help_of(call))}


def help_of(call):
    with contextlib.redirect_stdout(io.StringIO()) as printed, contextlib.suppress(SystemExit):
        cli.main(call)
    return printed.getvalue()


@pytest.mark.parametrize(
    ("page", "link"), [(page, link) for page, text in TEXTS.items() for link in found(r"\]\(([^):]+)\)", text)]
)
def test_links_lead_to_files_and_headings(page, link):
    path, _, anchor = link.partition("#")
    target = (ROOT / page).parent / path if path else ROOT / page
    assert target.exists()
    assert not anchor or anchor in headings(target.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "path", found(r"`((?:test|models|core|export|ros|tools|benchmarks|config|scripts|training)/[\w./]+\.\w+)`")
)
def test_named_files_exist(path):
    assert (ROOT / path).exists() or (ROOT / "pose_resnet_ros" / path).exists()


def test_the_readme_is_short():
    assert len(README.splitlines()) <= 200


def test_topics_are_the_node_s():
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "pose_resnet_ros" / "ros").rglob("*.py"))
    in_code = set(re.findall(r'"(~/[a-z0-9_]+)"', source))
    assert in_code == set(re.findall(r"`(~/[a-z0-9_]+)`", README))
    assert set(found(r"`(~/[a-z0-9_]+)`")) == in_code


def quoted_messages():
    """The messages that the pages on troubles quote, cut where names and numbers stand."""
    cells = re.findall(r"^\| ((?:`[^`|]+`(?:,? or )?)+) \|", TEXTS["docs/troubleshooting.md"], re.MULTILINE)
    quotes = [quote for cell in cells for quote in re.findall(r"`([^`]+)`", cell)]
    quotes += re.findall(r"^\| \*(.+)\* \|", TEXTS["docs/tutorials/own_detector.md"], re.MULTILINE)
    parts = {part.strip() for quote in quotes for part in re.split(r"TOPIC(?:/compressed)?|\bN\b|\d+|\.\.\.|/\w+", quote)}
    return sorted(part for part in parts if len(part) > 3)


@pytest.mark.parametrize("message", quoted_messages())
def test_quoted_messages_are_the_node_s(message):
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "pose_resnet_ros" / "ros").rglob("*.py"))
    assert message in re.sub(r'"\s*f?"', "", source)


def test_every_encoding_is_named():
    page = TEXTS["docs/images_and_qos.md"]
    assert {name for name in ENCODINGS if not name.startswith("bayer_")} <= set(re.findall(r"`(\w+)`", page))


@pytest.mark.parametrize("target", found(r"(?:^|`)make ([a-z-]+)"))
def test_make_targets_exist(target):
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


def test_launch_arguments_exist():
    launch_file = (ROOT / "launch" / "pose.launch.py").read_text(encoding="utf-8")
    declared = set(re.findall(r'argument\(\s*"(\w+)"', launch_file))
    declared |= {row.name for row in Settings.settings() if not row.dynamic}
    commands = found(r"^ros2 launch pose_resnet_ros(?:.*\\\n)*.*$")
    used = {name for command in commands for name in re.findall(r"(\w+):=", command)}
    assert used >= {"image_topic", "depth_topic"}  # the latter on a second line
    assert used <= declared


@pytest.mark.parametrize("command", found(ONE_COMMAND))
def test_tools_and_their_options_exist(command):
    first, *rest = words(command)
    assert first in {*cli.TOOLS, "--help"}
    if first in {"models", "predict", "export", "evaluate", "benchmark"}:
        assert {word for word in rest if word.startswith("--")} <= options(first)
    if first == "models" and rest:
        assert rest[0] in {*VERBS, "VERB"}


@pytest.mark.parametrize("name", found(r"-p ([\w.]+):=") + found(r"ros2 param set /pose_resnet ([\w.]+)"))
def test_parameters_exist(name):
    of_a_camera = {row.name for row in Settings.settings() if row.per_camera}
    assert name in PARAMETERS or name.partition(".")[2] in of_a_camera


@pytest.mark.parametrize("extra", found(r"pip install '?\.\[([\w,]+)\]"))
def test_extras_exist(extra):
    declared = set(re.findall(r'^    "(\w+)": \[?\*?[\["A-Z]', (ROOT / "setup.py").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(extra.split(",")) <= declared


@pytest.mark.parametrize("command", found(r"python3? -m ((?:training|benchmarks)\.(?:[^`\n\\]|\\\n)*)"))
def test_programs_of_a_clone_and_their_options_exist(command):
    module, *rest = words(command.strip(" )."))
    assert ROOT.joinpath(*module.split(".")).with_suffix(".py").exists()
    folder = ROOT / module.split(".")[0]
    source = "".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.py"))
    assert all(f'"{word}"' in source for word in rest if word.startswith("--"))


@pytest.mark.parametrize("page", sorted((ROOT / "docs" / "api").glob("*.rst")), ids=lambda page: page.name)
def test_the_api_reference_names_modules_that_exist(page):
    for module in re.findall(r"automodule:: ([\w.]+)", page.read_text(encoding="utf-8")):
        assert importlib.util.find_spec(module), module


def test_the_readme_s_python_runs(tmp_path, monkeypatch, capsys):
    shutil.copy(ROOT / "docs" / "images" / "street.jpg", tmp_path / "people.jpg")
    monkeypatch.chdir(tmp_path)
    (example,) = (code for language, code in FENCES.findall(README) if language == "python")
    exec(compile(example, "README.md", "exec"), {})
    assert re.fullmatch(r"\([1-9]\d*, 18, 2\)\n", capsys.readouterr().out)


@pytest.mark.parametrize(("page", "text"), TEXTS.items())
def test_python_examples_are_python(page, text):
    for language, code in FENCES.findall(text):
        if language == "python":
            compile(code, page, "exec")
