"""Each preset built, fine-tuned one step and tested, its figures beside the published ones: docs/models.md.

    python benchmarks/model_table.py             # what has no row yet, or whose file has changed since; then the page
    python benchmarks/model_table.py x3d_s ...   # these, in any case
    python benchmarks/model_table.py --page      # only the page, of what was measured
    python benchmarks/model_table.py --write     # and the rate of each on a core into its card

A model has a process of its own, and each row is kept as soon as it is there. Steps take one clip of the card's size,
or of fewer frames where that would take more than `--memory-gib`. Times are those that the processor computed, with one
thread: other programs change them little. Multiply-adds are counted by PyTorch's FlopCounterMode, convolutions and
products of matrices alone, attention among them, as papers do and MMAction2's `tools/analysis_tools/get_flops.py` does.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import importlib.util
import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from measuring import RESULTS, ROOT, machine, markdown, read_result

from autox_video.presets import Preset, load_preset, preset_names, shared_folder

PAGE, RESULT = ROOT / "docs" / "models.md", "models"
PARTS = ("choice", "table")
# Where the index of MMAction2 has none for the weights: parameters, and whose figure it is.
PUBLISHED_PARAMETERS = {
    "tsm_mobilenetv2": (3504872 - 1281000 + 512400, "torchvision's mobilenet_v2 of 1000 classes, with a head of 400"),
}
# Of a shorter step much is spent in between, which a batch of more clips would not.
LEAST_SECONDS = 0.5


def row_of(preset: Preset, memory_gib: float) -> dict[str, Any]:
    """Build, train one step and test one clip in this process; measure what the card says."""
    import measure_activation
    import torch

    from autox_video.plan.rules.batch import training_memory_gib

    torch.set_num_threads(1)
    card = preset.card
    size = measure_activation.measure(preset)
    clip_len = card.clip_len
    while not card.fixed_clip_len and clip_len // 2 % card.clip_len_multiple == 0 and clip_len > 1:
        if training_memory_gib(card, clip_len, card.input_size, 1) <= memory_gib:
            break
        clip_len //= 2
    steps = _steps(preset, clip_len)
    return {
        "file": _digest(preset.name),
        "clip": [clip_len, card.input_size],
        **steps,
        "parameters": size.num_parameters,
        "published_parameters": _published_parameters(preset),
        "flops": size.flops,
        "published_flops": None if card.flops_source == "measured" else card.flops,
        "flops_source": card.flops_source,
        "core_rate": 3 * size.flops * clip_len / card.clip_len / steps["train_seconds"],
    }


def _steps(preset: Preset, clip_len: int) -> dict[str, float]:
    """Seconds of a training step and of a test of one clip, of the model and optimizer that the config has."""
    import torch
    from mmengine.optim import build_optim_wrapper
    from mmengine.registry import DefaultScope

    from autox_video.runner import components  # noqa: F401  (registers our parts and applies the upstream fixes)
    from autox_video.runner.trial import made_up_batch

    config, plan = _rendered(preset, clip_len)
    with DefaultScope.overwrite_default_scope("mmaction"):
        from mmaction.registry import MODELS

        torch.manual_seed(0)
        model = MODELS.build(copy.deepcopy(config.model))
        wrapper = build_optim_wrapper(model, copy.deepcopy(config.optim_wrapper))
        batch = made_up_batch(config, plan, 1)

        def train() -> None:
            loss = model.train_step(copy.copy(batch), wrapper)["loss"]
            assert torch.isfinite(loss), f"{preset.name}: the loss is {loss}"

        def test() -> None:
            with torch.no_grad():
                (sample,) = model.test_step(copy.copy(batch))
            assert torch.isfinite(sample.pred_score).all(), f"{preset.name}: scores are {sample.pred_score}"

        model.train()
        train_seconds = min(_seconds(train) for _ in range(2))
        model.eval()
        return {"train_seconds": train_seconds, "test_seconds": min(_seconds(test) for _ in range(2))}


def _rendered(preset: Preset, clip_len: int) -> tuple[Any, Any]:
    sys.path.insert(0, str(ROOT / "tests"))
    import samples

    from autox_video.plan.make_plan import make_plan
    from autox_video.render.config import render_config

    asked = samples.settings(
        model={"name": preset.name, "load_from": "none"},
        clip={"clip_len": clip_len, "input_size": preset.card.input_size},
        videos_per_gpu=1,
        train={"amp": "off"},
        runtime={"device": "cpu", "workers": 0},
    )
    plan = make_plan(asked, samples.fingerprint(seconds=10.0), preset, samples.CPU)
    return render_config(plan, preset, samples.RUN), plan


def _seconds(work: Any) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def _published_parameters(preset: Preset) -> list[Any] | None:
    """With the source: the index of MMAction2 for the weights of the card, else a paper."""
    import yaml

    if preset.name in PUBLISHED_PARAMETERS:
        return list(PUBLISHED_PARAMETERS[preset.name])
    folder = Path(str(importlib.util.find_spec("mmaction").origin)).parent / ".mim" / "configs" / "recognition"  # type: ignore[union-attr]
    urls = {weights.url for weights in preset.card.weights.values()}
    for file in sorted(folder.glob("*/metafile.yml")):
        for model in yaml.safe_load(file.read_text(encoding="utf-8")).get("Models", []):
            figure = model.get("Metadata", {}).get("Parameters")
            if model.get("Weights") in urls and figure:
                scale = 1e6 if str(figure).endswith("M") else 1
                return [scale * float(str(figure).rstrip("M")), "MMAction2 model index"]
    return None


def _digest(name: str) -> str:
    """Of the file of a preset, without what this script writes into it."""
    text = (shared_folder("configs") / "models" / f"{name}.py").read_text(encoding="utf-8")
    return hashlib.sha256(re.sub(r"    core_rate=.*\n", "", text).encode()).hexdigest()[:16]


def write_rate(name: str, rate: float) -> None:
    """Put the rate on a core into the card of a preset, to two digits."""
    path = shared_folder("configs") / "models" / f"{name}.py"
    text = re.sub(r"    core_rate=.*\n", "", path.read_text(encoding="utf-8"))
    line = f"    core_rate={float(f'{rate / 1e9:.2g}'):g}e9,\n"
    path.write_text(text.replace("\n)\nmodel", f"\n{line})\nmodel", 1), encoding="utf-8")


def page(text: str, record: dict[str, Any]) -> str:
    """The page with its parts written anew."""
    for part, lines in zip(PARTS, (choice(), table(record)), strict=True):
        begin, end = f"<!-- {part}: benchmarks/model_table.py -->", f"<!-- end of {part} -->"
        before, _, rest = text.partition(begin)
        text = f"{before}{begin}\n\n{lines}\n\n{end}{rest.partition(end)[2]}"
    return text


def choice() -> str:
    """What `model: auto` considers at each level, as the cards say."""
    rows = []
    for preset in sorted(map(load_preset, preset_names()), key=lambda one: one.card.flops):
        levels = [
            " and ".join(
                [
                    *(["CPU"] if level in preset.card.cpu_levels else []),
                    *([_from_gib(preset.card.gpu_levels[level])] if level in preset.card.gpu_levels else []),
                ]
            )
            for level in ("fast", "balanced", "best")
        ]
        if any(levels):
            top1 = preset.card.weights[preset.card.default_weights].top1 if preset.card.default_weights else None
            rows.append(
                [
                    f"`{preset.name}`",
                    *(level or "-" for level in levels),
                    f"{top1:.3f}" if top1 else "-",
                    f"{preset.card.flops / 1e9:.3g}",
                ]
            )
    return markdown(("model", "`fast`", "`balanced`", "`best`", "published top-1", "GFLOPs a view"), rows)


def _from_gib(gib: float) -> str:
    return f"GPU from {gib:g} GiB" if gib else "any GPU"


def table(record: dict[str, Any]) -> str:
    """A row for each model that was measured."""
    heads = (
        *("model", "clip", "training step", "test of a clip", "parameters", "published", "differs"),
        *("GFLOPs", "published", "differs"),
    )
    rows = []
    for name, row in sorted(record["rows"].items(), key=lambda item: item[1]["flops"]):
        published, parameters = row["published_parameters"], row["parameters"]
        giga = row["flops"] / 1e9
        known = row["published_flops"]
        rows.append(
            [
                f"`{name}`",
                "x".join(map(str, row["clip"])),
                f"{row['train_seconds']:.2g} s",
                f"{row['test_seconds']:.2g} s",
                f"{parameters / 1e6:.4g} M",
                *(
                    [f"{published[0] / 1e6:.4g} M", _percent(row["parameters"], published[0])]
                    if published
                    else ["-", "-"]
                ),
                f"{giga:.4g}",
                *([f"{known / 1e9:.4g}", _percent(giga, known / 1e9)] if known else ["-", "-"]),
            ]
        )
    versions = ", ".join(f"{name} {found.partition('+')[0]}" for name, found in record["versions"].items())
    note = f"{record['date']}, one core of {record['cpu'] or 'an x86-64 server'}, {versions}."
    return f"{markdown(heads, rows)}\n\n{note}"


def _percent(measured: float, published: float) -> str:
    return f"{100 * (measured / published - 1):+.1f} %"


def measure_all(names: list[str], record: dict[str, Any], memory_gib: float) -> list[str]:
    """Measure each model in a process of its own and keep its row; returns the names of those that failed."""
    failed = []
    for name in names:
        command = [sys.executable, __file__, "--one", name, "--memory-gib", str(memory_gib)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            failed.append(name)
            print(f"{name}: {(done.stderr.strip().splitlines() or ['ended'])[-1]}", flush=True)
            continue
        row = json.loads(done.stdout.splitlines()[-1])
        record["rows"][name] = row
        figures = {**record, **machine()}
        (RESULTS / f"{RESULT}.json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
        print(f"{name}: a step {row['train_seconds']:.2g} s, {row['core_rate'] / 1e9:.3g} G a second", flush=True)
    return failed


def main() -> None:
    """Measure, keep and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="presets (those without a row, or with another file than then)")
    parser.add_argument("--page", action="store_true", help="measure nothing")
    parser.add_argument("--write", action="store_true", help="write the rate on a core into the cards")
    parser.add_argument("--memory-gib", type=float, default=6.0, help="what a training step may take")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(row_of(load_preset(options.names[0]), options.memory_gib)))
        return
    record = read_result(RESULT) or {"rows": {}}
    record["rows"] = {name: row for name, row in record["rows"].items() if name in preset_names()}
    missing = [name for name in preset_names() if record["rows"].get(name, {}).get("file") != _digest(name)]
    failed = [] if options.page else measure_all(options.names or missing, record, options.memory_gib)
    for name, row in record["rows"].items() if options.write else ():
        if row["train_seconds"] >= LEAST_SECONDS:
            write_rate(name, row["core_rate"])
    if record := read_result(RESULT) or {}:
        PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), record), encoding="utf-8")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
