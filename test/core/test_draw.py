# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Drawing: what is on the picture, where, and what is left alone."""

import numpy as np
import pytest

from pose_resnet_ros.core.draw import colour_of_id, confidence_image, draw_heatmaps, draw_people
from pose_resnet_ros.core.image_rotation import ImageRotation
from pose_resnet_ros.core.skeletons import COCO17, OPENPOSE18, SKELETONS
from pose_resnet_ros.core.types import People

GREY = 50


def picture(width=320, height=240):
    return np.full((height, width, 3), GREY, np.uint8)


def person(skeleton=COCO17, *, score=0.9, box=(100, 40, 180, 220), track_id=-1):
    """Joints on a circle inside the box."""
    angle = np.linspace(0, 2 * np.pi, len(skeleton), endpoint=False)
    points = np.stack([140 + 30 * np.cos(angle), 130 + 70 * np.sin(angle)], axis=1)
    return People(
        np.array([box], np.float32),
        np.array([0.75], np.float32),
        points[None].astype(np.float32),
        np.full((1, len(skeleton)), score, np.float32),
        np.array([track_id], np.int32),
    )


def bare(image, people, skeleton, **options):
    return draw_people(image, people, skeleton, draw_boxes=False, draw_ids=False, **options)


@pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=SKELETONS)
def test_joints_in_their_colours_at_their_places(skeleton):
    people = person(skeleton)
    drawn = bare(picture(), people, skeleton)
    for joint, (x, y) in enumerate(np.rint(people.keypoints_xy[0]).astype(int)):
        assert tuple(drawn[y, x, ::-1]) == skeleton.joint_colours_rgb[joint]


def test_a_limb_in_its_colour_between_its_joints():
    people = person(OPENPOSE18)
    drawn = bare(picture(), people, OPENPOSE18)
    start, end = OPENPOSE18.edges[-1]  # drawn last, so nothing lies over it
    x, y = np.rint(people.keypoints_xy[0, [start, end]].mean(axis=0)).astype(int)
    assert tuple(drawn[y, x, ::-1]) == OPENPOSE18.edge_colours_rgb[-1]


def test_unsure_joints_and_their_limbs_are_left_out():
    image = picture()
    np.testing.assert_array_equal(bare(image, person(score=0.3), COCO17, keypoint_threshold=0.3), image)
    one = person(score=0.0)
    one.keypoint_scores[0, 0] = 0.5
    changed = np.argwhere((bare(image, one, COCO17) != image).any(axis=2))
    assert np.abs(changed[:, ::-1] - one.keypoints_xy[0, 0]).max() < 4


def test_a_copy_or_the_picture_itself():
    image = picture()
    drawn = draw_people(image, person(), COCO17)
    assert drawn is not image
    assert (image == GREY).all()
    assert draw_people(image, person(), COCO17, in_place=True) is image
    np.testing.assert_array_equal(image, drawn)


def test_nobody():
    np.testing.assert_array_equal(draw_people(picture(), People.empty(17), COCO17), picture())
    maps, affines = np.zeros((0, 17, 64, 48), np.float32), np.zeros((0, 2, 3))
    np.testing.assert_array_equal(draw_heatmaps(picture(), maps, affines, input_wh=(192, 256)), picture())


def test_box_id_and_score_are_optional():
    people = person(track_id=4)
    nothing = draw_people(picture(), people, COCO17, draw_skeletons=False, draw_boxes=False, draw_ids=False)
    np.testing.assert_array_equal(nothing, picture())
    boxed = draw_people(picture(), people, COCO17, draw_skeletons=False, draw_ids=False)
    np.testing.assert_allclose(boxed[130, 100], colour_of_id(4), atol=25)  # anti-aliased
    assert (boxed[130, 105] == GREY).all()
    for options in ({"draw_ids": True}, {"draw_ids": False, "draw_scores": True}):
        labelled = draw_people(picture(), people, COCO17, draw_skeletons=False, draw_boxes=False, **options)
        ys, xs = np.nonzero((labelled == colour_of_id(4)).all(axis=2))
        assert xs.min() == 100
        assert ys.max() <= 40
    untracked = draw_people(picture(), person(), COCO17, draw_skeletons=False, draw_boxes=False, draw_ids=True)
    np.testing.assert_array_equal(untracked, picture())


