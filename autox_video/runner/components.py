"""Everything a rendered config names that is ours; importing this registers it and applies the upstream fixes."""

from __future__ import annotations

from autox_video.runner.compat import apply_all

# Before the imports below: they pull in MMAction2, which the released wheel cannot import unaided.
apply_all()

from autox_video.runner.batches import ClipBatchPreprocessor, stack_clips  # noqa: E402
from autox_video.runner.cpu_amp import CpuAmpOptimWrapper  # noqa: E402
from autox_video.runner.evaluator import ScoreMetric  # noqa: E402
from autox_video.runner.hooks.averaged_weights import AveragedWeightsHook  # noqa: E402
from autox_video.runner.hooks.checkpoint import LastAndBestCheckpointHook  # noqa: E402
from autox_video.runner.hooks.compiling import CompileHook  # noqa: E402
from autox_video.runner.hooks.early_stopping import PatienceHook  # noqa: E402
from autox_video.runner.hooks.epoch_report import EpochReportHook  # noqa: E402
from autox_video.runner.hooks.finite import FiniteHook  # noqa: E402
from autox_video.runner.hooks.margins import MarginsHook  # noqa: E402
from autox_video.runner.hooks.preemption import PreemptionHook  # noqa: E402
from autox_video.runner.hooks.pretrained import PretrainedWeightsHook  # noqa: E402
from autox_video.runner.hooks.sharding import ShardingHook  # noqa: E402
from autox_video.runner.hooks.stepped_schedule import SteppedScheduleHook  # noqa: E402
from autox_video.runner.hooks.unreadable import UnreadableVideosHook  # noqa: E402
from autox_video.runner.loggers import FiguresVisualizer  # noqa: E402
from autox_video.runner.loops import ResumableTrainLoop  # noqa: E402
from autox_video.runner.models.partly_frozen import partly_frozen  # noqa: E402
from autox_video.runner.models.video_swin import FastSwinTransformer3D  # noqa: E402
from autox_video.runner.param_groups import TransferOptimWrapperConstructor  # noqa: E402
from autox_video.runner.samplers import ClassBalancedSampler  # noqa: E402
from autox_video.runner.scoring_loops import ScoringTestLoop, ScoringValLoop  # noqa: E402
from autox_video.runner.transforms.augmentation import ClipColorJitter, ClipRandAugment  # noqa: E402
from autox_video.runner.transforms.sampling import SampleAtRate  # noqa: E402
from autox_video.runner.transforms.video import FormatClips, VideoDecode, VideoOpen  # noqa: E402
from autox_video.runner.video_list import VideoListDataset  # noqa: E402

__all__ = [
    "AveragedWeightsHook",
    "ClassBalancedSampler",
    "ClipBatchPreprocessor",
    "ClipColorJitter",
    "ClipRandAugment",
    "CompileHook",
    "CpuAmpOptimWrapper",
    "EpochReportHook",
    "FastSwinTransformer3D",
    "FiguresVisualizer",
    "FiniteHook",
    "FormatClips",
    "LastAndBestCheckpointHook",
    "MarginsHook",
    "PatienceHook",
    "PreemptionHook",
    "PretrainedWeightsHook",
    "ResumableTrainLoop",
    "SampleAtRate",
    "ScoreMetric",
    "ScoringTestLoop",
    "ScoringValLoop",
    "ShardingHook",
    "SteppedScheduleHook",
    "TransferOptimWrapperConstructor",
    "UnreadableVideosHook",
    "VideoDecode",
    "VideoListDataset",
    "VideoOpen",
    "partly_frozen",
    "stack_clips",
]
