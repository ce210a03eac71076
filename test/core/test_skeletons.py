# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Skeletons: the tables against each other and the sheet of joints, and the conversion."""

import numpy as np
import pytest

from pose_resnet_ros.core.errors import SettingsError
from pose_resnet_ros.core.skeletons import (
    COCO17,
    HALPE26,
    MPII16,
    OPENPOSE18,
    SKELETONS,
    Skeleton,
    convert,
    joint_sources,
    skeleton_named,
)
from pose_resnet_ros.core.types import People, names_of


def people(count, joints, seed=0):
    rng = np.random.default_rng(seed)
    return People(
        rng.uniform(0, 100, (count, 4)).astype(np.float32),
        rng.random(count).astype(np.float32),
        rng.uniform(-50, 700, (count, joints, 2)).astype(np.float32),
        rng.uniform(-0.1, 1.1, (count, joints)).astype(np.float32),
        np.arange(count, dtype=np.int32),
    )


@pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=SKELETONS)
def test_tables_fit_together(skeleton):
    assert len(set(skeleton.joint_names)) == len(skeleton)
    assert len(skeleton.oks_sigmas) == len(skeleton.joint_colours_rgb) == len(skeleton)
    assert len(skeleton.edge_colours_rgb) == len(skeleton.edges)
    assert all(0 <= joint < len(skeleton) for edge in skeleton.edges for joint in edge)
    touched = {joint for edge in skeleton.edges for joint in edge}
    assert touched == set(range(len(skeleton))), "every joint hangs on an edge"
    assert len(skeleton.torso) >= 4, "a person stands in 3D where its torso is"


@pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=SKELETONS)
def test_flip_pairs_are_left_and_right_of_the_same_joint(skeleton):
    names = [(skeleton.joint_names[left], skeleton.joint_names[right]) for left, right in skeleton.flip_pairs]
    assert all(left == right.replace("right_", "left_") for left, right in names)
    sided = [name for name in skeleton.joint_names if name.startswith(("left_", "right_"))]
    assert sorted(sided) == sorted(name for pair in names for name in pair)
    order = skeleton.flip_order()
    np.testing.assert_array_equal(order[order], np.arange(len(skeleton)))
    assert [skeleton.joint_names[k] for k in order[[left for left, _ in skeleton.flip_pairs]]] == [r for _, r in names]


def test_sizes_and_a_few_entries():
    assert (len(COCO17), len(OPENPOSE18), len(MPII16), len(HALPE26)) == (17, 18, 16, 26)
    assert HALPE26.joint_names[20] == "left_big_toe"
    assert (HALPE26.joint_names[19], HALPE26.oks_sigmas[19], HALPE26.oks_sigmas[25]) == ("hip", 0.066, 0.079)
    assert (COCO17.joint_names[16], OPENPOSE18.joint_names[1], MPII16.joint_names[9]) == ("right_ankle", "neck", "head_top")
    assert COCO17.oks_sigmas[11] == 0.107
    assert OPENPOSE18.edge_colours_rgb[0] == OPENPOSE18.joint_colours_rgb[0] == (255, 0, 85)
    shared = dict(zip(OPENPOSE18.joint_names, OPENPOSE18.oks_sigmas, strict=True))
    assert all(shared[name] == sigma for name, sigma in zip(COCO17.joint_names, COCO17.oks_sigmas, strict=True))


GREEN, ORANGE, BLUE = (0, 255, 0), (255, 128, 0), (51, 153, 255)


def test_a_skeleton_is_its_names_and_edges_the_rest_follows():
    """Names of several words, joints without a side, and colours by side."""
    made = Skeleton(
        "made", ("hip", "left_hip", "left_big_toe", "left_ankle", "right_big_toe"), ((0, 1), (1, 3), (3, 2)), (0.1,) * 5
    )
    assert made.flip_pairs == ((2, 4),)
    assert made.torso == (0, 1)
    assert made.joint_colours_rgb == (BLUE, GREEN, GREEN, GREEN, ORANGE)
    assert made.edge_colours_rgb == (BLUE, GREEN, GREEN)


def test_colours_by_side():
    coco = dict(zip(COCO17.joint_names, COCO17.joint_colours_rgb, strict=True))
    assert (coco["nose"], coco["left_ear"], coco["left_hip"], coco["right_wrist"]) == (BLUE, BLUE, GREEN, ORANGE)
    edges = dict(zip(HALPE26.edges, HALPE26.edge_colours_rgb, strict=True))
    assert (edges[13, 11], edges[11, 19], edges[17, 18], edges[16, 25]) == (GREEN, BLUE, BLUE, ORANGE)


@pytest.mark.parametrize("target", [COCO17, OPENPOSE18], ids=lambda skeleton: skeleton.name)
def test_halpe_gives_the_joints_of_the_smaller_sets(target):
    native = people(2, 26)
    converted = convert(native, native=HALPE26, target=target)
    for joint, name in enumerate(target.joint_names):
        own = HALPE26.joint_names.index(name)  # OpenPose's neck too: Halpe has one
        np.testing.assert_array_equal(converted.keypoints_xy[:, joint], native.keypoints_xy[:, own])
    with pytest.raises(SettingsError, match=r"'coco17' cannot give 'halpe26'.*left_heel"):
        joint_sources(COCO17, HALPE26)


def test_openpose_from_coco_is_the_published_mapping():
    mapping = [0, None, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3]
    expected = tuple((5, 6) if joint is None else (joint,) for joint in mapping)
    assert joint_sources(COCO17, OPENPOSE18) == expected


@pytest.mark.parametrize("count", [0, 1, 5])
def test_the_neck_is_the_middle_of_the_shoulders_and_as_sure_as_the_less_sure(count):
    native = people(count, 17)
    converted = convert(native, native=COCO17, target=OPENPOSE18)
    assert converted.keypoints_xy.shape == (count, 18, 2)
    middle = (native.keypoints_xy[:, 5].astype(float) + native.keypoints_xy[:, 6]) / 2
    np.testing.assert_allclose(converted.keypoints_xy[:, 1], middle, atol=1e-4)
    np.testing.assert_array_equal(converted.keypoint_scores[:, 1], native.keypoint_scores[:, 5:7].min(axis=1))
    np.testing.assert_array_equal(converted.keypoints_xy[:, 4], native.keypoints_xy[:, 10])
    np.testing.assert_array_equal(converted.track_ids, native.track_ids)
    assert converted.keypoints_xy.dtype == converted.keypoint_scores.dtype == np.float32


def test_there_and_back_is_the_same():
    native = people(3, 17)
    back = convert(convert(native, native=COCO17, target=OPENPOSE18), native=OPENPOSE18, target=COCO17)
    np.testing.assert_array_equal(back.keypoints_xy, native.keypoints_xy)
    np.testing.assert_array_equal(back.keypoint_scores, native.keypoint_scores)


def test_the_own_set_is_passed_through():
    native = people(2, 16)
    assert convert(native, native=MPII16, target=MPII16) is native


def test_a_set_the_model_cannot_give_is_refused_with_the_missing_joints():
    with pytest.raises(SettingsError, match=r"'mpii16' cannot give 'openpose18'.*left_ear.*nose.*native"):
        convert(people(1, 16), native=MPII16, target=OPENPOSE18)
    with pytest.raises(SettingsError, match="head_top"):
        joint_sources(COCO17, MPII16)


def test_lookup_lists_what_is_allowed():
    assert skeleton_named("coco17") is COCO17
    with pytest.raises(SettingsError, match=f"'coco'; expected {names_of(sorted(SKELETONS))}"):
        skeleton_named("coco")
