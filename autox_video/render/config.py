"""The plan as one MMEngine config, and that config as a file one can run without us."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from mmengine.config import Config

from autox_video.errors import Problem, RequestError
from autox_video.plan.schema import Plan
from autox_video.presets import Preset, shared_folder
from autox_video.render.augmentation import blending
from autox_video.render.dataloaders import dataloaders
from autox_video.render.model import fit_to_clip
from autox_video.render.pipelines import centre_view
from autox_video.render.schedule import averaging, course, early_stopping, optim_wrapper, train_loop
from autox_video.render.stock_refusals import refuse_what_mmaction2_lacks
from autox_video.render.stock_transfer import stock_freezing
from autox_video.render.visualizer import visualizer
from autox_video.tasks import load_task

HEADER = """# Rendered by autox_video from plan.json: edit config.yaml, not this file.
# It runs as it is under MMAction2's own tools/train.py{needs}.
"""
COMPONENTS = "autox_video.runner.components"
PLUGINS = "# The folders of the plugins it imports must be on PYTHONPATH then.\n"
# Backbones of MMAction2 and ours with the same parameters (`runner/models`).
FASTER_BACKBONES = {"SwinTransformer3D": "FastSwinTransformer3D"}
# The 1.2.0 wheel lacks a sub-package that `mmaction.models` imports (open-mmlab/mmaction2#2714). A stock
# config may not import this package, so it brings the empty stand-in itself.
STOCK_PREAMBLE = """
# A temporal localizer that the released wheel of MMAction2 1.2.0 forgot; recognition never builds it. (`__import__`,
# because MMEngine takes a config with an import statement for one in its other, lazy style.)
for _name in ('mmaction.models.localizers.drn', 'mmaction.models.localizers.drn.drn'):
    vars(__import__('sys').modules.setdefault(_name, __import__('types').ModuleType(_name))).setdefault('DRN', None)
del _name

