"""`autox-video export`: a trained model as a folder to give away, each file tried on real videos."""

from __future__ import annotations

from autox_video.using.export.bundle import Exported, export

__all__ = ["Exported", "export"]
