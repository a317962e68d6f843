"""TensorBoard, MLflow, W&B, ClearML and Aim, by MMEngine's backends: each gets the rows of `metrics.csv` and the plan.

MMEngine's own visualizer and logger hook would write the loss by iterations and by epochs under one name. Given the
config, or closed, its backends upload the code in the current folder (W&B), every log (MLflow) or the checkpoints
(ClearML) of the work dir. Here they begin a run and take figures, nothing else.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from mmengine.dist import is_main_process
from mmengine.registry import VISBACKENDS, VISUALIZERS
from mmengine.visualization import vis_backend  # noqa: F401  (registers the backends)

from autox_video.writing import write_text

logger = logging.getLogger(__name__)
PROJECT = "autox_video"
# Of a run that goes on: how each is told which of its runs that is.
_GOES_ON: dict[str, Callable[[dict[str, Any], str], None]] = {
    "MLflowVisBackend": lambda options, run: os.environ.__setitem__("MLFLOW_RUN_ID", run),
    "WandbVisBackend": lambda options, run: options["init_kwargs"].update(id=run, resume="allow"),
    "ClearMLVisBackend": lambda options, run: options["init_kwargs"].update(continue_last_task=run),
    "AimVisBackend": lambda options, run: options["init_kwargs"].update(run_hash=run),
}
_RUN: dict[str, Callable[[Any], str]] = {
    "MLflowVisBackend": lambda backend: backend.experiment.active_run().info.run_id,
    "WandbVisBackend": lambda backend: backend.experiment.run.id,
    "ClearMLVisBackend": lambda backend: _task(backend).id,
    "AimVisBackend": lambda backend: backend.experiment.hash,
}
_TAKES_PLAN: dict[str, Callable[[Any, dict[str, str]], object]] = {
    "TensorboardVisBackend": lambda backend, plan: backend.experiment.add_text("plan", _table(plan)),
    "MLflowVisBackend": lambda backend, plan: backend.experiment.log_params(plan),
    "WandbVisBackend": lambda backend, plan: backend.experiment.config.update(plan, allow_val_change=True),
    "ClearMLVisBackend": lambda backend, plan: _task(backend).connect(plan, name="plan"),
    "AimVisBackend": lambda backend, plan: backend.experiment.__setitem__("hparams", plan),
}
_AFTER_A_ROW: dict[str, Callable[[Any], object]] = {
    # A run that is killed keeps its curve.
    "TensorboardVisBackend": lambda backend: backend.experiment.flush(),
}
_END: dict[str, Callable[[Any], object]] = {
    "TensorboardVisBackend": lambda backend: backend.close(),
    "MLflowVisBackend": lambda backend: backend.experiment.end_run(),
    "WandbVisBackend": lambda backend: backend.experiment.finish(),
    "ClearMLVisBackend": lambda backend: _task(backend).close(),
    "AimVisBackend": lambda backend: backend.experiment.close(),
}


@VISUALIZERS.register_module()
class FiguresVisualizer:
    """Passes the figures of each epoch on; only in the first process, and begun with the first of them.

    A logger that fails, for want of a network perhaps, is left out with a warning: the training goes on.

    Args:
        vis_backends: MMEngine's backends, as they stand in a config, each with its `save_dir`.
        **rest: What MMEngine gives every visualizer.
    """

    dataset_meta: Any = None

    def __init__(self, vis_backends: Sequence[Mapping[str, Any]], **rest: Any) -> None:
        self._waiting = [dict(backend) for backend in vis_backends] if is_main_process() else []
        self._begun: list[tuple[str, Any]] = []

    def add_row(self, row: Mapping[str, Any], plan: Mapping[str, Any]) -> None:
        """Take a row of `metrics.csv`.

        Args:
            row: Figures by their column.
            plan: The values of the run, for the beginning.
        """
        while self._waiting:
            options = self._waiting.pop(0)
            name = options["type"]
            with _left_out_if_it_fails(name):
                self._begun.append((name, _begin(options, {key: str(value)[:250] for key, value in plan.items()})))
        figures = {_heading(column): float(value) for column, value in row.items() if column not in ("epoch", "iter")}
        for name, backend in list(self._begun):
            with _left_out_if_it_fails(name, partial(self._begun.remove, (name, backend))):
                # W&B takes no step from MMEngine's backend: its curves are drawn over this.
                own = {**figures, "epoch": row["epoch"]} if name == "WandbVisBackend" else figures
                backend.add_scalars(own, step=row["epoch"])
                _AFTER_A_ROW.get(name, lambda backend: None)(backend)

    def close(self) -> None:
        """End what has been begun."""
        while self._begun:
            name, backend = self._begun.pop()
            with _left_out_if_it_fails(name):
                _END.get(name, lambda backend: backend.close())(backend)

    def __getattr__(self, name: str) -> Callable[..., None]:
        """What MMEngine's hooks would draw or write besides is left out."""
        if not name.startswith(("add_", "draw_", "set_", "show")):
            raise AttributeError(name)
        return lambda *args, **kwargs: None


