# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Tracking and smoothing joined, with the options' defaults."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pose_resnet_ros.core.skeletons import COCO17
from pose_resnet_ros.core.smoothing import SmoothingSettings
from pose_resnet_ros.core.types import People
from pose_resnet_ros.identities import Identities, IdentitySettings
from pose_resnet_ros.settings import StreamSettings


def person_at(x: float) -> People:
    """One person of 40 x 100 px whose joints all lie at (x + 20, 50)."""
    return People(
        np.array([[x, 0, x + 40, 100]], np.float32),
        np.ones(1, np.float32),
        np.tile(np.array([x + 20, 50], np.float32), (1, 17, 1)),
        np.full((1, 17), 0.5, np.float32),
        np.full(1, -1, np.int32),
    )


def test_defaults_of_options_and_of_settings_agree() -> None:
    assert IdentitySettings.of(StreamSettings()) == IdentitySettings()


def test_default_tracks_and_does_not_smooth() -> None:
    identities = Identities(COCO17)
    seen = [identities.update(person_at(2.0 * i), stamp_s=0.1 * i) for i in range(3)]
    assert [people.track_ids.tolist() for people in seen] == [[-1], [1], [1]]
    assert seen[2].keypoints_xy[0, 0].tolist() == [24, 50]


def test_settings_change_while_tracks_stay() -> None:
    identities = Identities(COCO17)
    for i in range(3):
        identities.update(person_at(0), stamp_s=0.1 * i)
    identities.set(replace(IdentitySettings(), smoothing=SmoothingSettings(enabled=True)))
    identities.update(person_at(0), stamp_s=0.3)
    smoothed = identities.update(person_at(10), stamp_s=0.4)
    assert smoothed.track_ids.tolist() == [1]
    assert 20 < smoothed.keypoints_xy[0, 0, 0] < 30


@pytest.mark.parametrize(("third_s", "ids"), [(0.095, [1, 1]), (0.0, [1, 1]), (-0.01, [-1, 2])], ids=["5 ms", "0.1 s", "more"])
def test_only_a_long_step_back_makes_everybody_new(third_s: float, ids: list[int]) -> None:
    identities = Identities(COCO17, IdentitySettings(smoothing=SmoothingSettings(enabled=True)))
    seen = [identities.update(person_at(0), stamp_s=t) for t in (0.0, 0.1, third_s, third_s + 0.105)]
    assert [int(people.track_ids[0]) for people in seen] == [-1, 1, *ids]


def test_smoothing_goes_on_after_a_small_step_back() -> None:
    identities = Identities(COCO17, IdentitySettings(smoothing=SmoothingSettings(enabled=True)))
    for stamp_s in (0.0, 0.1, 0.2, 0.195):
        identities.update(person_at(0), stamp_s=stamp_s)
    after = identities.update(person_at(10), stamp_s=0.3)
    assert 20 < after.keypoints_xy[0, 0, 0] < 30


def test_reset_makes_everybody_new_and_unsmoothed() -> None:
    identities = Identities(COCO17, IdentitySettings(smoothing=SmoothingSettings(enabled=True)))
    for i in range(3):
        identities.update(person_at(0), stamp_s=0.1 * i)
    identities.reset()
    identities.update(person_at(4), stamp_s=0.3)
    after = identities.update(person_at(4), stamp_s=0.4)
    assert after.track_ids.tolist() == [2]
    assert after.keypoints_xy[0, 0, 0] == 24


def test_the_image_tells_who_stands_where_somebody_was() -> None:
    red, blue = (np.full((100, 40, 3), colour, np.uint8) for colour in ((0, 0, 255), (255, 0, 0)))
    identities = Identities(COCO17)
    nobody = person_at(0)[:0]
    seen = []
    for i, image in enumerate((red, red, red, None, blue, blue, None, red)):
        people = nobody if image is None else person_at(0)
        image = red if image is None else image
        seen += identities.update(people, stamp_s=0.1 * i, image=image).track_ids.tolist()
    assert seen == [-1, 1, 1, -1, 2, 1]
