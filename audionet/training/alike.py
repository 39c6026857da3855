"""Recordings that sound alike, whatever their class: one voice saying different words, one room, one microphone.

Held out together, they show how a model does on sound unlike any that it was trained on. That is what its scores must
be true for: a new recording is seldom as like the old ones as these are like each other.
"""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

GROUPS = 5
ROUNDS = 50  # of k-means, at most; it settles long before


def cluster_groups(
    coordinates: np.ndarray, targets: np.ndarray, recordings: Sequence[str], fallback: Sequence[int]
) -> list[int]:
    """A group, 0 to GROUPS - 1, for each picture; those of one class and recording stay together.

    What a recording has beyond its class (its coordinates less the class's mean) is clustered by k-means. Where a
    class would lie in one group alone, its pictures go into their `fallback` groups instead.
    """
    residuals = np.empty_like(coordinates)
    for number in np.unique(targets):
        members = targets == number
        residuals[members] = coordinates[members] - coordinates[members].mean(axis=0)
    places: dict[tuple[int, str], list[int]] = defaultdict(list)
    for i, (target, recording) in enumerate(zip(targets.tolist(), recordings, strict=True)):
        places[target, recording].append(i)
    points = np.stack([residuals[members].mean(axis=0) for members in places.values()])
    found = np.empty(len(coordinates), np.intp)
    for group, members in zip(_k_means(points, min(GROUPS, len(points))), places.values(), strict=True):
        found[members] = group
    for number in np.unique(targets):
        members = np.flatnonzero(targets == number)
        if len(set(found[members])) == 1:
            found[members] = np.array(fallback)[members]
    return [int(group) for group in found]


def _k_means(points: np.ndarray, count: int) -> np.ndarray:
    """The cluster of each point. It starts from the point farthest from the middle, then the farthest from those."""
    squares = (points**2).sum(axis=1)

    def distances(centres: np.ndarray) -> np.ndarray:
        return np.asarray(squares[:, None] - 2 * points @ centres.T + (centres**2).sum(axis=1))

    starts = [int(np.argmax(squares))]
    while len(starts) < count:
        starts.append(int(np.argmax(distances(points[starts]).min(axis=1))))
    found = distances(points[starts]).argmin(axis=1)
    for _ in range(ROUNDS):
        shares = np.eye(count)[found] / np.maximum(np.bincount(found, minlength=count), 1)
        again = distances(shares.T @ points).argmin(axis=1)
        if (again == found).all():
            break
        found = again
    return np.asarray(found)
