from __future__ import annotations

import dataclasses

import pytest
import samples
from mmengine.config import Config

from autox_video.errors import RequestError
from autox_video.plan.resume import continue_plan
from autox_video.plan.rules.own_code import refuse_unnamed_plugins
from autox_video.render.config import config_text, render_config

ASKED = {
    "loggers": ["tensorboard", "mlflow", "wandb", "clearml", "aim"],
    "plugins": ["some.module", "other"],
    "train": {"hooks": [{"type": "MyHook", "every": 3}]},
    "augment": {"transforms": [{"type": "MyNoise", "sigma": [1, 2]}]},
}


@pytest.mark.parametrize("stock", [False, True], ids=["ours", "stock"])
def test_what_the_user_brings_stands_in_the_config(stock, tmp_path):
    config = render_config(*samples.plan(**ASKED), samples.RUN, stock=stock)
    assert config.custom_imports.imports[-2:] == ["some.module", "other"]
    assert config.custom_imports.allow_failed_imports is False
    assert {"type": "MyHook", "every": 3} in config.custom_hooks
    kinds = {
        split: [step.type for step in config[f"{split}_dataloader"].dataset.pipeline] for split in ("train", "val")
    }
    assert kinds["train"][-3] == "MyNoise"
    assert "MyNoise" not in kinds["val"]
    assert config.visualizer.type == ("ActionVisualizer" if stock else "FiguresVisualizer")
    assert [backend.save_dir for backend in config.visualizer.vis_backends] == [
        str(samples.RUN / "loggers" / name) for name in ASKED["loggers"]
    ]
    text = config_text(config, stock=stock)
    assert "# The folders of the plugins it imports must be on PYTHONPATH then." in text
    (tmp_path / "config.py").write_text(text)
    assert Config.fromfile(tmp_path / "config.py", import_custom_modules=False).to_dict() == config.to_dict()


def test_a_test_has_no_hooks_and_loggers_of_the_training():
    plan, preset = samples.plan(**ASKED)
    plan = dataclasses.replace(plan, ann_files={"test": plan.ann_files["test"]})
    config = render_config(plan, preset, samples.RUN)
    assert "MyHook" not in str(config.get("custom_hooks"))
    assert config.visualizer.vis_backends == []
    assert "other" in config.custom_imports.imports  # the model may need it


def test_a_part_may_be_replaced_whole_in_whatever_order_it_is_written():
    backbone = {"model.backbone.channels": 3, "model.backbone.type": "Mine", "model.backbone._delete_": True}
    plan, preset = samples.plan(cfg_options=backbone)
    assert render_config(plan, preset, samples.RUN).model.backbone == {"channels": 3, "type": "Mine"}


def test_a_run_that_goes_on_may_change_hooks_and_loggers_but_not_transforms():
    first, _ = samples.plan(**ASKED)
    later, _ = samples.plan(plugins=ASKED["plugins"], augment=ASKED["augment"])
    merged = continue_plan(first, later)
    assert (merged.hooks.value, merged.loggers.value) == ((), ())
    other, _ = samples.plan(**{**ASKED, "augment": {"transforms": [{"type": "Other"}]}})
    with pytest.raises(RequestError, match="fit\\(\\): transforms: was "):
        continue_plan(first, other)


def test_the_settings_must_name_the_plugins_of_a_run():
    first, _ = samples.plan(**ASKED)
    refuse_unnamed_plugins(first, samples.settings(plugins=["other", "some.module", "third"]))
    with pytest.raises(RequestError) as caught:
        refuse_unnamed_plugins(first, samples.settings(plugins="third"))
    assert str(caught.value) == (
        "fit(): plugins: must name the plugins that this run was trained with: a checkpoint has no code imported (got third). "
        "Write plugins: [some.module, other], if you trust them."
    )
