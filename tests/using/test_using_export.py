"""What goes into a bundle: frames chosen as in a test, pictures as in a test, any family of networks, one label or several."""

from __future__ import annotations

import copy
import dataclasses
import importlib.util
import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import zoo
from mmengine.registry import DefaultScope

from autox_video.decoding import open_file
from autox_video.errors import RunError
from autox_video.plan.schema import Decision
from autox_video.predictions import Calibration, Prediction, Predictions
from autox_video.render.pipelines import test_pipeline as pipeline_of
from autox_video.report.outcome import make_outcome
from autox_video.runner import exporting
from autox_video.runner.build import quiet_mmengine
from autox_video.runner.predictor import Predictor
from autox_video.tasks import load_task
from autox_video.using.export.describing import readme, script

from mmaction.registry import MODELS, TRANSFORMS  # isort: skip

HOW = ("sampling", "clip_len", "frame_interval", "target_fps", "input_size")


@pytest.fixture(autouse=True)
def scope_of_mmaction() -> Iterator[None]:
    """What is built by name is MMAction2's, whatever an earlier test of the same process has left behind."""
    with DefaultScope.overwrite_default_scope("mmaction"):
        yield


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return zoo.write_lists(tmp_path_factory.mktemp("zoo"))


def planned(folder: Path, data: Any, name: str, views: tuple[int, int], **clip: Any) -> zoo.Job:
    test = {"num_clips": views[0], "num_crops": views[1]}
    rate = clip.pop("target_fps", None)
    job = zoo.job(folder, data, name, clip={"clip_len": 4, "input_size": 32} | clip, test=test)
    # The same job for MMAction2 alone, which it renders too, has no such sampling.
    return dataclasses.replace(job, plan=dataclasses.replace(job.plan, target_fps=Decision(rate, "", "")))


def bundled(plan: Any, folder: Path, **described: Any) -> ModuleType:
    """`predict.py` of a plan as a module; `described` is what else stands in `bundle.json`."""
    how = {name: getattr(plan, name).value for name in HOW} | {"layout": plan.input_format.value}
    how |= {"num_clips": plan.test_num_clips.value, "num_crops": plan.test_num_crops.value}
    (folder / "bundle.json").write_text(json.dumps({"classes": plan.classes, "preprocessing": how} | described))
    (folder / "predict.py").write_text(script(plan))
    spec = importlib.util.spec_from_file_location("predict_of_a_bundle", folder / "predict.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("name", "num_clips", "clip"),
    [
        ("video_swin_nano", 1, {"frame_interval": 2}),
        ("video_swin_nano", 3, {"frame_interval": 3}),
        ("video_swin_nano", 1, {"target_fps": 7.5}),
        ("video_swin_nano", 4, {"target_fps": 3.0}),
        ("video_swin_nano", 2, {"sampling": "uniform"}),
        ("video_swin_nano", 2, {"sampling": "segments"}),
        ("tsm_mobilenetv2", 1, {}),
        ("tsm_mobilenetv2", 2, {}),
        ("tsn_r50", 3, {}),
    ],
)
def test_the_frames_are_those_of_the_test(name, num_clips, clip, data, tmp_path):
    plan = planned(tmp_path, data, name, (num_clips, 1), **clip).plan
    module = bundled(plan, tmp_path)
    assert sum(map(bool, (tmp_path / "predict.py").read_text().splitlines())) <= 60
    sample = TRANSFORMS.build(pipeline_of(plan, stock=False)[1])
    random = np.random.default_rng(0)
    for count in (*range(1, 40), 90, 301):
        # Of uneven rate.
        times = np.cumsum(random.uniform(0.02, 0.06, count))
        times -= times[0]
        reader = SimpleNamespace(times=lambda times=times: times)
        given = {"video_reader": reader, "total_frames": count, "start_index": 0, "avg_fps": 25.0}
        expected = sample(given)["frame_inds"]
        assert module.choose_frames(times).ravel().tolist() == expected.tolist(), count


CERTAIN = Calibration(1.6, "", 20, 0.95, 0.5, "")


