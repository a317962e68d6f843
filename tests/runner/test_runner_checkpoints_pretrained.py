from __future__ import annotations

import copy
import logging
from pathlib import Path
from typing import Any

import pytest
import torch
from measured import measure_activation
from old_swin import old_scores, old_shapes, old_state
from safetensors.torch import save_file
from torch import nn

from autox_video.errors import RequestError
from autox_video.presets import load_preset
from autox_video.runner.checkpoints import convert_old_swin_keys, load_pretrained
from autox_video.runner.compat import apply_all

WIDTH, DEPTHS, HEADS, WINDOW = 16, [2, 1], [2, 4], (2, 4, 4)


def recognizer(num_classes: int = 5, window: tuple[int, int, int] = WINDOW, seed: int = 0) -> Any:
    """The smallest Video Swin of two stages."""
    apply_all()
    from mmaction.registry import MODELS
    from mmengine.registry import init_default_scope

    init_default_scope("mmaction")
    model = copy.deepcopy(load_preset("video_swin_nano").model)
    model["backbone"] |= {
        "arch": {"embed_dims": WIDTH, "depths": DEPTHS, "num_heads": HEADS},
        "patch_size": (2, 4, 4),
        "window_size": window,
        "mlp_ratio": 4.0,
        "out_indices": (1,),
    }
    model["cls_head"] |= {"in_channels": 2 * WIDTH, "num_classes": num_classes}
    torch.manual_seed(seed)
    return MODELS.build(model).eval()


@pytest.fixture
def model() -> nn.Module:
    return recognizer()


def saved(path: Path, state: dict[str, Any], *, wrapped: bool = True) -> Path:
    torch.save({"state_dict": state} if wrapped else state, path)
    return path


def same(model: nn.Module, other: nn.Module, *, part: str = "") -> bool:
    state = other.state_dict()
    return all(torch.equal(tensor, state[name]) for name, tensor in model.state_dict().items() if name.startswith(part))