def _begin(options: dict[str, Any], plan: dict[str, str]) -> Any:
    """Build a backend; one of a run that goes on continues what it wrote before."""
    name, folder = options["type"], Path(options["save_dir"])
    _from_environment(name, options)
    known = folder / "run_id.txt"
    goes_on = known.is_file()
    before = os.environ.get("MLFLOW_RUN_ID")
    if goes_on and name in _GOES_ON:
        _GOES_ON[name](options, known.read_text(encoding="utf-8").strip())
    backend = VISBACKENDS.build(options)
    write_text(known, f"{_RUN.get(name, lambda backend: name)(backend)}\n")
    if before is None:
        os.environ.pop("MLFLOW_RUN_ID", None)  # the next fold is a run of its own
    if not goes_on and name in _TAKES_PLAN:
        _TAKES_PLAN[name](backend, plan)
    return backend


def _from_environment(name: str, options: dict[str, Any]) -> None:
    """What these libraries are told by environment variables goes before what the config says."""
    if name == "MLflowVisBackend":
        options["tracking_uri"] = os.environ.get("MLFLOW_TRACKING_URI") or options.get("tracking_uri")
        options["exp_name"] = os.environ.get("MLFLOW_EXPERIMENT_NAME") or options.get("exp_name")
        if os.environ.get("MLFLOW_TRACKING_URI"):
            options.pop("artifact_location", None)
    if name == "WandbVisBackend":
        for variable, value in (("WANDB_PROJECT", PROJECT), ("WANDB_SILENT", "true"), ("WANDB_CONSOLE", "off")):
            os.environ.setdefault(variable, value)
        import wandb

        if "WANDB_MODE" not in os.environ and not wandb.login(prompt=False):
            options["init_kwargs"] = {**options.get("init_kwargs", {}), "mode": "offline"}
            logger.info(
                "note     wandb is not logged in: figures are kept in %s; `wandb sync` uploads them",
                options["save_dir"],
            )


def _task(backend: Any) -> Any:
    """The run of ClearML, which the backend begins when it is asked for the library."""
    return backend.experiment.Task.current_task()


def _heading(column: str) -> str:
    """`val_top1` as `val/top1`, as these tools group figures."""
    split, _, figure = column.partition("_")
    if split in ("train", "val", "test") and figure:
        return f"{split}/{figure}"
    return f"train/{column}" if column == "learning_rate" else f"speed/{column}"


def _table(plan: Mapping[str, str]) -> str:
    rows = "\n".join(f"| {name} | {value.replace('|', '/')} |" for name, value in plan.items())
    return f"| | |\n|---|---|\n{rows}"


@contextmanager
def _left_out_if_it_fails(name: str, leave_out: Callable[[], object] = lambda: None) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # whatever a library and its network may raise
        leave_out()
        word = name.removesuffix("VisBackend").lower()
        logger.warning("warning  %s gets no figures any more: %s; metrics.csv has them", word, _first_line(error))


def _first_line(error: Exception) -> str:
    text = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {text[:200]}" if text else type(error).__name__
