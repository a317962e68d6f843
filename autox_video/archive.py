"""`train --fresh`: an earlier run is moved out of the way, and never removed."""

from __future__ import annotations

import logging
import time

from autox_video.work_dir import WorkDir
from autox_video.writing import sync_folder

logger = logging.getLogger(__name__)
# Everything that belongs to one run and not to the data.
FILES_OF_A_RUN = (
    *("last.pth", "previous.pth", "best.pth", "best.safetensors"),
    *(
        "plan.json",
        "config_rendered.py",
        "metrics.csv",
        "curves.png",
        "report.html",
        "train.log",
        "test.log",
        "folds",
        "loggers",
        "features.npz",
        "label_audit",
        "annotations/of_run",
    ),
)


def archive_run(work_dir: WorkDir) -> None:
    """Move an earlier run, if there is one, into `archive`."""
    files = [path for name in FILES_OF_A_RUN if (path := work_dir.root / name).exists()]
    if not files:
        return
    folder = work_dir.archive / time.strftime("%Y%m%d_%H%M%S")
    while folder.exists():
        folder = folder.with_name(folder.name + "_")
    folder.mkdir(parents=True)
    for path in files:
        path.rename(folder / path.name)
    for changed in (folder, work_dir.archive, work_dir.root):
        sync_folder(changed)
    logger.info("archived the earlier run: %s", folder)
