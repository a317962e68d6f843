"""`autox-video audit-labels`: the labels of a run that look wrong, for a person to judge."""

from __future__ import annotations

import logging

import numpy as np

from autox_video.dataset.label_table import is_edited, label_table
from autox_video.dataset.leaks import read_groups
from autox_video.dataset.messages import setting_place
from autox_video.errors import Problem, RequestError
from autox_video.features import Features
from autox_video.records import write_record
from autox_video.report.label_audit import (
    LOOKS_WRONG,
    VERSION,
    LabelAudit,
    digest_of_rows,
    find_suspects,
    unjudged_classes,
)
from autox_video.report.label_audit_page import audit_page
from autox_video.settings.schema import Settings
from autox_video.stopping import stoppable
from autox_video.using.embed import features_of_run, rows_of_run
from autox_video.work_dir import WorkDir
from autox_video.writing import write_text

logger = logging.getLogger(__name__)
AUDITED = ("train", "val")
TABLE, RECORD, PAGE = "suspicious.csv", "audit.json", "label_audit.html"


@stoppable()
def audit_labels(settings: Settings, share: float = 0.1, workers: int | None = None) -> LabelAudit:
    """Find the labels of a run's training and validation videos that look wrong.

    Writes into `label_audit`: `suspicious.csv`, for a person to edit, a page with the videos, and `audit.json`; and the
    features of the run's videos where they are not there yet.

    Args:
        settings: Of a trained run.
        share: How many of the labels are listed, in (0, 1].
        workers: Processes that decode; None for what the machine has.

    Raises:
        RequestError: There is no trained run, its videos have several labels, or an edited table would be overwritten.
    """
    from autox_video.runner.predictor import open_predictor

    work_dir = WorkDir(settings.work_dir)
    _refuse(settings, work_dir)
    predictor = open_predictor(work_dir.root, settings.runtime.device, None, settings.plugins)
    plan = predictor.trained.plan
    if plan.task != "single_label":
        wrong = "has several labels a video, and an audit compares one label with the others"
        raise RequestError(Problem(str(work_dir.root), wrong, "Audit a run with one label a video", plan.task))
    features = features_of_run(work_dir, predictor, workers).of(*AUDITED)
    logger.info("features %s", work_dir.features)
    groups = read_groups(work_dir.groups) if work_dir.groups.is_file() else {}
    suspects, alike, found = find_suspects(features, groups, share, _margins(work_dir, features))
    audit = LabelAudit(
        version=VERSION,
        model=plan.model.value,
        checkpoint_sha256=predictor.trained.sha256,
        data_root=plan.data_root,
        classes=plan.classes,
        lists={
            split: digest_of_rows((row for _, row in rows_of_run(work_dir, (split,))[0]), plan.classes)
            for split in AUDITED
        },
        num_videos=int((~np.isnan(found.score)).sum()),
        not_judged=unjudged_classes(features, found),
        num_look_wrong=int((found.score >= LOOKS_WRONG).sum()),
        suspects=tuple(suspects),
        alike=tuple(alike),
    )
    write_record(work_dir.label_audit / RECORD, audit)
    write_text(work_dir.label_audit / PAGE, audit_page(audit, work_dir))
    write_text(work_dir.label_audit / TABLE, label_table(suspects))
    return audit


def _margins(work_dir: WorkDir, features: Features) -> np.ndarray | None:
    """What the training noted of each label, in the order of the features; NaN of the validation videos."""
    from autox_video.runner.hooks.margins import read_margins

    listed = rows_of_run(work_dir, ("train",))[0]
    noted = read_margins(work_dir.last_checkpoint) if work_dir.last_checkpoint.is_file() else None
    if noted is None or len(noted) != len(listed):
        logger.info("note     the training kept no margins of its labels: they are judged by the features alone")
        return None
    keys = [(row.path, row.start_seconds, row.end_seconds) for _, row in listed]
    known = dict(zip(keys, noted.tolist(), strict=True))
    return np.array(
        [
            known.get(features.key(place), np.nan) if features.splits[place] == "train" else np.nan
            for place in range(len(features))
        ]
    )


def _refuse(settings: Settings, work_dir: WorkDir) -> None:
    """Refuse what cannot be audited, before anything long."""
    if settings.test.folds:
        wrong = "trains a model for each fold, and an audit compares the features of one model"
        cure = "Train without it in another work_dir, and audit that run"
        raise RequestError(Problem(setting_place(settings, "test.folds"), wrong, cure, str(settings.test.folds)))
    table = work_dir.label_audit / TABLE
    if table.is_file() and is_edited(table):
        wrong = "has been edited since it was written, and would be replaced"
        cure = "Apply it with `autox-video apply-labels`, or move it away"
        raise RequestError(Problem(str(table), wrong, cure))