def scores(model: Any, clips: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return model.cls_head(model.backbone(clips))


def test_a_checkpoint_of_the_same_model_is_loaded_whole(tmp_path, model):
    other = recognizer(seed=1)
    assert not same(model, other)
    report = load_pretrained(model, saved(tmp_path / "best.pth", other.state_dict()), 5)
    assert same(model, other)
    assert report.summary == "loaded 53 of 53 tensors from best.pth"
    assert set(report.loaded) == set(model.state_dict())


def test_another_number_of_classes_initialises_only_the_head_anew_and_says_so(tmp_path, model):
    other = recognizer(num_classes=400, seed=1)
    head = copy.deepcopy(model.cls_head.state_dict())
    report = load_pretrained(model, saved(tmp_path / "k400.pth", other.state_dict()), 5)
    assert same(model, other, part="backbone.")
    assert all(torch.equal(tensor, head[name]) for name, tensor in model.cls_head.state_dict().items())
    assert report.reinitialised == ("cls_head.fc_cls.weight", "cls_head.fc_cls.bias")
    assert report.summary == (
        "loaded 51 of 53 tensors from k400.pth; the head is initialised anew for 5 classes (the file has 400)"
    )


def renamed(state: dict[str, Any], old: str, new: str) -> dict[str, Any]:
    return {(new + name[len(old) :] if name.startswith(old) else name): tensor for name, tensor in state.items()}


@pytest.mark.parametrize(
    "write",
    [
        lambda path, state: saved(path, state, wrapped=False),
        lambda path, state: saved(path, renamed(state, "", "module.")),
        lambda path, state: saved(
            path, {name: tensor.double() if tensor.is_floating_point() else tensor for name, tensor in state.items()}
        ),
        lambda path, state: saved(path, {**state, "note": "not a tensor"}),
    ],
)
def test_bare_wrapped_and_double_state_dicts_are_loaded(tmp_path, model, write):
    other = recognizer(seed=1)
    report = load_pretrained(model, write(tmp_path / "a.pth", other.state_dict()), 5)
    assert report.summary == "loaded 53 of 53 tensors from a.pth"
    assert same(model, other)
    assert model.cls_head.fc_cls.weight.dtype == torch.float32


def test_a_file_of_safetensors_is_loaded(tmp_path, model):
    other = recognizer(seed=1)
    save_file(other.state_dict(), tmp_path / "best.safetensors")
    report = load_pretrained(model, tmp_path / "best.safetensors", 5)
    assert report.summary == "loaded 53 of 53 tensors from best.safetensors"
    assert same(model, other)


def test_every_tensor_can_be_told_by_name(tmp_path, model):
    state = {**recognizer(num_classes=9, seed=1).state_dict(), "backbone.extra": torch.ones(1)}
    del state["backbone.norm1.bias"]
    report = load_pretrained(model, saved(tmp_path / "a.pth", state), 5)
    loaded, *others = report.details
    assert loaded.startswith("loaded (50): backbone.patch_embed.proj.weight, ")
    assert others == [
        "missing (1): backbone.norm1.bias",
        "unexpected (1): backbone.extra",
        "reinitialised (2): cls_head.fc_cls.weight, cls_head.fc_cls.bias",
        "other shape (0): none",
    ]


def test_a_file_of_the_backbone_alone_is_loaded(tmp_path, model):
    other = recognizer(seed=1)
    report = load_pretrained(model, saved(tmp_path / "backbone.pth", other.backbone.state_dict()), 5)
    assert same(model, other, part="backbone.")
    assert report.missing == ("cls_head.fc_cls.weight", "cls_head.fc_cls.bias")
    assert report.summary == (
        "loaded 51 of 53 tensors from backbone.pth; "
        "2 not in the file and initialised anew: cls_head.fc_cls.weight, cls_head.fc_cls.bias"
    )


def test_tables_of_another_window_are_left_and_listed(tmp_path, model):
    other = recognizer(window=(4, 4, 4), seed=1)
    state = {**other.state_dict(), "backbone.extra": torch.ones(1)}
    report = load_pretrained(model, saved(tmp_path / "a.pth", state), 5)
    assert len(report.other_shape) == 6  # a table and an index for each of three blocks
    assert report.summary == (
        "loaded 47 of 53 tensors from a.pth; 6 of another shape in the file and initialised anew: "
        "backbone.layers.0.blocks.0.attn.relative_position_bias_table, "
        "backbone.layers.0.blocks.0.attn.relative_position_index, "
        "backbone.layers.0.blocks.1.attn.relative_position_bias_table, "
        "backbone.layers.0.blocks.1.attn.relative_position_index, "
        "backbone.layers.1.blocks.0.attn.relative_position_bias_table and 1 more; "
        "1 in the file and not used: backbone.extra"
    )


def test_weights_of_another_model_are_refused_and_nothing_is_loaded(tmp_path, model):
    before = copy.deepcopy(model)
    path = saved(
        tmp_path / "resnet.pth", {"conv1.weight": torch.ones(3), "backbone.patch_embed.proj.bias": torch.ones(WIDTH)}
    )
    with pytest.raises(RequestError) as caught:
        load_pretrained(model, path, 5)
    assert str(caught.value) == (
        f"{path}: has 1 of the 48 tensors of this model; missing: backbone.patch_embed.proj.weight, "
        "backbone.patch_embed.norm.weight, backbone.patch_embed.norm.bias, "
        "backbone.layers.0.blocks.0.norm1.weight, backbone.layers.0.blocks.0.norm1.bias and 42 more. "
        "Choose weights of the same architecture, or write `model.load_from: none` to train from scratch."
    )
    assert same(model, before)


@pytest.mark.parametrize(("share", "enough"), [(0.49, False), (0.5, True)])
def test_half_of_the_backbone_is_enough(tmp_path, model, share, enough):
    names = [name for name, _ in model.named_parameters() if name.startswith("backbone.")]
    state = {name: model.state_dict()[name] for name in names[: int(share * len(names))]}
    path = saved(tmp_path / "a.pth", state)
    if enough:
        assert len(load_pretrained(model, path, 5).loaded) == len(names) // 2
    else:
        with pytest.raises(RequestError, match=f"has {len(state)} of the {len(names)} tensors of this model"):
            load_pretrained(model, path, 5)


def test_a_file_that_cannot_be_read_is_a_wrong_request(tmp_path, model):
    path = tmp_path / "a.pth"
    path.write_bytes(b"<html>")
    with pytest.raises(RequestError) as caught:
        load_pretrained(model, path, 5)
    assert str(caught.value) == f"{path}: is a web page, not a checkpoint. Restore the file or choose another."


def test_the_original_tools_weights_compute_the_same_in_mmaction2(tmp_path, model):
    state = old_state(WIDTH, DEPTHS, HEADS, WINDOW, 5)
    report = load_pretrained(model, saved(tmp_path / "old.pth", state), 5)
    assert report.summary == "loaded 53 of 53 tensors from old.pth"
    clips = torch.randn(2, 3, 4, 16, 16, generator=torch.Generator().manual_seed(1))
    expected = old_scores(state, clips, DEPTHS, HEADS)
    assert expected.std() > 0.1
    torch.testing.assert_close(scores(model, clips), expected, rtol=1e-4, atol=1e-5)


def test_the_names_of_the_original_base_model_become_those_of_the_preset():
    state = old_shapes(128, [2, 2, 18, 2], [4, 8, 16, 32], (8, 7, 7), 600)
    base = measure_activation.build_on_meta(load_preset("video_swin_base").model, 600)
    expected = {name: tuple(tensor.shape) for name, tensor in base.state_dict().items()}
    assert set(state) ^ set(expected) == {
        f"backbone.{norm}.{part}" for norm in ("norm", "norm3") for part in ("weight", "bias")
    }
    assert convert_old_swin_keys(state) == expected


@pytest.mark.parametrize("prefix", ["backbone.", ""])
def test_conversion_undoes_the_old_names_and_keeps_the_new_ones(model, prefix):
    new = {name.replace("backbone.", prefix, 1): tensor for name, tensor in model.state_dict().items()}
    old = {
        name.replace(f"{prefix}norm1.", f"{prefix}norm.") if name.startswith(f"{prefix}norm1.") else name: tensor
        for name, tensor in new.items()
    }
    assert set(old) != set(new)
    for state in (old, new):
        converted = convert_old_swin_keys(state)
        assert list(converted) == list(new)
        assert all(converted[name] is tensor for name, tensor in new.items())


def test_a_norm_of_another_network_is_no_old_swin():
    state = {"norm.weight": torch.ones(1), "blocks.0.norm.weight": torch.ones(1)}
    assert convert_old_swin_keys(state) == state


@pytest.mark.parametrize(
    ("torch_version", "name", "warns"),
    [
        ("2.4.1", "my.pth", True),
        ("2.9.0+cu128", "my.pth", True),
        ("2.10.0", "my.pth", False),
        ("2.15.0a0", "my.pth", False),
        ("2.4.1", "swin-241016b2.pth", False),
    ],
)
def test_an_old_torch_and_a_file_of_unknown_origin_are_warned_of(
    tmp_path, model, monkeypatch, caplog, torch_version, name, warns
):
    monkeypatch.setattr(torch, "__version__", torch_version)
    path = saved(tmp_path / name, model.state_dict())
    with caplog.at_level(logging.WARNING, logger="autox_video"):
        load_pretrained(model, path, 5)
    text = f"{path}: torch {torch_version} reads a file that was made to do harm less safely than torch 2.10: be sure where it is from"
    assert [record.getMessage() for record in caplog.records] == [text] * warns
