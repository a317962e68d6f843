"""`autox-video apply-labels`: new lists with what a person has decided of suspicious labels."""

from __future__ import annotations

import logging
from pathlib import Path

from autox_video.dataset.annotations import Row, read_rows
from autox_video.dataset.entries import SPLITS
from autox_video.dataset.facts import Fingerprint
from autox_video.dataset.fingerprint import fingerprint_dataset
from autox_video.dataset.label_table import read_verdicts
from autox_video.dataset.leaks import group_columns
from autox_video.dataset.new_lists import NewLists, apply_verdicts, write_new_lists
from autox_video.errors import Problem, RequestError
from autox_video.records import read_record
from autox_video.report.label_audit import LabelAudit, digest_of_rows
from autox_video.settings.schema import Settings
from autox_video.using.label_audit import RECORD
from autox_video.work_dir import WorkDir

logger = logging.getLogger(__name__)


def apply_labels(settings: Settings, table: Path, output: Path | None = None) -> NewLists:
    """Write new lists of all splits, beside the work dir; nothing of the user's is changed.

    Args:
        settings: Of the run that was audited.
        table: What `audit-labels` wrote, edited.
        output: Folder for the lists; None for one beside the work dir.

    Raises:
        RequestError: The table asks for what cannot be, or the data is another than when it was audited.
    """
    work_dir = WorkDir(settings.work_dir)
    record = work_dir.label_audit / RECORD
    if not record.is_file():
        cure = "Run `autox-video audit-labels` with this config.yaml first"
        raise RequestError(Problem(str(work_dir.root), "no labels of this run have been audited", cure))
    audit = read_record(record, LabelAudit)
    verdicts = read_verdicts(table, audit.classes)
    if all(verdict.keep and verdict.new_label in (None, verdict.label) for verdict in verdicts):
        cure = "Write the right class into new_label, or no into keep, where a label is wrong"
        raise RequestError(Problem(str(table), "changes nothing", cure))
    lists, left = _lists_of_today(settings, work_dir, audit)
    new = apply_verdicts(lists, audit.classes, verdicts)
    folder = output or work_dir.root.with_name(f"{work_dir.root.name}_relabelled")
    written = write_new_lists(folder, lists, new, audit.classes, group_columns(work_dir.groups))
    if left:
        logger.info("note     %d videos that cannot be read are not in the new lists", left)
    return written


def _lists_of_today(settings: Settings, work_dir: WorkDir, audit: LabelAudit) -> tuple[dict[str, list[Row]], int]:
    """The lists as they are now, refused where they are not those of the audit; and how many videos are unreadable."""
    if settings.test.folds:
        wrong = "has no one model whose labels were audited"
        raise RequestError(Problem("test.folds", wrong, "Take it out", str(settings.test.folds)))
    fingerprint: Fingerprint = fingerprint_dataset(
        settings, work_dir, splits=SPLITS, classes=audit.classes, task="single_label"
    )
    lists = {split: read_rows(work_dir.annotations(split)) for split in SPLITS if split in fingerprint.splits}
    changed = [
        split for split, digest in audit.lists.items() if digest_of_rows(lists.get(split, ()), audit.classes) != digest
    ]
    if changed:
        wrong = f"is another than when its labels were audited: the {' and the '.join(changed)} list has changed"
        cure = "Train and run `autox-video audit-labels` again, or put the lists back"
        raise RequestError(Problem("data", wrong, cure))
    return lists, len(fingerprint.bad_videos)
