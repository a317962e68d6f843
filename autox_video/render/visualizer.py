"""The key `loggers` in MMEngine's words: backends, each with a folder in the work dir."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from autox_video.plan.schema import Plan

PROJECT = "autox_video"
BACKENDS = {
    "tensorboard": "TensorboardVisBackend",
    "mlflow": "MLflowVisBackend",
    "wandb": "WandbVisBackend",
    "clearml": "ClearMLVisBackend",
    "aim": "AimVisBackend",
}


def visualizer(plan: Plan, work_dir: Path, *, stock: bool) -> dict[str, Any]:
    """The visualizer of a training with loggers.

    Args:
        plan: Every value of the run.
        work_dir: Where the run writes.
        stock: With MMAction2's own, which writes what MMEngine's hooks give it.
    """
    backends = [_backend(name, work_dir) for name in plan.loggers.value]
    return {"type": "ActionVisualizer" if stock else "FiguresVisualizer", "vis_backends": backends}


def _backend(name: str, work_dir: Path) -> dict[str, Any]:
    folder = work_dir.absolute() / "loggers" / name
    options: dict[str, Any] = {"type": BACKENDS[name], "save_dir": str(folder)}
    if name == "mlflow":
        # Its store of files is no longer written by MLflow from 3.7 on.
        options |= {"exp_name": PROJECT, "run_name": work_dir.name, "tracking_uri": f"sqlite:///{folder / 'mlflow.db'}"}
        options["artifact_location"] = (folder / "artifacts").as_uri()
    if name == "wandb":
        options["init_kwargs"] = {"name": work_dir.name}
    if name == "clearml":
        # Neither the checkpoints nor what the console shows is its business.
        off = dict.fromkeys(("auto_connect_frameworks", "auto_connect_arg_parser", "auto_connect_streams"), False)
        options["init_kwargs"] = {"project_name": PROJECT, "task_name": work_dir.name, **off}
    if name == "aim":
        options["init_kwargs"] = {"repo": str(folder), "experiment": work_dir.name}
    return options