"""


def render_config(plan: Plan, preset: Preset, work_dir: Path, *, stock: bool = False) -> Config:
    """Put a plan into MMEngine's words.

    Args:
        plan: Every value of the run.
        preset: The model of the plan.
        work_dir: Where the run writes.
        stock: Leave out this package's own modules.

    Returns:
        A config with the parts `train_*`, `val_*` and `test_*` for the splits the plan has.

    Raises:
        RequestError: An entry of `cfg_options` does not fit the config, or MMAction2 alone cannot do what is planned.
    """
    if stock:
        refuse_what_mmaction2_lacks(plan)
    base = "runtime_stock.py" if stock else "runtime.py"
    config = Config.fromfile(shared_folder("configs") / "_base_" / base, import_custom_modules=False).to_dict()
    if plan.plugins.value:
        imports = config.get("custom_imports", {"imports": [], "allow_failed_imports": False})
        config["custom_imports"] = {**imports, "imports": [*imports["imports"], *plan.plugins.value]}
    config |= {
        "work_dir": str(work_dir),
        "randomness": {"seed": plan.seed.value, "deterministic": plan.deterministic.value},
        "model": _model(plan, preset, stock),
        **dataloaders(plan, stock=stock),
        **_loops(plan, stock),
    }
    if not stock:
        group = config["env_cfg"]["dist_cfg"]
        # The watchdog, which can say what the run waits for, is to be first.
        group["timeout"] = round(2 * 60 * plan.stall_minutes.value)
        if plan.device.value == "cpu":
            group["backend"] = "gloo"
    if "train" in plan.ann_files:
        wrapper = optim_wrapper(plan, config["model"], stock=stock)
        config |= {"optim_wrapper": wrapper, "param_scheduler": course(plan, stock=stock)}
        if not stock:
            hook = {"type": "LastAndBestCheckpointHook", "best_metric": plan.best_metric.value}
            config["default_hooks"]["checkpoint"] = hook
            saving = {"type": "PreemptionHook", "save_every_seconds": plan.save_every_seconds.value}
            config["custom_hooks"] = [*config["custom_hooks"], saving]
            # A clip that is mixed of two has no label of its own.
            if plan.task == "single_label" and not blending(plan):
                config["custom_hooks"] = [{"type": "MarginsHook"}, *config["custom_hooks"]]
        if plan.loggers.value:
            config["visualizer"] = visualizer(plan, work_dir, stock=stock)
        if plan.hooks.value:
            config["custom_hooks"] = [*config.get("custom_hooks", []), *copy.deepcopy(plan.hooks.value)]
        if plan.load_from.value != "none":
            _start_from(config, plan, stock)
        if not stock and plan.compile.value == "on":
            # What the backbone is given of a video: a clip, or each frame of it.
            given = plan.clip_len.value if plan.input_format.value == "NCHW" else 1
            compiling = {"type": "CompileHook", "batch": plan.videos_per_gpu.value * given}
            config["custom_hooks"] = [*config["custom_hooks"], compiling]
        if not stock and plan.strategy.value == "fsdp":
            sharding = {"type": "ShardingHook", "device": plan.device.value}
            config["custom_hooks"] = [*config["custom_hooks"], sharding]
        if plan.patience.value is not None:
            config["custom_hooks"] = [*config.get("custom_hooks", []), early_stopping(plan, stock=stock)]
        if hooks := averaging(plan, stock=stock):
            config["custom_hooks"] = [*config.get("custom_hooks", []), *hooks]
    elif not stock:
        # It would leave a folder of its own for the one row of figures that the results file has.
        config["default_hooks"]["logger"] = None
    rendered = Config(config)
    _merge_options(rendered, plan.cfg_options)
    return rendered


def config_text(config: Config, *, stock: bool = False) -> str:
    """The file `config_rendered.py`: reloads to an equal config."""
    head = HEADER.format(needs="" if stock else ", with autox_video installed beside it")
    if set(config.get("custom_imports", {}).get("imports", ())) - {COMPONENTS}:
        head += PLUGINS
    return head + (STOCK_PREAMBLE if stock else "\n") + config.pretty_text


def _model(plan: Plan, preset: Preset, stock: bool) -> dict[str, Any]:
    model = copy.deepcopy(preset.model)
    if not stock:
        kind = model["backbone"]["type"]
        model["backbone"]["type"] = FASTER_BACKBONES.get(kind, kind)
    fit_to_clip(model, plan.clip_len.value)
    task = load_task(plan.task)
    if mixing := blending(plan):
        model["data_preprocessor"]["blending"] = mixing
    if not stock:
        model["data_preprocessor"]["type"] = "ClipBatchPreprocessor"
    model["cls_head"] |= task.head_settings(plan.num_classes.value, plan.class_weights.value)
    if plan.label_smoothing.value or "label_smooth_eps" in model["cls_head"]:
        model["cls_head"]["label_smooth_eps"] = plan.label_smoothing.value
    if "train" in plan.ann_files and (plan.freeze.value != "none" or plan.norm_eval.value):
        _freeze(model, plan, stock)
    return model


def _freeze(model: dict[str, Any], plan: Plan, stock: bool) -> None:
    """Keep weights and statistics that are not to change; in a test nothing changes anyway."""
    backbone = model["backbone"]
    if stock:
        backbone |= stock_freezing(plan, backbone)
    else:
        kept = {"freeze": plan.freeze.value, "keep_statistics": plan.norm_eval.value}
        model["backbone"] = {**backbone, "type": "PartlyFrozen", "backbone_type": backbone["type"], **kept}


def _loops(plan: Plan, stock: bool) -> dict[str, Any]:
    task = load_task(plan.task)
    score = task.stock_evaluator(plan.num_classes.value) if stock else {"type": "ScoreMetric", "task": plan.task}
    loops: dict[str, Any] = {}
    num_views = plan.test_num_clips.value * plan.test_num_crops.value
    if "train" in plan.ann_files:
        loops["train_cfg"] = train_loop(plan, stock=stock)
    for split, loop in (("val", "ValLoop"), ("test", "TestLoop")):
        if split in plan.ann_files:
            how: dict[str, Any] = {"threads": plan.scoring_threads.value, "amp": plan.scoring_amp.value}
            if split == "test" and num_views > 1:
                how |= {"num_views": num_views, "single_view": centre_view(plan)}
            if split == "test" and plan.motion_probe.value:
                shape = (plan.test_num_clips.value, plan.clip_len.value, plan.input_format.value)
                how["orders"] = dict(zip(("num_clips", "clip_len", "input_format"), shape, strict=True))
            how = {} if stock else how
            kind = loop if stock else f"Scoring{loop}"
            loops |= {f"{split}_cfg": {"type": kind, **how}, f"{split}_evaluator": score}
    return loops


def _start_from(config: dict[str, Any], plan: Plan, stock: bool) -> None:
    if stock:
        config["load_from"] = plan.load_from.value
        return
    hook = {"type": "PretrainedWeightsHook", "load_from": plan.load_from.value, "num_classes": plan.num_classes.value}
    config["custom_hooks"] = [hook, *config["custom_hooks"]]


def _merge_options(config: Config, options: dict[str, Any]) -> None:
    problems = []
    # What `_delete_` clears makes room for the others of its mapping.
    for key, value in sorted(options.items(), key=lambda option: not option[0].endswith("._delete_")):
        try:
            config.merge_from_dict({key: value})
        except (KeyError, IndexError, TypeError, AssertionError, ValueError) as error:
            wrong = f"cannot be merged into the rendered config: {error}"
            cure = "Run `autox-video render` to see the config it is merged into"
            problems.append(Problem(f"cfg_options.{key}", wrong, cure, repr(value)))
    if problems:
        raise RequestError(problems)
