"""The page of `autox-video watch` follows every file that it is made of."""

from __future__ import annotations

import builtins
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import samples
from test_report_alike import FEATURES, PREDICTIONS

from autox_video.features import write_features
from autox_video.records import write_record
from autox_video.report.html.live import Watcher
from autox_video.report.html.reading import files_of
from autox_video.report.outcome import make_outcome
from autox_video.report.writers import write_results
from autox_video.work_dir import WorkDir

METRICS = "epoch,train_loss\n1,0.5\n"
ENVIRONMENT = "Environment:\n    torch: {}\n"


def write_explanations(folder: Path, label: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "1.jpg").write_bytes(b"a picture")
    video = {"says": {"en": "", "zh": ""}, "label": label, "true_label": "run", "strip": "1.jpg", "file": "wrong.mp4"}
    (folder / "explanation.json").write_text(json.dumps({"videos": [video]}))


def writers(run: WorkDir) -> dict[str, Callable[[], object]]:
    """What may come into a work dir while its page is looked at, in this order, and change it."""
    fold = run.fold(1)
    return {
        "plan": lambda: write_record(run.plan, samples.plan()[0]),
        "training": lambda: run.train_log.write_text(ENVIRONMENT.format(1)),
        "epoch": lambda: run.metrics.write_text(METRICS),
        "results": lambda: write_results(make_outcome(PREDICTIONS), run.root / "results.json"),
        "test": lambda: run.test_log.write_text(ENVIRONMENT.format(2)),
        "features": lambda: write_features(FEATURES, run.features),
        "explanations": lambda: write_explanations(run.explanations, "jump"),
        "others": lambda: write_explanations(run.explanations, "another label"),
        "plan of a fold": lambda: write_record(fold.plan, samples.plan(epoch=77)[0]),
        "fold": lambda: fold.metrics.write_text(METRICS),
    }


def test_each_new_file_that_a_section_reads_is_noticed(tmp_path: Path) -> None:
    run = WorkDir(tmp_path)
    watcher = Watcher(run, run.root / "results.json")
    missed = []
    for name, write in writers(run).items():
        version = json.loads(watcher.sections("") or b"{}")["version"]
        write()
        if watcher.sections(version) is None:
            missed.append(name)
    assert missed == []
    # What training writes all the time makes no page.
    seen = watcher._seen
    run.last_checkpoint.write_bytes(b"weights")
    (run.root / ".half.autox.tmp").write_bytes(b"")
    run.train_log.write_text(ENVIRONMENT.format(1) + "a line more\n")
    assert watcher._state_of_files() == seen


def test_no_file_is_opened_for_a_page_that_is_not_watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A section with a record of its own somewhere else fails here: see `files_of`."""
    run = WorkDir(tmp_path)
    for write in writers(run).values():
        write()
    run.groups.parent.mkdir()
    for path in (run.groups, run.annotations("test")):
        path.write_text("")
    opened: set[Path] = set()

    def listening(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(file: Any, *rest: Any, **more: Any) -> Any:
            if isinstance(file, (str, Path)):
                opened.add(Path(file))
            return real(file, *rest, **more)

        return call

    for owner, name in ((builtins, "open"), (io, "open"), (Path, "open")):
        monkeypatch.setattr(owner, name, listening(getattr(owner, name)))
    Watcher(run, run.root / "results.json").page()
    inside = {path for path in opened if tmp_path in path.parents and path.is_file()}
    assert inside >= {run.features, run.explanations / "1.jpg", run.fold(1).metrics, run.root / "results.json"}
    assert inside <= {*files_of(run), run.root / "results.json"}
