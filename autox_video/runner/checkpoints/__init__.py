"""Checkpoint files: read them without running them, write them plain, start a model from them."""

from __future__ import annotations

from autox_video.runner.checkpoints.plain import from_plain, to_plain
from autox_video.runner.checkpoints.pretrained import LoadReport, convert_old_swin_keys, load_pretrained
from autox_video.runner.checkpoints.reading import load_checkpoint_file
from autox_video.runner.checkpoints.record import (
    RECORD_KEY,
    CheckpointRecord,
    find_newest_checkpoint,
    read_checkpoint_record,
)
from autox_video.runner.weight_files import sha256_of

__all__ = [
    "RECORD_KEY",
    "CheckpointRecord",
    "LoadReport",
    "convert_old_swin_keys",
    "find_newest_checkpoint",
    "from_plain",
    "load_checkpoint_file",
    "load_pretrained",
    "read_checkpoint_record",
    "sha256_of",
    "to_plain",
]