@pytest.mark.parametrize("task", ["single_label", "multi_label"])
@pytest.mark.parametrize(
    ("calibration", "thresholds"),
    [
        (None, None),
        (CERTAIN, (0.3, 0.6)),
        (dataclasses.replace(CERTAIN, temperature=0.05), (0.3, 0.6)),
        (dataclasses.replace(CERTAIN, temperature=20.0, num_videos=19), (0.3, 0.6)),
        (dataclasses.replace(CERTAIN, certain_from=None), None),
    ],
)
def test_labels_and_confidences_are_those_of_the_package(task, calibration, thresholds, data, tmp_path):
    plan = planned(tmp_path, data, "video_swin_nano", (1, 1)).plan
    thresholds = thresholds if task == "multi_label" else None
    known = calibration and dataclasses.asdict(calibration)
    module = bundled(plan, tmp_path, task=task, calibration=known, thresholds=thresholds)
    scores = np.array([[0.5, 0.5], [0.3, 0.7], [0.9, 0.1], [1.0, 0.0], [0.61, 0.39]], np.float32)
    rows = tuple(Prediction("a.mp4", None, one) for one in scores)
    about: Any = (task, "tiny", tuple(plan.classes), "best.pth", "", 1, "", 1, 1, rows, thresholds, calibration)
    for one, video in zip(scores, make_outcome(Predictions(*about)).videos, strict=True):
        given = [video.predicted_label] if task == "single_label" else video.predicted_labels
        found = module.judge(one.astype(np.float64))
        assert found.pop("confidence") == pytest.approx(video.confidence, rel=1e-5)
        assert found == {"labels": [label.name for label in given], "uncertain": video.uncertain}


@pytest.mark.parametrize(
    ("task", "calibration", "told"),
    [
        ("single_label", CERTAIN, "probabilities ** (1 / 1.6)"),
        ("multi_label", CERTAIN, "probabilities ** (1 / 1.6)"),
        (
            "single_label",
            dataclasses.replace(CERTAIN, temperature=1.0, note="1, for its reason"),
            "is 1, for its reason;",
        ),
        ("single_label", None, "keeps no temperature"),
    ],
)
def test_the_readme_says_that_the_files_are_not_calibrated_and_how_to(task, calibration, told):
    known = calibration and dataclasses.asdict(calibration)
    about: Any = {"model": "", "licence": "", "made_by": "", "thresholds": None, "pretrained": None, "metrics": {}}
    about |= {"classes": ["a", "b"], "task": task, "calibration": known, "input": {"shape": ["N", 1]}}
    text = readme(about, {})
    assert "what the network gives, **not calibrated**. " in text
    assert told in text
    scores = np.array([[0.25, 0.75], [0.9, 0.1]])
    line = re.search(r"^    (powers = .*)$", text, re.MULTILINE)
    assert (line is None) == (calibration is None or calibration.temperature == 1)
    if line:
        values: dict[str, Any] = {"probabilities": scores}
        exec(line[1], values)
        np.testing.assert_allclose(values["confidences"], load_task(task).tempered(scores, 1.6))


@pytest.mark.parametrize("num_crops", [1, 3])
@pytest.mark.parametrize("name", ["video_swin_nano", "tsm_mobilenetv2"])
@pytest.mark.parametrize("size", [(32, 32), (46, 38), (50, 61)])
def test_the_pictures_are_those_of_the_test(name, num_crops, size, data, tmp_path):
    plan = planned(tmp_path, data, name, (2, num_crops)).plan
    seen = _clips_by_pipeline(plan, write_moving(tmp_path / "a.mp4", *size))
    ours = bundled(plan, tmp_path).clips_of(str(tmp_path / "a.mp4"))[0].numpy()
    assert ours.shape == seen.shape
    # Where nothing is scaled nothing differs; bilinear in bytes and in floating point differ by rounding.
    assert np.abs(ours.astype(int) - seen).max() <= (0 if size == (32, 32) else 1)


def test_large_pictures_differ_little(data, tmp_path):
    plan = planned(tmp_path, data, "video_swin_nano", (1, 1)).plan
    seen = _clips_by_pipeline(plan, write_moving(tmp_path / "a.mp4", 190, 146))
    ours = bundled(plan, tmp_path).clips_of(str(tmp_path / "a.mp4"))[0].numpy()
    assert np.abs(ours.astype(int) - seen).mean() < 3


def _clips_by_pipeline(plan: Any, file: Path) -> np.ndarray:
    """What the pipeline of a test makes of a file."""
    steps = [TRANSFORMS.build(step) for step in pipeline_of(plan, stock=False)]
    predictor = SimpleNamespace(_steps=steps)
    clips = Predictor.clips_of(predictor, open_file(str(file)))
    return clips.numpy().astype(int)


def write_moving(path: Path, width: int, height: int) -> Path:
    """A soft pattern of colours that moves: of each size, without sharp edges in colour."""
    import av

    across, down = np.meshgrid(np.arange(width) / width, np.arange(height) / height)
    with av.open(str(path), "w") as file:
        stream = file.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = width, height, "yuv420p", 2_000_000
        for number in range(20):
            waves = [np.sin(6 * across + number / 5 + shift) + np.cos(5 * down - number / 7) for shift in (0, 1, 2)]
            picture = (128 + 45 * np.stack(waves, -1)).astype(np.uint8)
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        file.mux(stream.encode())
    return path


