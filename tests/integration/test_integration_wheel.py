"""A model of MMAction2's index by its name: trained, gone on with, tested, and said so in all that is written."""

from __future__ import annotations

import json

from runs import run_cli

from autox_video.runner.checkpoints.card import read_card

NAME = "mmaction::tsn_imagenet-pretrained-r50_8xb32-1x1x3-100e_kinetics400-rgb"
# One stage of a ResNet-18: the size plays no part here.
SMALL = {
    "model.backbone.depth": 18,
    **{f"model.backbone.{key}": value for key, value in {"num_stages": 1, "strides": [1], "dilations": [1]}.items()},
    "model.backbone.out_indices": [0],
    "model.cls_head.in_channels": 64,
}


def test_a_model_of_the_index_is_trained_resumed_and_tested(made_data, tmp_path):
    new = ["-c", str(made_data / "config.yaml"), "--work-dir", str(tmp_path), "--set", f"model.name={NAME}"]
    new += ["--set", "clip.clip_len=auto", "--set", f"cfg_options={json.dumps(SMALL)}"]
    output = run_cli("train", *new, "--set", "epoch=1")
    assert f"{NAME} on cpu" in output
    output = run_cli("train", *new, "--set", "epoch=2")
    assert "resume   after epoch 1 of 2" in output
    card = read_card(tmp_path / "best.safetensors")
    assert card["model"] == NAME
    assert (card["preprocessing"]["sampling"], card["preprocessing"]["clip_len"]) == ("segments", 3)
    assert card["licence"] == "Apache-2.0 (code and weights, which MMAction2 trained)"
    run_cli("test", *new, "--set", f"test_results_path={tmp_path / 'results.json'}")
    results = json.loads((tmp_path / "results.json").read_text())
    assert NAME in json.dumps(results)
    assert json.loads((tmp_path / "plan.json").read_text())["model"]["value"] == NAME
