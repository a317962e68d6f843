from __future__ import annotations

import copy
import json

import numpy as np
import pytest
import safetensors
import torch
from runs import run_cli
from safetensors.torch import load_file

from autox_video import __version__
from autox_video.errors import RunError
from autox_video.presets import load_preset
from autox_video.runner.checkpoints import load_checkpoint_file, read_checkpoint_record
from autox_video.runner.checkpoints.card import read_card, write_weights_with_card


def test_the_weights_give_the_outputs_of_the_best_checkpoint(trained):
    from mmaction.registry import MODELS
    from mmengine.registry import init_default_scope

    from autox_video.runner import components  # noqa: F401

    init_default_scope("mmaction")
    settings = copy.deepcopy(load_preset("video_swin_nano").model)
    settings["cls_head"]["num_classes"] = 2
    clips = torch.randn(1, 3, 4, 32, 32, generator=torch.Generator().manual_seed(0))
    outputs = []
    for state in (
        torch.load(trained.work_dir / "best.pth", weights_only=True)["state_dict"],
        load_file(trained.work_dir / "best.safetensors"),
    ):
        model = MODELS.build(settings).eval()
        model.load_state_dict(state)
        with torch.no_grad():
            outputs.append(model.cls_head(model.backbone(clips)))
    assert torch.equal(*outputs)
    assert outputs[0].std() > 0


def test_the_card_says_what_one_must_know_to_use_them(trained):
    record = read_checkpoint_record(trained.work_dir / "best.pth")
    card = read_card(trained.work_dir / "best.safetensors")
    assert {name: card[name] for name in ("classes", "model", "task", "epoch", "metrics")} == {
        "classes": ["dark", "light"],
        "model": "video_swin_nano",
        "task": "single_label",
        "epoch": record.epoch,
        "metrics": {f"val_{name}": value for name, value in record.metrics.items()},
    }
    assert card["preprocessing"] == {
        "sampling": "dense",
        "clip_len": 4,
        "frame_interval": record.plan.frame_interval.value,
        "target_fps": None,
        "input_size": record.plan.input_size.value,
        "num_clips": record.plan.test_num_clips.value,
        "num_crops": record.plan.test_num_crops.value,
        "mean": [123.675, 116.28, 103.53],
        "std": [58.395, 57.12, 57.375],
        "color_order": "RGB",
        "layout": "NCTHW",
    }
    assert card["temperature"] == card["calibration"]["temperature"] == 1.0
    assert card["calibration"]["note"] == (
        "1, as in the model: 6 validation videos are fewer than the 20 that a temperature takes"
    )
    assert card["pretrained"] is None
    assert card["licence"] == load_preset("video_swin_nano").card.licence
    assert card["versions"]["autox_video"] == __version__


def test_any_reader_of_the_format_reads_the_card(trained):
    with safetensors.safe_open(trained.work_dir / "best.safetensors", framework="np") as file:
        assert json.loads(file.metadata()["classes"]) == ["dark", "light"]
        assert file.metadata()["format"] == "pt"


def test_a_kill_between_the_two_files_is_mended_when_the_run_goes_on(trained, tmp_path):
    run = trained.copy(tmp_path / "job")
    path = run.work_dir / "best.safetensors"
    good = load_file(path)
    older = load_checkpoint_file(run.work_dir / "best.pth")
    older["meta"]["epoch"] = 1
    older["state_dict"] = {name: torch.zeros_like(tensor) for name, tensor in older["state_dict"].items()}
    write_weights_with_card(run.work_dir / "best.pth", older)
    assert read_card(path)["epoch"] == 1
    # No epoch of this run is better than one that was perfect: what is written is what was mended.
    best = load_checkpoint_file(run.work_dir / "best.pth")
    best["meta"]["autox_video"]["metrics"]["top1"] = 2.0
    torch.save(best, run.work_dir / "best.pth")
    run_cli("train", "-c", str(run.config), "--set", "epoch=4")
    assert read_card(path)["epoch"] == best["meta"]["epoch"]
    assert all(torch.equal(tensor, good[name]) for name, tensor in load_file(path).items())


