"""Every key of `config.yaml`, once: name, type, default, bounds and one sentence of help.

The JSON schema in `resources/`, the reference in the README, the checks of `load.py` and the
typed `Settings` all come from here.
"""

# ruff: noqa: RUF009 -- `setting` is `dataclasses.field` with metadata
from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from autox_video.settings.data_source import DataSource
from autox_video.settings.key import AUTO, Auto, Key, setting
from autox_video.settings.secret_url import SecretUrl
from autox_video.settings.sections import (
    AugmentSettings,
    ClipSettings,
    DataSettings,
    ModelSettings,
    RuntimeSettings,
    TestSettings,
    TrainSettings,
)

__all__ = ["AUTO", "KEYS", "SECTIONS", "SHORTHANDS", "DataSettings", "Key", "RuntimeSettings", "Settings"]


@dataclass(frozen=True)
class Settings:
    """A validated `config.yaml`: paths absolute, defaults filled in, still free to say `auto`.

    Attributes beside the keys:
        config_path: The YAML file, or None when the settings came from Python.
        origins: For each key that was given, dotted, where it was given: `config.yaml:12`, `--set`, `fit()`.
    """

    data_root: Path = setting(None, "path", "Folder of the videos.", required=True, example="data/videos")
    ann_file_train: Path | None = setting(
        None,
        "path",
        "List of the training videos: one `path label` a line, a table, or official annotations (docs/data.md). "
        "Left out: each folder in `data_root` is a class.",
        none=True,
        example="data/train_list.txt",
    )
    ann_file_val: Path | None = setting(
        None,
        "path",
        "List of the validation videos. Left out: a share of the training videos is set aside.",
        none=True,
        example="data/val_list.txt",
    )
    ann_file_test: Path | None = setting(
        None, "path", "List of the test videos; labels may be left out.", none=True, example="data/test_list.txt"
    )
    more_data: tuple[DataSource, ...] = setting(
        (),
        "sources",
        "More data sets, joined by class name: each has a data_root and, where it has lists, ann_file_train, "
        "ann_file_val and ann_file_test.",
        none=True,
        example=[{"data_root": "data/more", "ann_file_train": "data/more.csv"}],
    )
    classes: tuple[str, ...] | Path | Auto = setting(
        AUTO,
        "classes",
        "Names of the classes in the order of their ids: a list, or a file with one a line.",
        example=["jump", "run"],
    )
    task: str | Auto = setting(
        AUTO,
        "str",
        "What is learned: `single_label`, or `multi_label` where a video has several labels, written `3;5` or "
        "`jump;run`. `auto` looks at the training list.",
        choices=("single_label", "multi_label"),
        example="multi_label",
    )
    video_length: float | Auto = setting(
        AUTO, "float", "Seconds of video that a clip covers.", above=0, maximum=3600, example=2
    )
    num_class: int | Auto = setting(AUTO, "int", "Number of classes.", minimum=2, maximum=100_000, example=25)
    videos_per_gpu: int | Auto = setting(
        AUTO, "int", "Batch size on one GPU (or on the CPU).", minimum=1, maximum=65_536, example=8
    )
    epoch: int | Auto = setting(AUTO, "int", "Passes over the training videos.", minimum=1, maximum=100_000, example=50)
    work_dir: Path = setting(
        Path("work_dirs/default"), "path", "Folder of everything a run writes.", example="work_dirs/demo"
    )
    test_results_path: Path = setting(
        Path("results.json"),
        "path",
        "Where test results go; the ending decides the format. Left out: `results.json` in `work_dir`. "
        "Within `work_dir`, it follows where `--work-dir` leads.",
        endings=(".json", ".csv", ".pkl", ".yaml", ".yml"),
        example="results.json",
    )
    on_bad_video: str = setting(
        "skip",
        "str",
        "A video that cannot be read: `skip` leaves it out, up to a fifth of a split; `stop` refuses the run.",
        choices=("skip", "stop"),
        example="skip",
    )
    preset: str | Auto = setting(
        AUTO,
        "str",
        "Which model `model: auto` is: `fast` (the least work), `balanced` (what `auto` means) or `best` (the highest "
        "published accuracy that this machine trains); docs/models.md has the table.",
        choices=("fast", "balanced", "best"),
        example="best",
    )
    data: DataSettings = field(default_factory=DataSettings)
    model: ModelSettings = field(default_factory=ModelSettings)
    clip: ClipSettings = field(default_factory=ClipSettings)
    train: TrainSettings = field(default_factory=TrainSettings)
    augment: AugmentSettings = field(default_factory=AugmentSettings)
    test: TestSettings = field(default_factory=TestSettings)
    runtime: RuntimeSettings = field(default_factory=RuntimeSettings)
    loggers: tuple[str, ...] = setting(
        (),
        "words",
        "Where the figures go besides `metrics.csv`: one or a list of them (docs/loggers.md).",
        none=True,
        choices=("tensorboard", "mlflow", "wandb", "clearml", "aim"),
        example="tensorboard",
    )
    notify: tuple[SecretUrl, ...] = setting(
        (),
        "urls",
        "Whom to tell that a training began, got better, ended or failed: one or more URLs of the Apprise library "
        "(Telegram, Slack, Feishu, DingTalk, mail, web hooks ...). Write secrets as `${NAME}` of the environment.",
        none=True,
        example=["tgram://${TELEGRAM_TOKEN}/${TELEGRAM_CHAT}"],
    )
    plugins: tuple[str, ...] = setting(
        (),
        "plugins",
        "Python modules of your own, by name or as `./file.py`, that register models, transforms, losses, optimizers "
        "or hooks (docs/plugins.md). They run with your rights.",
        none=True,
        example=["my_parts"],
    )
    cfg_options: Mapping[str, Any] = setting(
        {},
        "mapping",
        "Anything in MMEngine's own words, by dotted key; merged last into the rendered config.",
        example={"optim_wrapper.clip_grad.max_norm": 20},
    )
    config_path: Path | None = None
    origins: Mapping[str, str] = field(default_factory=dict)


# The class of each section, by name.
SECTIONS: Final[dict[str, Any]] = {
    part.name: part.default_factory
    for part in dataclasses.fields(Settings)
    if dataclasses.is_dataclass(part.default_factory)
}
# Sections that may be written as a single word, and the key that it is of: `model: video_swin_tiny`.
SHORTHANDS: Final = {"model": "name", "augment": "level"}


def _all_keys() -> dict[str, Key]:
    keys = {}
    for part in dataclasses.fields(Settings):
        if part.name in SECTIONS:
            inner = dataclasses.fields(SECTIONS[part.name])
            keys.update({f"{part.name}.{sub.name}": sub.metadata["key"] for sub in inner})
        elif "key" in part.metadata:
            keys[part.name] = part.metadata["key"]
    return keys


# Every key by its dotted name, in the order of the classes above.
KEYS: Final[dict[str, Key]] = _all_keys()
