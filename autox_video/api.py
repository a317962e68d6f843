"""Train, test and predict from Python, with the names of the original tool."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autox_video.errors import Problem, RequestError

if TYPE_CHECKING:
    from autox_video.folds import FoldsOutcome
    from autox_video.report.outcome import AnyResults
    from autox_video.runner.predictor import Predictor
    from autox_video.workflow import TrainOutcome

StrPath = str | PathLike[str]


class AutoXVideo:
    """Video classification in three calls.

    >>> model = AutoXVideo()
    >>> model.fit(data_root="data/videos", ann_file_train="data/train_list.txt")  # doctest: +SKIP
    >>> results = model.transform(data_root="data/new_videos")  # doctest: +SKIP

    Settings accumulate: `read_cfg` replaces them all, the arguments of `fit` and `transform` go
    before them. Nothing is written outside the work dir and the results file.
    """

    def __init__(self) -> None:
        self._config: Path | None = None
        self._values: dict[str, Any] = {}
        self._predictor: Predictor | None = None

    @classmethod
    def load(
        cls,
        model: StrPath,
        *,
        device: str = "auto",
        views: tuple[int, int] | None = None,
        plugins: Sequence[str] = (),
    ) -> AutoXVideo:
        """A trained model, to `predict` with; it is opened once.

        >>> model = AutoXVideo.load("work_dirs/demo")  # doctest: +SKIP
        >>> model.predict("new.mp4").videos[0].predicted_label.name  # doctest: +SKIP

        Args:
            model: The work dir of a training, its `best.pth` or `best.safetensors`, or an exported folder.
            device: `auto`, `cpu` or `cuda`.
            views: Clips of a video and crops of each clip; None as when it was trained.
            plugins: Those it was trained with: a file never has code imported.

        Raises:
            RequestError: There is no model, or the machine has not the device.
            RunError: The file is damaged.
        """
        from autox_video.runner.predictor import open_predictor

        loaded = cls()
        loaded._predictor = open_predictor(Path(model), device, views, plugins)
        return loaded

    def predict(
        self,
        inputs: StrPath | Sequence[StrPath],
        *,
        output_path: StrPath | None = None,
        **options: Any,
    ) -> AnyResults:
        """What the model says of new videos.

        Args:
            inputs: One or several of files, folders, patterns, lists and http(s) URLs.
            output_path: The results file, with a journal beside it from which the same call goes on; None writes
                nothing.
            **options: Those of `autox-video predict`: see `autox_video.using.predict.Asked`.

        Returns:
            The results, with a row for each video; one that could not be read says why.

        Raises:
            RequestError: There is no trained model yet, or an input is wrong.
        """
        from autox_video.using.predict import Asked, predict_files

        given = [inputs] if isinstance(inputs, (str, PathLike)) else list(inputs)
        paths: Any = {name: Path(options.pop(name)) for name in ("csv", "annotate", "data_root") if options.get(name)}
        output = None if output_path is None else Path(output_path)
        asked = Asked([str(text) for text in given], output=output, **paths, **options)
        return predict_files(asked, self._open_predictor)

    def _open_predictor(self) -> Predictor:
        if self._predictor is None:
            from autox_video.runner.predictor import open_predictor

            settings = self._settings()
            self._predictor = open_predictor(settings.work_dir, settings.runtime.device, None, settings.plugins)
        return self._predictor

    def read_cfg(self, path: StrPath) -> None:
        """Take the settings of a config.yaml.

        Args:
            path: The file; its relative paths start from its folder.

        Raises:
            RequestError: The file is missing or has errors; all of them are named.
        """
        from autox_video.settings.load import load_settings

        load_settings(path)
        self._config, self._values, self._predictor = Path(path), {}, None

    def fit(
        self,
        data_root: StrPath | None = None,
        ann_file_train: StrPath | None = None,
        ann_file_val: StrPath | None = None,
        *,
        video_length: float | None = None,
        num_class: int | None = None,
        videos_per_gpu: int | None = None,
        epoch: int | None = None,
        work_dir: StrPath | None = None,
        fresh: bool = False,
        **settings: Any,
    ) -> TrainOutcome | FoldsOutcome:
        """Train, or go on where the last run in this work dir stopped.

        Args:
            data_root: Folder of the videos.
            ann_file_train: List of the training videos; not needed for class folders.
            ann_file_val: List of the validation videos.
            video_length: Seconds of video that a clip covers.
            num_class: Number of classes.
            videos_per_gpu: Batch size on one GPU.
            epoch: Passes over the training videos.
            work_dir: Folder of everything the run writes.
            fresh: Archive an earlier run in this work dir and start anew.
            **settings: Any other key of config.yaml; a section as a dictionary, e.g. `model={"load_from": "none"}`.

        Returns:
            Where the best checkpoint is and how good it was on the validation videos; with `test.folds`, of each
            fold.

        Raises:
            RequestError: The settings or the data are wrong.
            RunError: The training failed.
        """
        from autox_video import folds, workflow

        given = {
            **{"data_root": data_root, "ann_file_train": ann_file_train, "ann_file_val": ann_file_val},
            **{"video_length": video_length, "num_class": num_class, "videos_per_gpu": videos_per_gpu},
            **{"epoch": epoch, "work_dir": work_dir, **settings},
        }
        self._values |= {key: _plain(value) for key, value in given.items() if value is not None}
        asked, self._predictor = self._settings(), None
        return folds.train(asked, fresh=fresh) if asked.test.folds else workflow.train(asked, fresh=fresh)

    def transform(
        self,
        data_root: StrPath | None = None,
        ann_file_test: StrPath | None = None,
        checkpoint: StrPath | None = None,
        output_path: StrPath | None = None,
    ) -> AnyResults:
        """Score videos with the best checkpoint, and write the results.

        With `test.folds` and no other videos, each fold's model scores the videos that it did not learn.

        Args:
            data_root: Folder of the videos. Without `ann_file_test`, every video in it is scored
                and there are no figures, because there are no labels.
            ann_file_test: List of the videos, with or without labels.
            checkpoint: Another checkpoint than `best.pth` of the work dir.
            output_path: The results file; its ending decides the format: .json, .csv, .pkl or .yaml.

        Returns:
            The results, as they stand in the file.

        Raises:
            RequestError: There is no checkpoint, the data is wrong, or `test.folds` gave several models and none
                of them is named for other videos.
        """
        from autox_video import folds, workflow

        values = dict(self._values)
        if data_root is not None:
            # Labels of an earlier list do not belong to these videos.
            values |= {"data_root": _plain(data_root), "ann_file_test": None, "more_data": None}
        if ann_file_test is not None:
            values |= {"ann_file_test": _plain(ann_file_test), "more_data": None}
        if output_path is not None:
            values["test_results_path"] = _plain(output_path)
        path = None if checkpoint is None else Path(checkpoint)
        if path is not None and self._config is None and "work_dir" not in values:
            values["work_dir"] = str(path.parent)
        settings = self._settings(values)
        if settings.test.folds and data_root is None and ann_file_test is None:
            return folds.test(settings, checkpoint=path)
        if settings.test.folds:
            settings = folds.for_new_videos(settings, path)
        return workflow.test(settings, checkpoint=path, whole_folder=data_root is not None and ann_file_test is None)

    def _settings(self, values: dict[str, Any] | None = None):  # type: ignore[no-untyped-def]
        from autox_video.settings.load import load_settings

        values = self._values if values is None else values
        if self._config is None and "data_root" not in values:
            raise RequestError(Problem("AutoXVideo", "no data is named", "Call read_cfg(), or pass data_root"))
        return load_settings(self._config, values=values)


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, PathLike) else value