def test_a_file_that_belongs_to_the_checkpoint_is_left_alone(trained, tmp_path):
    run = trained.copy(tmp_path / "job")
    path = run.work_dir / "best.safetensors"
    before = path.stat()
    write_weights_with_card(run.work_dir / "best.pth", load_checkpoint_file(run.work_dir / "best.pth"))
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_tensors_that_share_their_numbers_are_written_apart(trained, tmp_path):
    checkpoint = load_checkpoint_file(trained.work_dir / "best.pth")
    numbers = torch.arange(6.0).reshape(2, 3)
    checkpoint["state_dict"] = {"a": numbers, "b": numbers, "c": numbers.T, "d": numbers[1]}
    write_weights_with_card(tmp_path / "best.pth", checkpoint)
    found = load_file(tmp_path / "best.safetensors")
    assert all(torch.equal(found[name], tensor) for name, tensor in checkpoint["state_dict"].items())


@pytest.mark.parametrize("content", [None, b"", b"\x80\x02}.", b"\xff" * 40])
def test_a_file_without_a_card_is_refused(content, tmp_path):
    path = tmp_path / "best.safetensors"
    if content is None:
        safetensors.torch.save_file({"a": torch.ones(1)}, path)
    else:
        path.write_bytes(content)
    with pytest.raises(RunError) as caught:
        read_card(path)
    assert str(caught.value) == f"{path}: holds no card of autox_video. Name the best.safetensors of a run."


TOLD = "note     {} keeps no temperature, so confidences are not calibrated; train again to have one (docs/trust.md)\n"


def test_a_checkpoint_brings_its_temperature_and_an_older_one_is_said_to_have_none(trained, tmp_path):
    def tested(name: str, change) -> dict:
        checkpoint = torch.load(trained.work_dir / "best.pth", weights_only=True)
        change(checkpoint["meta"]["autox_video"])
        torch.save(checkpoint, tmp_path / name)
        target = tmp_path / f"{name}.json"
        options = ("--checkpoint", str(tmp_path / name), "--set", f"test_results_path={target}")
        output = run_cli("test", "-c", str(trained.config), *options)
        assert output.count(TOLD.format(tmp_path / name)) == (name == "old.pth")
        return json.loads(target.read_text())

    level = {"temperature": 2.0, "num_videos": 40, "certain_from": 0.5}
    hot = tested("hot.pth", lambda record: record["calibration"].update(level))
    old = tested("old.pth", lambda record: [record.pop(key) for key in ("calibration", "temperature")])
    assert [row["scores"] for row in hot["videos"]] == [row["scores"] for row in old["videos"]]
    for hot_row, old_row in zip(hot["videos"], old["videos"], strict=True):
        if hot_row["scores"]:
            scores = np.array(hot_row["scores"])
            assert old_row["confidence"] == scores.max()
            assert hot_row["confidence"] == pytest.approx(np.sqrt(scores.max()) / np.sqrt(scores).sum(), abs=1e-6)
        assert old_row["uncertain"] is None
        assert hot_row["uncertain"] is (False if hot_row["scores"] else None)
    assert (old["calibration"]["temperature"], hot["calibration"]["temperature"]) == (None, 2.0)
    assert old["calibration"]["note"].startswith("none: the checkpoint was written before any was fitted")
    video = next(row["file"] for row in old["videos"] if row["scores"])
    target = ("-o", str(tmp_path / "predicted.json"), "--device", "cpu", "--workers", "1")
    output = run_cli("predict", str(trained.folder / "videos" / video), "-m", str(tmp_path / "old.pth"), *target)
    assert TOLD.format(tmp_path / "old.pth") in output
