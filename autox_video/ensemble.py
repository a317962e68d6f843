"""`autox-video ensemble`: one result of several runs. Nothing is trained; weights are fitted on validation videos."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from autox_video.dataset.annotations import read_rows
from autox_video.dataset.facts import Fingerprint
from autox_video.dataset.leaks import known_groups
from autox_video.deciding import find_hardware
from autox_video.errors import Problem, RequestError, RunError
from autox_video.plan.make_test_plan import make_test_plan
from autox_video.plan.schema import Plan
from autox_video.predictions import Prediction, Predictions
from autox_video.presets import load_preset
from autox_video.processes import own_place
from autox_video.records import read_record
from autox_video.render.config import render_config
from autox_video.report.fusion import OnVal, ensemble_results, look_at_val
from autox_video.report.html.writing import write_report
from autox_video.report.outcome import AnyResults, make_outcome
from autox_video.report.side_by_side import aligned, key_of, predictions_of
from autox_video.report.writers import find_results, read_results, write_results
from autox_video.settings.load import load_settings
from autox_video.stopping import stoppable
from autox_video.work_dir import WorkDir
from autox_video.writing import clear_leftovers

logger = logging.getLogger(__name__)
FIT, EQUAL = "fit", "equal"
WAY_OUT = "Test all of them on one list"
WAY_OUT_OF_VAL = (
    "Weights are fitted on videos that no member has learned: train all with one ann_file_val, or use --weights equal"
)


@dataclasses.dataclass(frozen=True)
class _Run:
    """One member: its name, its folder, and what it found in its test."""

    name: str
    work_dir: WorkDir
    tested: Predictions


@stoppable()
def ensemble(
    runs: Sequence[Path], weights: str | Sequence[float], output: Path, plugins: Sequence[str] = ()
) -> AnyResults:
    """Average the probabilities of several tested runs, and write the results as those of one model.

    Args:
        runs: For each its work dir, with `results.json` in it, or the JSON file of its results.
        weights: `fit` (on the validation videos, which each run scores), `equal`, or one number a run.
        output: Folder for `results.json` and for the scores of the validation videos, which are kept.
        plugins: Those that a run was trained with: they are never imported because of a checkpoint.

    Raises:
        RequestError: The runs do not go together: other classes, videos or labels.
    """
    if len(runs) < 2:
        raise RequestError(Problem("ensemble", "needs at least two runs", "Name their work dirs", str(len(runs))))
    found = [_read(path) for path in runs]
    if len({run.work_dir.root.resolve() for run in found}) < len(found):
        raise RequestError(Problem("ensemble", "names a run twice", "Name each once", ", ".join(map(str, runs))))
    tested = aligned({run.name: run.tested for run in found}, "test videos", WAY_OUT)
    clear_leftovers(output, output / "val_scores")
    val: OnVal | None = None
    if weights == FIT or found[0].tested.task == "multi_label":
        scores = {run.name: _scores_of_val(run, output, plugins) for run in found}
        val = look_at_val(list(aligned(scores, "validation videos", WAY_OUT_OF_VAL).values()))
    shares, chosen = _weights(weights, len(found), val)
    results = ensemble_results(tested, shares, chosen, val, _recordings(found))
    write_results(results, output / "results.json")
    write_report(WorkDir(output), results)
    return results


def _weights(weights: str | Sequence[float], count: int, val: OnVal | None) -> tuple[np.ndarray, str]:
    """One share a run, and how it was chosen."""
    if weights == FIT:
        assert val is not None, "has been scored"
        return val.weights, f"fitted on {len(val.runs[0].rows)} validation videos"
    if weights == EQUAL:
        return np.full(count, 1 / count), "equal"
    given = np.array([float(weight) for weight in weights])
    if len(given) != count or not np.isfinite(given).all() or (given < 0).any() or not given.any():
        wrong = f"must be {FIT}, {EQUAL}, or {count} numbers of at least 0, not all of them 0"
        got = ",".join(f"{weight:g}" for weight in given)
        raise RequestError(Problem("--weights", wrong, f"Write e.g. --weights {','.join(['1'] * count)}", got))
    return given / given.sum(), "given"


def _read(path: Path) -> _Run:
    file = find_results(path)
    results = read_results(file)
    if results.checkpoint is None:
        wrong = "are results of several models, not of one"
        raise RequestError(Problem(str(file), wrong, "Name runs that test one checkpoint, without test.folds"))
    root = path if path.is_dir() else Path(results.checkpoint.path).parent
    return _Run(str(path), WorkDir(root), predictions_of(results))


def _scores_of_val(run: _Run, output: Path, plugins: Sequence[str]) -> Predictions:
    """What a run's checkpoint gives for its validation videos; from an earlier ensemble where that is kept."""
    kept = run.work_dir.list_of_run("val")
    rows_file = kept if kept.is_file() else run.work_dir.annotations("val")
    if not rows_file.is_file():
        cure = "Name the work dir of a training, or use --weights equal"
        raise RequestError(Problem(run.name, "has no list of its validation videos", cure, str(rows_file)))
    tested = run.tested
    file = output / "val_scores" / f"{tested.checkpoint_sha256[:16]}_{tested.num_clips}x{tested.num_crops}.json"
    wanted = [(row.path, row.start_seconds, row.end_seconds) for row in read_rows(rows_file)]
    if file.is_file():
        try:
            known = predictions_of(read_results(file))
        except RunError:
            known = None  # not whole: it is written anew
        if known and known.checkpoint_sha256 == tested.checkpoint_sha256 and [*map(key_of, known.rows)] == wanted:
            logger.info("val      %s: scores kept in %s", run.name, file)
            return known
    write_results(make_outcome(_score(run, rows_file, output, plugins)), file)
    return predictions_of(read_results(file))


