"""Try training steps on the GPU before a run is planned for good."""

from __future__ import annotations

import logging

from autox_video.dataset.facts import Fingerprint
from autox_video.deciding import decide, videos_to_try
from autox_video.errors import AutoXVideoError
from autox_video.plan.measured import SOURCE, remember
from autox_video.plan.schema import Plan
from autox_video.presets import Preset
from autox_video.render.config import render_config
from autox_video.settings.schema import Settings
from autox_video.work_dir import WorkDir

logger = logging.getLogger(__name__)


def with_tried_batch(
    settings: Settings, fingerprint: Fingerprint, decided: Plan, preset: Preset, work_dir: WorkDir
) -> Plan:
    """The plan with the batch that the GPU has the memory for, by trial; as it is where nothing is to be tried.

    What cannot be tried, as a model of `cfg_options` that takes other clips, keeps the batch that was estimated.

    Args:
        settings: What the user asked.
        fingerprint: What the data is.
        decided: What `decide` made of both.
        preset: The model.
        work_dir: Of the run.

    Raises:
        GpuMemoryError: Not even one video fits.
    """
    needed = videos_to_try(settings, decided, preset)
    if needed is None or decided.videos_per_gpu.source == SOURCE:
        return decided
    from autox_video.runner.trial import try_batches

    logger.info("batch    trying training steps on the GPU, once for such a model, clip and GPU")
    try:
        measured = try_batches(render_config(decided, preset, work_dir.root), decided, needed)
    except AutoXVideoError:
        raise
    except Exception as error:
        logger.warning("note     the batch stays as estimated: a step on made-up clips fails (%r)", error)
        return decided
    if measured.is_lasting:
        remember(decided, needed, measured)
    else:
        taken = f"{measured.before_gib:.3g} of {measured.total_gib:.3g} GiB"
        logger.info("note     other programs use %s of the GPU: the batch is measured anew next time", taken)
    decided = decide(settings, fingerprint, decided.hardware, measured)[0]
    logger.info("         %s, %.2g s a step", decided.videos_per_gpu.why, measured.step_seconds)
    return decided
