"""Randomness from counters: what is drawn depends on where the training stands, not on how it came there.

MMEngine seeds once, at the start. A run that goes on from a checkpoint then repeats the random numbers of the
beginning, and what a sample gets depends on the worker that reads it. Here each step and each sample starts from
numbers of its own, so that an interrupted run draws what an uninterrupted one does.
"""

from __future__ import annotations

import random

import numpy as np
import torch

# What is seeded; the same counters mean different numbers for each.
STEP, SAMPLE = 1, 2


def seed_step(seed: int, rank: int, iteration: int) -> None:
    """Before a training step: dropout and whatever else the model draws, on the CPU and on CUDA.

    Args:
        seed: Of the run.
        rank: Of this process.
        iteration: Steps that lie behind.
    """
    torch.manual_seed(_seed_python(STEP, seed, rank, iteration))


def seed_sample(seed: int, epoch: int, position: int) -> None:
    """Before a sample is read: its clip, its crop, its augmentation.

    Args:
        seed: Of the run.
        epoch: Epochs that lie behind.
        position: Draws of this epoch that lie behind, on all ranks together.
    """
    # Not `torch.manual_seed`, which would ask a worker for CUDA.
    torch.default_generator.manual_seed(_seed_python(SAMPLE, seed, epoch, position))


def _seed_python(*counters: int) -> int:
    """Seed Python and numpy; returns a seed for torch. Counters are mixed as numpy mixes entropy."""
    python, numpy, other = np.random.SeedSequence(counters).generate_state(3, np.uint64).tolist()
    random.seed(python)
    np.random.seed(numpy & 0xFFFFFFFF)
    return int(other >> 1)  # torch takes 63 bits