def _score(run: _Run, rows_file: Path, output: Path, plugins: Sequence[str]) -> Predictions:
    """Score the validation videos as the test videos were scored."""
    from autox_video.runner.checkpoints import read_checkpoint_record, sha256_of
    from autox_video.runner.test import test as run_test

    tested = run.tested
    files = (Path(tested.checkpoint), run.work_dir.best_checkpoint, run.work_dir.last_checkpoint)
    checkpoint = next((path for path in files if path.is_file() and sha256_of(path) == tested.checkpoint_sha256), None)
    if checkpoint is None:
        wrong = "the checkpoint that its results are of has been replaced or is gone"
        raise RequestError(Problem(run.name, wrong, "Test the run again", tested.checkpoint))
    record = read_checkpoint_record(checkpoint)
    assert record is not None, "it has been tested"
    plan = _plan(record.plan, run, rows_file, output, plugins)
    config = render_config(plan, load_preset(plan.model.value), output)
    logger.info("val      %s: scoring %d validation videos with %s", run.name, plan.num_videos["test"], checkpoint)
    return run_test(config, plan, WorkDir(output), checkpoint, read_rows(rows_file), ())


def _plan(trained: Plan, run: _Run, rows_file: Path, output: Path, plugins: Sequence[str]) -> Plan:
    """The plan of a test of the validation videos."""
    facts = read_record(run.work_dir.fingerprint, Fingerprint)
    split = dataclasses.replace(facts.splits["val"], ann_file=str(rows_file))
    views = {"num_clips": run.tested.num_clips, "num_crops": run.tested.num_crops}
    # Checked as those of a config.yaml are: a checkpoint may come from elsewhere.
    values = {"data_root": trained.data_root, "work_dir": str(output), "test": views}
    settings = load_settings(None, values={**values, "cfg_options": trained.cfg_options, "plugins": list(plugins)})
    from autox_video.runner.plugins import import_plugins

    import_plugins(settings.plugins)
    facts = dataclasses.replace(facts, data_root=trained.data_root, splits={"test": split}, bad_videos=())
    plan = make_test_plan(
        trained, settings, facts, load_preset(trained.model.value), find_hardware(settings, own_place())
    )
    return dataclasses.replace(plan, num_videos={"test": len(read_rows(rows_file))})


def _recordings(runs: Sequence[_Run]) -> Callable[[Prediction], str]:
    """Tells the recording of a test video, as the first run that knows any has grouped them."""
    known = known_groups(run.work_dir.groups for run in runs)

    def group_of(row: Prediction) -> str:
        return known.get(("test", row.path), f"alone: {row.path}")

    return group_of
