from __future__ import annotations

import pytest
import samples

from autox_video.demo_data import MOTIONS
from autox_video.errors import RequestError
from autox_video.plan.resume import continue_plan
from autox_video.plan.rules.augmentation import ALL_OPS, COLOR_OPS, SWITCHES, TURNING_OPS, choose_rand_augment_ops
from autox_video.plan.schema import Plan
from autox_video.render.config import render_config

OFF = dict.fromkeys(SWITCHES, 0.0)
STRONG = {"color_jitter": 0.0, "rand_augment": 7.0, "random_erasing": 0.25, "mixup": 0.8, "cutmix": 1.0}


def planned(augment, *, name="video_swin_tiny", **values) -> Plan:
    return samples.plan(samples.GPU, model=name, augment=augment, videos_per_gpu=4, **values)[0]


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        (None, {"augment": "default", "flip": 0.5, "min_crop_area": 0.08, **OFF}),
        ("auto", {"augment": "default", "flip": 0.5, "min_crop_area": 0.08, **OFF}),
        ("none", {"augment": "none", "flip": 0.0, "min_crop_area": 1.0, **OFF}),
        ("light", {"augment": "light", "flip": 0.5, "min_crop_area": 0.5, **OFF}),
        ("default", {"augment": "default", "flip": 0.5, "min_crop_area": 0.08, **OFF}),
        ("strong", {"augment": "strong", "flip": 0.5, "min_crop_area": 0.08, **STRONG}),
    ],
)
def test_a_level_stands_for_its_switches(level, expected):
    plan = planned(level)
    assert {name: getattr(plan, name).value for name in expected} == expected
    assert all(getattr(plan, name).why for name in expected)


def test_a_single_key_goes_before_the_level():
    plan = planned({"level": "none", "flip": 0.3, "mixup": 0.2, "min_crop_area": 0.7})
    assert (plan.flip.value, plan.mixup.value, plan.min_crop_area.value) == (0.3, 0.2, 0.7)
    plan = planned({"level": "strong", "cutmix": 0, "rand_augment": 0})
    assert (plan.mixup.value, plan.cutmix.value, plan.rand_augment_ops.value) == (0.8, 0.0, ())
    assert (plan.mixup.why, plan.cutmix.why) == ("augment is strong", "as asked")


def test_a_mirror_that_classes_forbid_is_not_switched_on_by_a_level():
    data = samples.fingerprint(counts={"turn_left": 100, "run": 100})
    assert samples.plan(samples.GPU, data, augment="strong")[0].flip.value == 0.0


@pytest.mark.parametrize(
    ("classes", "left_out", "why"),
    [
        (("run", "jump"), (), "no class name speaks of a color or a direction"),
        (("0", "1"), (), "classes are numbers, which say nothing"),
        (("run", "red_ball"), COLOR_OPS, "without what changes colors, for class 'red_ball'"),
        (("run", "pickUp"), TURNING_OPS, "without what turns the picture, for class 'pickUp'"),
        (("拿红色", "向上"), (*COLOR_OPS, *TURNING_OPS), None),
        (tuple(MOTIONS), TURNING_OPS, "without what turns the picture, for class 'move_left'"),
    ],
)
def test_rand_augment_draws_from_what_no_class_forbids(classes, left_out, why):
    decided = choose_rand_augment_ops(7.0, classes)
    assert set(ALL_OPS) - set(decided.value) == set(left_out)
    assert why is None or decided.why == why
    assert not any("flip" in op for op in ALL_OPS)


def test_a_multi_scale_crop_has_sizes_of_its_own():
    plan = planned({"multi_scale_crop": True})
    assert plan.min_crop_area.value == pytest.approx(0.66**2)
    assert plan.min_crop_area.why == "the smallest multi-scale crop: 0.66 of the short side"
    with pytest.raises(RequestError) as caught:
        planned({"multi_scale_crop": True, "min_crop_area": 0.5})
    assert str(caught.value) == (
        "fit(): augment.min_crop_area: contradicts augment.multi_scale_crop, which has sizes of its own (got 0.5). "
        "Keep one of the two."
    )


