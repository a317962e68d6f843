"""A trained model's plan on another split and machine."""

from __future__ import annotations

import dataclasses

from autox_video.dataset.facts import Fingerprint
from autox_video.errors import Problem, RequestError
from autox_video.plan.rules import batch, probing, testing
from autox_video.plan.rules.common import asked, given
from autox_video.plan.rules.costs import SCORING_PASSES, ClipShape, clip_cost
from autox_video.plan.rules.own_code import refuse_unnamed_plugins
from autox_video.plan.schema import Hardware, Plan
from autox_video.plan.working import choose_loading, choose_scoring
from autox_video.presets import Preset
from autox_video.settings.schema import Settings


def make_test_plan(
    trained: Plan, settings: Settings, fingerprint: Fingerprint, preset: Preset, hardware: Hardware
) -> Plan:
    """The plan of a trained model, applied to a test split on the machine at hand.

    Args:
        trained: The plan that the checkpoint was trained with.
        settings: What the user asks now; only test views, device and workers are taken from it.
        fingerprint: Facts on the `test` split.
        preset: The trained model's preset.
        hardware: The machine.

    Raises:
        RequestError: The settings ask for a clip, a model or classes other than the checkpoint's.
    """
    _refuse_other_identity(trained, settings)
    refuse_unnamed_plugins(trained, settings)
    facts = fingerprint.splits["test"]
    device = batch.choose_device(settings, hardware)
    if device.value == "cpu":
        hardware = dataclasses.replace(hardware, num_gpus=0)
    numbers = (trained.clip_len.value, trained.frame_interval.value, trained.input_size.value)
    shape = ClipShape.planned(trained.sampling.value, *numbers, facts)
    num_clips = testing.choose_test_num_clips(settings, preset.card, facts, shape.span / facts.fps.p50)
    num_crops = testing.choose_test_num_crops(settings, preset.card, facts)
    views = num_clips.value * num_crops.value
    scoring = choose_scoring(settings, hardware, preset.card, shape, trained.videos_per_gpu.value, views, trained.task)
    clips, threads = scoring["test_videos_per_gpu"].value * views, scoring["scoring_threads"].value
    # Other videos than were measured, but most often of the same kind.
    cost = clip_cost(preset.card, hardware, trained.decode_cost, shape, views=num_crops.value, passes=SCORING_PASSES)
    return dataclasses.replace(
        trained,
        data_root=fingerprint.data_root,
        ann_files={"test": facts.ann_file},
        num_videos={"test": facts.num_videos},
        cfg_options=dict(settings.cfg_options),
        hardware=hardware,
        device=device,
        **choose_loading(settings, hardware, clips, shape, cost, threads, only_scoring=True),
        test_num_clips=num_clips,
        test_num_crops=num_crops,
        motion_probe=testing.choose_motion_probe(settings, trained.clip_len.value),
        **scoring,
        deterministic=given(settings, "runtime.deterministic"),
        probe=probing.choose_probe(settings, [facts]),
        stall_minutes=given(settings, "runtime.stall_minutes"),
    )


def _refuse_other_identity(trained: Plan, settings: Settings) -> None:
    problems = [
        Problem(
            f"{decision.source}: {key}",
            f"the checkpoint was trained with {value}, the settings now ask for something else",
            "Remove the key, or train anew in another work_dir",
            str(decision.value),
        )
        for key, value in trained.identity().items()
        if key != "classes" and (decision := asked(settings, key)) and decision.value != value
    ]
    if problems:
        raise RequestError(problems)
