"""The run folder: which file is where."""

from __future__ import annotations

import dataclasses
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class WorkDir:
    """The files of one run. Nothing is created until something is written.

    Attributes:
        root: The folder.
        whole: For one fold of a training with `test.folds`, the folder of all of it, where the probe's cache is.
    """

    root: Path
    whole: Path | None = None

    def fold(self, number: int) -> WorkDir:
        """The run of one fold, counted from 1."""
        return WorkDir(self.folds / str(number), self.root)

    @property
    def folds(self) -> Path:
        """Folder of the runs of the folds."""
        return self.root / "folds"

    @property
    def folds_trained(self) -> Path:
        """The folds as they were when their training began."""
        return self.folds / "folds.tsv"

    @property
    def folds_list(self) -> Path:
        """Which video is tested in which fold, as the data is divided now."""
        return self.root / "annotations" / "folds.tsv"

    @property
    def folders(self) -> tuple[Path, ...]:
        """Where files are written."""
        lists = self.root / "annotations"
        return (self.root, lists, lists / "stock", self.preview, self.proxies)

    @property
    def fingerprint(self) -> Path:
        return self.root / "fingerprint.json"

    @property
    def check(self) -> Path:
        return self.root / "check.json"

    @property
    def probe_cache(self) -> Path:
        return (self.whole or self.root) / "probe_cache.json"

    @property
    def plan(self) -> Path:
        return self.root / "plan.json"

    @property
    def config_rendered(self) -> Path:
        return self.root / "config_rendered.py"

    @property
    def last_checkpoint(self) -> Path:
        return self.root / "last.pth"

    @property
    def previous_checkpoint(self) -> Path:
        """What `last_checkpoint` was before it was written anew."""
        return self.root / "previous.pth"

    @property
    def best_checkpoint(self) -> Path:
        return self.root / "best.pth"

    @property
    def train_log(self) -> Path:
        return self.root / "train.log"

    @property
    def test_log(self) -> Path:
        return self.root / "test.log"

    @property
    def metrics(self) -> Path:
        return self.root / "metrics.csv"

    @property
    def curves(self) -> Path:
        """Losses and accuracies over the epochs, as a picture."""
        return self.root / "curves.png"

    @property
    def report(self) -> Path:
        """The run on one page: see `report/html`."""
        return self.root / "report.html"

    def report_of(self, results: Path) -> Path:
        """The page of a test: results that lie elsewhere, or have another name, do not replace that of the run.

        Args:
            results: Where the test writes its results.
        """
        if results.stem == "results" and results.parent.resolve() == self.root.resolve():
            return self.report
        return results.with_name(f"{results.stem}.report.html")

    @property
    def archive(self) -> Path:
        """Where `train --fresh` moves the files of an earlier run."""
        return self.root / "archive"

    @property
    def preview(self) -> Path:
        """Folder of the contact sheets and their page."""
        return self.root / "preview"

    @property
    def explanations(self) -> Path:
        """Folder of the explained mistakes of the test."""
        return self.root / "explanations"

    @property
    def bench(self) -> Path:
        """What `autox-video bench` measured."""
        return self.root / "bench.json"

    @property
    def features(self) -> Path:
        """What the best model sees in each video, as `autox-video embed` writes it."""
        return self.root / "features.npz"

    @property
    def label_audit(self) -> Path:
        """Folder of what `autox-video audit-labels` found."""
        return self.root / "label_audit"

    @property
    def groups(self) -> Path:
        """Which videos come from one recording, and why."""
        return self.root / "annotations" / "groups.tsv"

    @property
    def leaks(self) -> Path:
        """Videos that stand in two splits."""
        return self.root / "annotations" / "leaks.tsv"

    @property
    def proxies(self) -> Path:
        """Folder of the small copies of videos, which runs with the same parent folder share."""
        return (self.whole or self.root).absolute().parent / "proxies"

    @property
    def proxy_list(self) -> Path:
        """Which video has which proxy."""
        return self.root / "annotations" / "proxies.tsv"

    @property
    def read_as_they_are(self) -> Path:
        """Proxies that could not be written in this run, and why."""
        return self.root / "annotations" / "of_run" / "no_proxy.tsv"

    def list_of_run(self, split: str) -> Path:
        """`annotations(split)` as it was when the run began."""
        return self.root / "annotations" / "of_run" / f"{split}.txt"

    def annotations(self, split: str) -> Path:
        """The canonical tab-separated list of one split."""
        return self.root / "annotations" / f"{split}.txt"
