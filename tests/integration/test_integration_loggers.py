from __future__ import annotations

import csv

import pytest
from runs import run_cli
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from autox_video.runner.loggers import FiguresVisualizer


@pytest.fixture(scope="module")
def logged(made_data, tmp_path_factory):
    """A run of an epoch with TensorBoard, which then goes on for another."""
    work_dir = tmp_path_factory.mktemp("logged") / "run"
    command = (
        "train",
        "-c",
        str(made_data / "config.yaml"),
        "--work-dir",
        str(work_dir),
        "--set",
        "train.val_interval=2",
    )
    for epochs in (1, 2):
        run_cli(*command, "--set", "loggers=tensorboard", "--set", f"epoch={epochs}")
    return work_dir


def test_tensorboard_shows_what_metrics_csv_has_and_goes_on_in_one_curve(logged):
    events = EventAccumulator(str(logged / "loggers" / "tensorboard"))
    events.Reload()
    rows = list(csv.DictReader((logged / "metrics.csv").read_text().splitlines()))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    for column, tag in (
        ("train_loss", "train/loss"),
        ("val_top1", "val/top1"),
        ("learning_rate", "train/learning_rate"),
    ):
        curve = {scalar.step: scalar.value for scalar in events.Scalars(tag)}
        expected = {int(row["epoch"]): float(row[column]) for row in rows if row[column]}
        assert curve == pytest.approx(expected, rel=1e-5)
        assert len(events.Scalars(tag)) == len(expected)
    assert "| epochs | 1 |" in events.Tensors("plan/text_summary")[0].tensor_proto.string_val[0].decode()
    assert len(events.Tensors("plan/text_summary")) == 1
    written = {path.relative_to(logged).parts[0] for path in logged.rglob("events.out*")}
    assert written == {"loggers"}


def test_without_loggers_nothing_is_written_for_them(trained):
    assert not (trained.work_dir / "loggers").exists()


def test_a_package_that_is_missing_is_named_before_the_data_is_read(tmp_path, monkeypatch):
    (tmp_path / "config.yaml").write_text("data_root: nowhere\nloggers: [tensorboard, aim]\nnotify: json://localhost\n")
    monkeypatch.setattr("autox_video.extras.find_spec", lambda name: None if name in ("aim", "apprise") else True)
    assert run_cli("train", "-c", str(tmp_path / "config.yaml"), code=2) == (
        "config.yaml:2: loggers: needs the package aim, which is missing. Run pip install aim, or leave it out.\n"
        "config.yaml:3: notify: needs the package apprise, which is missing. Run pip install apprise, or leave it out.\n"
    )


def test_an_unknown_logger_is_refused_with_the_known_ones(tmp_path):
    (tmp_path / "config.yaml").write_text("data_root: nowhere\nloggers: [tensorbord]\n")
    assert run_cli("train", "-c", str(tmp_path / "config.yaml"), code=2) == (
        "config.yaml:2: loggers: must be tensorboard, mlflow, wandb, clearml or aim (got 'tensorbord'). "
        "Did you mean 'tensorboard'.\n"
    )


def test_a_logger_that_fails_is_left_out_and_the_training_goes_on(tmp_path, caplog):
    (tmp_path / "file").write_text("in the way of the folder")
    works = {"type": "TensorboardVisBackend", "save_dir": str(tmp_path / "works")}
    visualizer = FiguresVisualizer([{"type": "TensorboardVisBackend", "save_dir": str(tmp_path / "file")}, works])
    for epoch in (1, 2):
        visualizer.add_row({"epoch": epoch, "train_loss": 0.5}, {"seed": 0})
    visualizer.close()
    (warning,) = caplog.messages
    assert warning.startswith("warning  tensorboard gets no figures any more: RunError: ")
    events = EventAccumulator(str(tmp_path / "works"))
    events.Reload()
    assert [scalar.step for scalar in events.Scalars("train/loss")] == [1, 2]