def small_network(job: zoo.Job, **head: Any) -> tuple[Any, tuple[int, ...]]:
    """A small model with random weights, and the shape of what it takes of a video."""
    with quiet_mmengine():
        torch.manual_seed(0)
        config = copy.deepcopy(job.config.model)
        config["cls_head"] |= head
        model = MODELS.build(config)
        model.init_weights()
    views, frames, size = 2 * 1, job.plan.clip_len.value, job.plan.input_size.value
    of_clips = job.plan.input_format.value == "NCTHW"
    return model.eval(), (views, 3, frames, size, size) if of_clips else (views * frames, 3, size, size)


# Two pathways; frames one by one; attention over time and place. Video Swin is in test_integration_export.py, and
# all others in benchmarks/export_table.py.
@pytest.mark.parametrize("name", ["slowfast_r50", "tsn_r50", "timesformer_b"])
def test_families_are_exported_with_any_number_of_videos(name, data, tmp_path):
    job = planned(tmp_path, data, name, (2, 1))
    model, shape = small_network(job)
    network = exporting.ExportedNetwork(SimpleNamespace(model=model, plan=job.plan))
    videos = np.random.default_rng(0).integers(0, 256, (3, *shape), dtype=np.uint8)
    exporting.write_torchscript(network, videos[:1], tmp_path / "model.pt")
    exporting.write_onnx(network, videos[:1], tmp_path / "model.onnx")
    with torch.no_grad():
        batch = model.data_preprocessor({"inputs": list(torch.from_numpy(videos)), "data_samples": []})
        logits = model.cls_head(*_features(model, batch["inputs"]))
        expected = logits.unflatten(0, (3, -1)).softmax(-1).mean(1).numpy()
    for load in (exporting.load_torchscript(tmp_path / "model.pt"), exporting.load_onnx(tmp_path / "model.onnx")):
        np.testing.assert_allclose(load(videos), expected, atol=1e-5)
        np.testing.assert_allclose(load(videos[1:2]), expected[1:2], atol=1e-5)


def test_a_network_that_takes_one_video_at_a_time_is_refused(data, tmp_path):
    name = "mmaction::tanet_imagenet-pretrained-r50_8xb8-1x1x8-50e_sthv1-rgb"
    job = zoo.job(tmp_path, data, name)
    model, shape = small_network(job)
    network = exporting.ExportedNetwork(SimpleNamespace(model=model, plan=job.plan))
    videos = np.zeros((2, *shape), dtype=np.uint8)
    exporting.write_torchscript(network, videos[:1], tmp_path / "model.pt")
    run = exporting.load_torchscript(tmp_path / "model.pt")
    assert run(videos[:1]).shape == (1, 2)
    with pytest.raises(RunError) as caught:
        run(videos)
    assert str(caught.value) == (
        "model.pt: the network cannot be run on 2 video(s) at a time (got RuntimeError: Given groups=128, weight of size "
        "[256, 1, 3, 1], expected input[1, 256, 8, 64] to have 128 channels, but got 256 channels instead). The weights are "
        "in the bundle without it; see the table in docs/export.md."
    )


def _features(model: Any, inputs: torch.Tensor) -> tuple[Any, ...]:
    features, how = model.extract_feat(inputs, test_mode=True)
    return (features, how["num_segs"]) if "num_segs" in how else (features,)


def test_several_labels_are_sigmoids_of_averaged_logits(data, tmp_path):
    job = planned(tmp_path, data, "video_swin_nano", (2, 1))
    model, shape = small_network(job, average_clips="score", multi_class=True)
    plan = dataclasses.replace(job.plan, task="multi_label")
    network = exporting.ExportedNetwork(SimpleNamespace(model=model, plan=plan))
    videos = np.random.default_rng(0).integers(0, 256, (2, *shape), dtype=np.uint8)
    exporting.write_torchscript(network, videos[:1], tmp_path / "model.pt")
    with torch.no_grad():
        batch = model.data_preprocessor({"inputs": list(torch.from_numpy(videos)), "data_samples": []})
        logits = model.cls_head(*_features(model, batch["inputs"])).unflatten(0, (2, -1)).mean(1)
    found = exporting.load_torchscript(tmp_path / "model.pt")(videos)
    np.testing.assert_allclose(found, logits.sigmoid().numpy(), atol=1e-6)
    assert not np.allclose(found.sum(1), 1)


def test_a_head_that_does_not_average_is_refused(data, tmp_path):
    job = planned(tmp_path, data, "video_swin_nano", (2, 1))
    model, _ = small_network(job, average_clips=None)
    with pytest.raises(RunError) as caught:
        exporting.ExportedNetwork(SimpleNamespace(model=model, plan=job.plan))
    assert str(caught.value) == (
        "the head of the model: does not average over the views of a video (got None). Set average_clips of the head to "
        "prob or score."
    )
