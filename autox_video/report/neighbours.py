"""The most alike videos, by the cosine of the angle between their features: exact, by products of blocks of them."""

from __future__ import annotations

import numpy as np

# Rows of the table of all cosines that are in memory at a time: times a million videos, half a gigabyte.
BLOCK = 128


def nearest(
    queries: np.ndarray,
    known: np.ndarray,
    count: int,
    query_groups: np.ndarray | None = None,
    known_groups: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """The nearest of the known vectors to each query.

    Args:
        queries: Shape (N, D).
        known: Shape (M, D).
        count: How many, K; fewer where fewer are known.
        query_groups: The recording of each query, as numbers, shape (N,): none of the same recording is taken.
        known_groups: Likewise, of what is known; both or none.

    Returns:
        Indices into `known`, the nearest first, shape (N, K), -1 where there are not so many of other recordings; and
        their cosines, shape (N, K), -inf there. Of equally near ones the first.
    """
    count = min(count, len(known))
    queries, known = _of_length_one(queries), _of_length_one(known)
    indices = np.empty((len(queries), count), dtype=np.int64)
    cosines = np.empty((len(queries), count), dtype=np.float32)
    for first in range(0, len(queries), BLOCK):
        block = slice(first, first + BLOCK)
        found = queries[block] @ known.T
        if query_groups is not None and known_groups is not None:
            found[query_groups[block, None] == known_groups[None, :]] = -np.inf
        # The sort of all would take most of the time where many are known.
        some = np.argpartition(-found, count - 1, axis=1)[:, :count] if count < len(known) else np.arange(len(known))
        some = np.sort(np.broadcast_to(some, (len(found), count)), axis=1)
        values = np.take_along_axis(found, some, axis=1)
        order = np.argsort(-values, axis=1, kind="stable")
        indices[block] = np.take_along_axis(some, order, axis=1)
        cosines[block] = np.take_along_axis(values, order, axis=1)
    indices[np.isneginf(cosines)] = -1
    return indices, cosines


def _of_length_one(vectors: np.ndarray) -> np.ndarray:
    vectors = vectors.astype(np.float32)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: np.ndarray = vectors / np.maximum(lengths, 1e-12)
    return unit
