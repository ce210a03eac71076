# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The definitions written out step by step in float64, one person and one cell at a time.

Slow on purpose and without the shortcuts of the package, so that the tests have something independent to
compare with. Each function follows the file of the original implementation that it names.
"""

from __future__ import annotations

import math

import numpy as np


def crop_view(box_xyxy, input_wh, padding):
    """Centre and size of the crop in image pixels (Microsoft, lib/dataset/coco.py: pixel_std 200 cancels
    out).
    """
    x1, y1, x2, y2 = (float(v) for v in box_xyxy)
    width, height = x2 - x1, y2 - y1
    centre = (x1 + width * 0.5, y1 + height * 0.5)
    aspect = input_wh[0] / input_wh[1]
    if width > aspect * height:
        height = width / aspect
    elif width < aspect * height:
        width = height * aspect
    return centre, (width / 200 * padding, height / 200 * padding)


def affine(centre, scale, output_wh, *, inverse=False):
    """The 2 x 3 matrix through three point pairs (Microsoft, lib/utils/transforms.py), no rotation."""
    source_width, (out_w, out_h) = scale[0] * 200, output_wh
    source = [centre, (centre[0], centre[1] - source_width * 0.5)]
    target = [(out_w * 0.5, out_h * 0.5), (out_w * 0.5, out_h * 0.5 - out_w * 0.5)]
    for points in (source, target):
        (ax, ay), (bx, by) = points
        points.append((bx - (ay - by), by + (ax - bx)))
    if inverse:
        source, target = target, source
    system = np.array([[x, y, 1.0] for x, y in source])
    return np.linalg.solve(system, np.array(target)).T


def bilinear_sample(image, x, y):
    """(3,) value between pixels, black outside."""
    total = np.zeros(3)
    x0, y0 = math.floor(x), math.floor(y)
    for j in (y0, y0 + 1):
        for i in (x0, x0 + 1):
            if 0 <= i < image.shape[1] and 0 <= j < image.shape[0]:
                total += (1 - abs(x - i)) * (1 - abs(y - j)) * image[j, i]
    return total


def crop_value(image_bgr, box_xyxy, input_wh, padding, crop_xy):
    """(3,) BGR value, 0..255, of one crop pixel."""
    centre, scale = crop_view(box_xyxy, input_wh, padding)
    back = affine(centre, scale, input_wh, inverse=True)
    return bilinear_sample(image_bgr, *(back @ [crop_xy[0], crop_xy[1], 1.0]))


def peak(heatmap):
    """Row-major first maximum: x, y, value."""
    best = (0, 0, -math.inf)
    for y in range(heatmap.shape[0]):
        for x in range(heatmap.shape[1]):
            if heatmap[y, x] > best[2]:
                best = (x, y, float(heatmap[y, x]))
    return best


def sign(value):
    return int(value > 0) - int(value < 0)


def microsoft(heatmap, *, corner_rule=False):
    """Heatmap cell (x, y) and score (lib/core/inference.py); corner_rule: to (0, 0) where the maximum is not
    positive.
    """
    x, y, score = peak(heatmap)
    if corner_rule and score <= 0:
        x, y = 0, 0
    height, width = heatmap.shape
    px, py = math.floor(x + 0.5), math.floor(y + 0.5)
    if 1 < px < width - 1 and 1 < py < height - 1:
        return (
            x + 0.25 * sign(heatmap[py, px + 1] - heatmap[py, px - 1]),
            y + 0.25 * sign(heatmap[py + 1, px] - heatmap[py - 1, px]),
            score,
        )
    return float(x), float(y), score


def mmpose(heatmap):
    """mmpose, codecs/utils/refinement.py refine_keypoints."""
    x, y, score = peak(heatmap)
    height, width = heatmap.shape
    dx = dy = 0.0
    if 1 < x < width - 1 and 0 < y < height:
        dx = 0.25 * sign(heatmap[y, x + 1] - heatmap[y, x - 1])
    if 1 < y < height - 1 and 0 < x < width:
        dy = 0.25 * sign(heatmap[y + 1, x] - heatmap[y - 1, x])
    return x + dx, y + dy, score


def gaussian_blur(heatmap, kernel):
    """Zero-padded, sigma as OpenCV derives it from the kernel."""
    sigma = 0.3 * ((kernel - 1) * 0.5 - 1) + 0.8
    radius = kernel // 2
    weights = [math.exp(-(i * i) / (2 * sigma * sigma)) for i in range(-radius, radius + 1)]
    weights = np.array(weights) / sum(weights)
    padded = np.pad(heatmap.astype(np.float64), radius)
    rows = np.apply_along_axis(np.convolve, 1, padded, weights, mode="valid")
    return np.apply_along_axis(np.convolve, 0, rows, weights, mode="valid")


def dark(heatmap, kernel=11, *, any_step=False):
    """mmpose, codecs/utils/refinement.py refine_keypoints_dark; any_step: as there, also where the smoothed map is not positive
    and further than the cells from which the step is computed.
    """
    x, y, score = peak(heatmap)
    height, width = heatmap.shape
    if not (1 < x < width - 2 and 1 < y < height - 2):
        return float(x), float(y), score
    blurred = gaussian_blur(heatmap, kernel)
    if blurred.max() == 0:
        return float(x), float(y), score
    used = [
        (0, 0),
        *((i, j) for i in (-1, 1) for j in (-1, 1)),
        *((i, 0) for i in (-2, -1, 1, 2)),
        *((0, j) for j in (-2, -1, 1, 2)),
    ]
    if not any_step and min(blurred[y + j, x + i] for i, j in used) <= 0:
        return float(x), float(y), score
    blurred = blurred * (float(heatmap.max()) / blurred.max())
    log = np.log(np.maximum(blurred, 1e-10))
    dx, dy = 0.5 * (log[y, x + 1] - log[y, x - 1]), 0.5 * (log[y + 1, x] - log[y - 1, x])
    dxx = 0.25 * (log[y, x + 2] - 2 * log[y, x] + log[y, x - 2])
    dyy = 0.25 * (log[y + 2, x] - 2 * log[y, x] + log[y - 2, x])
    dxy = 0.25 * (log[y + 1, x + 1] - log[y - 1, x + 1] - log[y + 1, x - 1] + log[y - 1, x - 1])
    if dxx * dyy - dxy * dxy == 0:
        return float(x), float(y), score
    step = -np.linalg.inv(np.array([[dxx, dxy], [dxy, dyy]])) @ [dx, dy]
    if not any_step and math.hypot(*step) >= 2 + kernel // 2:
        return float(x), float(y), score
    return x + step[0], y + step[1], score


def keypoints(heatmaps, boxes_xyxy, input_wh, padding, decode):
    """(N, K, 2) image pixels and (N, K) scores through the inverse of the affine built with the heatmap's
    size.
    """
    count, joints, height, width = heatmaps.shape
    points, scores = np.zeros((count, joints, 2)), np.zeros((count, joints))
    for n in range(count):
        back = affine(*crop_view(boxes_xyxy[n], input_wh, padding), (width, height), inverse=True)
        for k in range(joints):
            x, y, scores[n, k] = decode(heatmaps[n, k])
            points[n, k] = back @ [x, y, 1.0]
    return points, scores


def flip_test(heatmaps, flipped, flip_pairs):
    """Microsoft, lib/core/function.py with SHIFT_HEATMAP."""
    back = flipped[:, :, :, ::-1].astype(np.float64).copy()
    for left, right in flip_pairs:
        back[:, [left, right]] = back[:, [right, left]]
    shifted = back.copy()
    for column in range(1, back.shape[3]):
        shifted[..., column] = back[..., column - 1]
    return (heatmaps + shifted) * 0.5


def sigmoid(value):
    return 1 / (1 + math.exp(-value))


def yolov3(grids, scales, class_count, person, threshold):
    """Rows of x1, y1, x2, y2, score in network pixels (darknet, src/yolo_layer.c)."""
    found = []
    for grid, (stride, anchors) in zip(grids, scales, strict=True):
        for a, (anchor_w, anchor_h) in enumerate(anchors):
            for j in range(grid.shape[2]):
                for i in range(grid.shape[3]):
                    cell = grid[0, a * (5 + class_count) : (a + 1) * (5 + class_count), j, i].astype(np.float64)
                    if sigmoid(cell[4]) <= threshold:
                        continue
                    score = sigmoid(cell[4]) * sigmoid(cell[5 + person])
                    if score <= threshold:
                        continue
                    cx, cy = (i + sigmoid(cell[0])) * stride, (j + sigmoid(cell[1])) * stride
                    w, h = math.exp(cell[2]) * anchor_w, math.exp(cell[3]) * anchor_h
                    found.append((cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2, score))
    return np.array(found).reshape(-1, 5)


def yolox(rows, input_wh, person, threshold):
    """Rows of x1, y1, x2, y2, score in network pixels (YOLOX, yolox/utils/demo_utils.py)."""
    found, index = [], 0
    for stride in (8, 16, 32):
        for j in range(input_wh[1] // stride):
            for i in range(input_wh[0] // stride):
                row = rows[index].astype(np.float64)
                index += 1
                score = row[4] * row[5 + person]
                if score > threshold:
                    cx, cy = (row[0] + i) * stride, (row[1] + j) * stride
                    w, h = math.exp(row[2]) * stride, math.exp(row[3]) * stride
                    found.append((cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2, score))
    return np.array(found).reshape(-1, 5)


def iou(a, b):
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - width * height
    return width * height / union


def nms(boxes, scores, threshold):
    """Kept indices, the best first."""
    left, kept = sorted(range(len(boxes)), key=lambda i: -scores[i]), []
    while left:
        best = left.pop(0)
        kept.append(best)
        left = [i for i in left if iou(boxes[best], boxes[i]) <= threshold]
    return kept


def oks(pose_a, pose_b, area_a, area_b, sigmas):
    """Microsoft, lib/nms/nms.py oks_iou."""
    total = 0.0
    for (xa, ya), (xb, yb), sigma in zip(pose_a, pose_b, sigmas, strict=True):
        distance2 = (xa - xb) ** 2 + (ya - yb) ** 2
        total += math.exp(-distance2 / (2 * sigma) ** 2 / ((area_a + area_b) / 2 + np.spacing(1)) / 2)
    return total / len(sigmas)