def test_a_batch_of_one_video_is_not_mixed():
    values = {"videos_per_gpu": 2, "model": "video_swin_tiny"}
    plan, _ = samples.plan(samples.GPU, augment={"level": "strong", "num_repeats": 2}, **values)
    assert (plan.mixup.value, plan.cutmix.value) == (0.0, 0.0)
    assert plan.mixup.why == "a batch draws a single video: there is none to mix it with"
    with pytest.raises(RequestError) as caught:
        samples.plan(samples.GPU, augment={"mixup": 0.8, "num_repeats": 2}, **values)
    assert str(caught.value) == (
        "fit(): augment.mixup: mixes the videos of a batch, and a batch on one device draws a single one (got 0.8). "
        "Set videos_per_gpu to 2 or more videos."
    )


@pytest.mark.parametrize(
    ("augment", "blending"),
    [
        ("default", None),
        ({"mixup": 0.8}, {"type": "MixupBlending", "num_classes": 2, "alpha": 0.8}),
        ({"cutmix": 1}, {"type": "CutmixBlending", "num_classes": 2, "alpha": 1.0}),
    ],
)
@pytest.mark.parametrize("stock", [False, True])
def test_batches_are_mixed_by_mmaction2(augment, blending, stock):
    plan, preset = samples.plan(samples.GPU, model="video_swin_tiny", augment=augment)
    assert render_config(plan, preset, samples.RUN, stock=stock).model.data_preprocessor.get("blending") == blending


def test_with_mixup_and_cutmix_each_batch_draws_one():
    plan, preset = samples.plan(samples.GPU, model="video_swin_tiny", augment="strong")
    blending = render_config(plan, preset, samples.RUN).model.data_preprocessor.blending
    assert [kind.type for kind in blending.augments] == ["MixupBlending", "CutmixBlending"]
    assert blending.type == "RandomBatchAugment"


def test_pixels_change_after_decoding_and_before_clips_are_put_together():
    switches = {"color_jitter": 0.4, "rand_augment": 7, "random_erasing": 0.25}
    plan, preset = samples.plan(samples.GPU, model="video_swin_tiny", augment=switches)
    pipeline = render_config(plan, preset, samples.RUN).train_dataloader.dataset.pipeline
    types = [step.type for step in pipeline]
    start = types.index("VideoDecode")
    assert types[start:] == [
        *("VideoDecode", "ClipColorJitter", "ClipRandAugment", "RandomErasing", "FormatClips", "PackActionInputs")
    ]
    validation = render_config(plan, preset, samples.RUN).val_dataloader.dataset.pipeline
    assert not {"ClipColorJitter", "ClipRandAugment", "RandomErasing"} & {step.type for step in validation}


def test_a_stock_config_has_mmaction2s_own_or_is_refused():
    switches = {"color_jitter": 0.4, "random_erasing": 0.25, "multi_scale_crop": True, "mixup": 0.8}
    plan, preset = samples.plan(samples.GPU, model="video_swin_tiny", augment=switches)
    pipeline = render_config(plan, preset, samples.RUN, stock=True).train_dataloader.dataset.pipeline
    assert {"MultiScaleCrop", "ColorJitter", "RandomErasing"} < {step.type for step in pipeline}
    plan, preset = samples.plan(samples.GPU, model="video_swin_tiny", augment="strong")
    with pytest.raises(RequestError) as caught:
        render_config(plan, preset, samples.RUN, stock=True)
    assert str(caught.value) == (
        "augment.rand_augment: MMAction2's own RandAugment needs imgaug, which works with no current numpy (got 7). "
        "Set augment.rand_augment to 0 for this config."
    )


def test_a_run_goes_on_with_the_augmentation_it_began_with():
    begun = planned("strong")
    assert continue_plan(begun, planned(None)).mixup == begun.mixup
    with pytest.raises(RequestError) as caught:
        continue_plan(begun, planned({"level": "strong", "mixup": 0.1}))
    assert str(caught.value).startswith("fit(): mixup: was 0.8 when this run began and is now 0.1. ")
    with pytest.raises(RequestError) as caught:
        continue_plan(begun, planned("light"))
    assert str(caught.value).startswith("fit(): augment: was strong when this run began and is now light. ")