def test_far_persons_get_thin_lines_and_near_ones_thick_lines():
    people = [person(), person(box=(0, 0, 320, 1000))]
    painted = [(bare(picture(), someone, COCO17) != GREY).any(axis=2).sum() for someone in people]
    assert painted[1] > 2 * painted[0]


def test_points_and_boxes_far_outside_are_harmless():
    people = person(box=(-1e9, -1e9, 1e9, 1e9), track_id=1)
    people.keypoints_xy[0, ::2] = 1e30
    people.keypoints_xy[0, 1::2] = -1e9
    draw_people(picture(), people, COCO17, draw_scores=True)


def test_a_picture_smaller_than_the_label():
    drawn = draw_people(picture(8, 6), person(track_id=123456), COCO17, draw_scores=True)
    assert drawn.shape == (6, 8, 3)


def test_ids_have_steady_distinct_colours():
    colours = {colour_of_id(i) for i in range(1, 21)}
    assert len(colours) == 20
    assert colour_of_id(7) == colour_of_id(7)
    assert colour_of_id(-1) == (200, 200, 200)


def affine(step, left, top):
    return np.array([[[step, 0, left], [0, step, top]]], np.float64)


def test_the_hot_cell_lies_where_the_crop_says():
    maps = np.zeros((1, 17, 64, 48), np.float32)
    maps[0, 3, 30, 20] = 1.0
    # Cell (20, 30) is crop pixel (80, 120), half of it on the image from (100, 50): (140, 110).
    confidence = confidence_image(maps, affine(0.5, 100, 50), input_wh=(192, 256), size_hw=(240, 320))
    assert np.unravel_index(confidence.argmax(), confidence.shape) == (110, 140)
    assert confidence[110, 140] == 255
    drawn = draw_heatmaps(picture(), maps, affine(0.5, 100, 50), input_wh=(192, 256), opacity=1.0)
    blue, _, red = drawn[110, 140].astype(int)
    assert red > 100
    assert red > blue + 50
    assert (drawn[150, 200] == GREY).all()


# The hot cell (20, 30) is crop pixel (80, 120), that is (140, 110) in the upright image.
@pytest.mark.parametrize(
    ("degrees", "size_wh", "place_xy"),
    [(90, (240, 320), (110, 179)), (180, (320, 240), (179, 129)), (270, (240, 320), (129, 140))],
)
def test_the_hot_cell_of_an_image_that_was_turned_upright(degrees, size_wh, place_xy):
    maps = np.zeros((1, 17, 64, 48), np.float32)
    maps[0, 5, 30, 20] = 1.0
    affines = ImageRotation(degrees, size_wh).affine_back(affine(0.5, 100, 50))
    confidence = confidence_image(maps, affines, input_wh=(192, 256), size_hw=size_wh[::-1])
    assert np.unravel_index(confidence.argmax(), confidence.shape) == place_xy[::-1]
    assert confidence.max() == 255


def test_persons_are_joined_by_the_highest_value():
    maps = np.full((2, 17, 64, 48), 0.2, np.float32)
    maps[1] = 0.8
    affines = np.concatenate([affine(1.0, 0, 0), affine(1.0, 100, 0)])
    confidence = confidence_image(maps, affines, input_wh=(192, 256), size_hw=(240, 320))
    assert confidence[100, 50] == int(0.2 * 255)
    assert confidence[100, 150] == int(0.8 * 255)


@pytest.mark.parametrize("offset", [(-500, 0), (0, 5000), (-100, -100), (280, 200)])
def test_maps_across_and_outside_the_border(offset):
    maps = np.full((1, 17, 64, 48), 2.0, np.float32)
    maps[0, :, 0, 0] = np.nan
    image = picture()
    drawn = draw_heatmaps(image, maps, affine(1.0, *offset), input_wh=(192, 256), in_place=True)
    assert drawn is image
