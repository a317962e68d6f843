from __future__ import annotations

import copy

import cv2
import numpy as np
import pytest
from runs import FAST, run_cli

from autox_video.dataset.fingerprint import fingerprint_dataset
from autox_video.errors import RunError
from autox_video.plan.make_plan import make_plan
from autox_video.presets import load_preset
from autox_video.render.config import render_config
from autox_video.runner.preview import preview
from autox_video.settings.load import load_settings
from autox_video.work_dir import WorkDir


@pytest.fixture(scope="module")
def rendered(made_data, tmp_path_factory):
    import samples

    work_dir = WorkDir(tmp_path_factory.mktemp("preview"))
    options = ["augment.flip=0.5", "test.num_clips=2", "test.num_crops=3"]
    settings = load_settings(made_data / "config.yaml", options, work_dir=work_dir.root)
    fingerprint = fingerprint_dataset(settings, work_dir)
    model = load_preset(FAST["model"]["name"])
    plan = make_plan(settings, fingerprint, model, samples.CPU)
    return render_config(plan, model, work_dir.root), plan


def test_the_clips_are_what_the_loaders_hand_to_the_network(rendered):
    config, plan = rendered
    import torch
    from mmengine.registry import DATASETS, DefaultScope

    dark, light = preview(config, plan, num_videos=2, num_draws=3)
    assert [(shown.label, shown.name) for shown in (dark, light)] == [(0, "dark"), (1, "light")]
    kinds = [(clip.split, clip.view, clip.num_views) for clip in dark.clips]
    assert kinds == [("train", draw, 3) for draw in (1, 2, 3)] * 2 + [("test", view, 6) for view in range(1, 7)] * 2
    with DefaultScope.overwrite_default_scope("mmaction"):
        dataset = DATASETS.build(config.test_dataloader.dataset)
    inputs = dataset[0]["inputs"]
    assert dark.clips[6].file == dataset.get_data_info(0)["filename"]
    shown = torch.stack([torch.from_numpy(clip.frames).permute(3, 0, 1, 2) for clip in dark.clips[6:12]])
    assert torch.equal(shown, inputs)


def test_draws_differ_and_repeat_from_one_preview_to_the_next(rendered):
    config, plan = rendered
    np.random.seed(7)
    before = np.random.get_state()[1].copy()
    first, second = ([*preview(config, plan, 2, 4)] for _ in range(2))
    assert np.array_equal(np.random.get_state()[1], before)
    train = [clip for clip in first[0].clips if clip.split == "train"]
    assert {clip.mirrored for clip in train} == {True, False}
    assert len({clip.frames.tobytes() for clip in train}) == len(train)
    again = [clip.frames.tobytes() for shown in second for clip in shown.clips]
    assert [clip.frames.tobytes() for shown in first for clip in shown.clips] == again


def test_a_mirrored_clip_is_learned_as_its_counterpart(rendered):
    config, plan = rendered
    config = copy.deepcopy(config)
    flip = next(step for step in config.train_dataloader.dataset.pipeline if step.type == "Flip")
    flip.flip_label_map = {0: 1, 1: 0}
    for shown in preview(config, plan, 2, 4):
        train = [clip for clip in shown.clips if clip.split == "train"]
        assert {clip.mirrored for clip in train} == {True, False}
        assert all(clip.labels == ((1 - shown.label) if clip.mirrored else shown.label,) for clip in train)


def test_more_videos_than_there_are_is_all_of_them(rendered):
    config, plan = rendered
    dark, _ = preview(config, plan, num_videos=100, num_draws=1)
    names = [clip.file for clip in dark.clips if clip.split == "train"]
    assert len(names) == len(set(names)) == 8


def test_unlabelled_videos_have_a_sheet_of_their_own(made_data, tmp_path):
    (tmp_path / "test.txt").write_text("dark_test_0.mp4\n", encoding="utf-8")
    options = ["--set", f"ann_file_test={tmp_path / 'test.txt'}", "--videos", "1", "--draws", "1"]
    run_cli("preview", "-c", str(made_data / "config.yaml"), "--work-dir", str(tmp_path / "run"), *options)
    sheets = sorted(path.name for path in (tmp_path / "run" / "preview").glob("*.png"))
    assert sheets == ["0_dark.png", "1_light.png", "no_label.png"]


def test_a_pipeline_that_gives_no_pictures_is_refused(rendered):
    config, plan = rendered
    config = copy.deepcopy(config)
    config.train_dataloader.dataset.pipeline[-2] = {"type": "FormatShape", "input_format": "NCHW"}
    with pytest.raises(RunError) as caught:
        list(preview(config, plan, 1, 1))
    assert str(caught.value) == (
        "train_dataloader.dataset.pipeline: gives no clips of RGB frames in bytes, so there is nothing to show "
        "(got uint8 (4, 3, 32, 32)). Take what changes the pipeline out of cfg_options."
    )


def test_the_command_writes_a_sheet_a_class_and_a_page(made_data, tmp_path):
    output = run_cli("preview", "-c", str(made_data / "config.yaml"), "--work-dir", str(tmp_path), "--videos", "1")
    assert output.endswith(f"preview  {tmp_path / 'preview' / 'preview.html'}\n")
    sheets = {path.name: cv2.imread(str(path)) for path in (tmp_path / "preview").glob("*.png")}
    assert sorted(sheets) == ["0_dark.png", "1_light.png"]
    assert sheets["0_dark.png"].mean() < sheets["1_light.png"].mean()


@pytest.mark.parametrize("option", ["--videos", "--draws"])
@pytest.mark.parametrize("count", ["0", "-1", "two"])
def test_a_count_that_is_none_is_refused(option, count, capsys):
    with pytest.raises(SystemExit) as end:
        run_cli("preview", option, count)
    assert end.value.code == 2
