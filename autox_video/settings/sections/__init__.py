"""The sections of `config.yaml`, a file each; `schema` puts them together."""

from __future__ import annotations

from autox_video.settings.sections.augment import AugmentSettings
from autox_video.settings.sections.clip import ClipSettings
from autox_video.settings.sections.data import DataSettings
from autox_video.settings.sections.model import ModelSettings
from autox_video.settings.sections.runtime import RuntimeSettings
from autox_video.settings.sections.test import TestSettings
from autox_video.settings.sections.train import TrainSettings

__all__ = [
    "AugmentSettings",
    "ClipSettings",
    "DataSettings",
    "ModelSettings",
    "RuntimeSettings",
    "TestSettings",
    "TrainSettings",
]
