"""A trained model taken from its files alone: it says what the test said."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from autox_video.decoding import FramesReader, open_file
from autox_video.errors import RequestError
from autox_video.runner.predictor import open_predictor


@pytest.mark.parametrize("kept", ["best.pth", "best.safetensors", "model.safetensors"])
def test_one_file_of_a_run_is_enough_to_score_as_the_test_did(kept, trained, tmp_path):
    results = json.loads((trained.work_dir / "results.json").read_text())
    shutil.copy(trained.work_dir / kept.replace("model.", "best."), tmp_path / kept)
    predictor = open_predictor(tmp_path, device="cpu")
    assert predictor.classes == tuple(results["classes"])
    views = results["views"]["num_clips"], results["views"]["num_crops"]
    predictor = open_predictor(tmp_path / kept, device="cpu", views=views)
    rows = [row for row in results["videos"] if row["status"] == "ok"]
    readers = [open_file(str(trained.folder / "videos" / row["file"])) for row in rows]
    clips = [predictor.clips_of(reader) for reader in readers]
    assert {clip.shape[0] for clip in clips} == {views[0] * views[1]}
    np.testing.assert_allclose(predictor.score(clips), [row["scores"] for row in rows], atol=1e-6)
    together = predictor.features(clips)
    alone = np.concatenate([predictor.features([clip]) for clip in clips])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    # What the last layer makes of them is what the scores were made of.
    layer = predictor.model.cls_head.fc_cls
    logits = together @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()
    assert logits.argmax(1).tolist() == [row["predicted_label"]["id"] for row in rows]


def test_frames_in_memory_are_seen_as_those_of_a_file(trained):
    predictor = open_predictor(trained.work_dir, device="cpu", views=(2, 1))
    file = next((trained.folder / "videos").glob("[!b]*.mp4"))
    reader = open_file(str(file))
    frames = reader.frames(np.arange(reader.num_frames))
    ours = FramesReader(frames, reader.fps, reader.times())
    half = reader.times()[reader.num_frames // 2]
    for piece in ((None, None), (half, None)):
        from_file, from_memory = (predictor.clips_of(one, *piece).numpy().astype(int) for one in (reader, ours))
        # A large frame is made smaller before it is made RGB.
        assert np.abs(from_file - from_memory).mean() < 3


def test_what_is_no_model_is_refused(trained, tmp_path, monkeypatch):
    with pytest.raises(RequestError) as caught:
        open_predictor(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: holds no trained model: neither best.pth nor model.safetensors. Train first, or name another "
        "folder."
    )
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(RequestError) as caught:
        open_predictor(trained.work_dir, device="cuda")
    assert str(caught.value) == (
        "--device: asks for a GPU, and there is none (got cuda). Write cpu or auto, or run `autox-video doctor` to see "
        "why none is found."
    )
