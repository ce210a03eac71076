#!/usr/bin/env bash
# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
#
# fetch_footage.sh PYTHON: print the path of real footage of people, fetched once into .cache/footage.
#
# The street scene vtest.avi (795 frames, 768x576, up to a dozen people) comes from Debian's and Ubuntu's package opencv-doc.
# apt downloads it without root into lists of its own, and nothing is installed. Where apt is missing or has no such package,
# NASA's portrait of Eileen Collins from scikit-image stands in. PYTHON is the interpreter that may pip-install scikit-image.
set -euo pipefail
cd "$(dirname "$0")/.."
python=$1
folder=$PWD/.cache/footage
street=$folder/vtest.avi portrait=$folder/portrait.png

say() { printf '%s\n' "$*" >&2; }

fetch_street() (  # in a subshell: a failure anywhere ends only this
  set -e
  command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || return 1
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  mkdir -p "$work/lists/partial"
  cd "$work"
  say "Fetching street footage: apt's package lists, then opencv-doc (96 MB) ..."
  apt-get -o "Dir::State::lists=$work/lists" -o APT::Sandbox::User= -qq update >&2 || return 1
  apt-get -o "Dir::State::lists=$work/lists" -o APT::Sandbox::User= download opencv-doc >&2 || return 1
  dpkg-deb -x opencv-doc_*.deb contents || return 1
  found=$(find contents -name 'vtest.avi*' | head -n 1)
  [ -n "$found" ] || return 1
  case $found in *.gz) gunzip "$found" && found=${found%.gz} ;; esac
  mv "$found" "$street"
)

fetch_portrait() {
  say "No street footage (needs apt-get and the package opencv-doc): taking a portrait from scikit-image instead."
  "$python" -m pip install --quiet scikit-image >&2
  "$python" -c "import sys, cv2, skimage.data; cv2.imwrite(sys.argv[1], skimage.data.astronaut()[:, :, ::-1])" "$portrait" >&2
}

mkdir -p "$folder"
[ -e "$street" ] || [ -e "$portrait" ] || fetch_street || fetch_portrait
if [ -e "$street" ]; then echo "$street"; else echo "$portrait"; fi
