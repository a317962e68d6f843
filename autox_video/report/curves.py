"""The curves of a training as a picture: losses and accuracies over the epochs."""

from __future__ import annotations

import csv
from pathlib import Path

from autox_video.writing import write_durably

WIDTH_INCHES, HEIGHT_INCHES, DOTS_PER_INCH = 10, 4, 110
# Columns of `metrics.csv` that are no figures of the model.
OTHERS = ("epoch", "iter", "learning_rate", "seconds", "videos_per_second", "data_wait")


def write_curves(metrics: Path, picture: Path) -> None:
    """Draw `metrics.csv`.

    Args:
        metrics: The table.
        picture: The PNG to write.

    Raises:
        RunError: It cannot be written.
    """
    # Not by pyplot, which looks for a display.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    rows = list(csv.DictReader(metrics.read_text(encoding="utf-8").splitlines()))
    columns = [name for name in (rows[0] if rows else ()) if name not in OTHERS]
    losses = [name for name in columns if name.endswith("loss")]
    figure = Figure(figsize=(WIDTH_INCHES, HEIGHT_INCHES), layout="constrained")
    for axes, names in zip(figure.subplots(1, 2), (losses, [c for c in columns if c not in losses]), strict=True):
        for name in names:
            points = [(int(row["epoch"]), float(row[name])) for row in rows if row[name]]
            if points:
                axes.plot(*zip(*points, strict=True), marker="." if len(points) < 50 else "", label=name)
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
        if axes.lines:
            axes.legend()
    write_durably(picture, lambda file: FigureCanvasAgg(figure).print_png(file))
