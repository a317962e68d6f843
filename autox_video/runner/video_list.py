"""The data set: the canonical list, and what happens to a video that cannot be read any more."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from mmaction.datasets import VideoDataset
from mmengine.registry import DATASETS

from autox_video.dataset.annotations import read_rows
from autox_video.dataset.entries import ids_of
from autox_video.dataset.messages import plural
from autox_video.decoding import DecodingError
from autox_video.errors import Problem, RunError
from autox_video.proxies.listing import read_originals, read_proxies
from autox_video.runner.draws import Draw
from autox_video.runner.loading import reading
from autox_video.runner.lost_videos import LostVideosError
from autox_video.runner.randomness import seed_sample
from autox_video.work_dir import WorkDir

# A training in which so many videos of a class are lost is not worth going on.
MAX_REPLACEMENTS = 20
# In the names of transforms: up to the first all views of a video are one, and at the second they are decoded together.
REPEATED = ("Sample", "VideoDecode")


@DATASETS.register_module()
class VideoListDataset(VideoDataset):
    """MMAction2's `VideoDataset` over a canonical list: each video with its decoder, some with a piece.

    A video that was readable at the probe and is not any more does not end the run. In training
    another one of its class (of several labels: with the same ones) takes its place, and the
    sample's metainfo `replaced` names it, as `((file, reason), ...)`. In validation and test a black
    video does, and the metainfo `error` is the reason: its scores are not to be used. The metainfo `place` of a
    training sample is where the video stands in the list.

    A proxy that cannot be read, deleted perhaps, gives way to its original; the metainfo `without_proxy`
    names it, as `((proxy, reason), ...)`.

    Attributes:
        num_repeats: As given.

    Args:
        *given: As MMAction2's.
        proxies: The list of the videos that have a small copy; None where none has.
        proxies_from_epoch: In training, the first epoch that reads them. A validation always does.
        num_repeats: In training, the views of one decoding that make a sample: where there are several, a sample is
            a list.
        **named: As MMAction2's.
    """

    def __init__(
        self,
        *given: Any,
        proxies: str | None = None,
        proxies_from_epoch: int = 1,
        num_repeats: int = 1,
        **named: Any,
    ) -> None:
        self._proxies = None if proxies is None else Path(proxies)
        self._proxies_from_epoch = proxies_from_epoch
        super().__init__(*given, **named)
        self._reads_proxies = self.test_mode
        self.num_repeats = num_repeats
        # As they are built: `bench` puts others in their places.
        self._places = tuple(_place(self.pipeline.transforms, kind) for kind in REPEATED) if num_repeats > 1 else ()

    def load_data_list(self) -> list[dict[str, Any]]:
        """Read the list."""
        rows = read_rows(Path(self.ann_file))
        root = self.data_prefix["video"]
        proxies = read_proxies(self._proxies) if self._proxies else {}
        kinds = {label: number for number, label in enumerate(dict.fromkeys(row.label for row in rows))}
        self._kinds = np.array([kinds[row.label] for row in rows], dtype=np.int64)
        return [
            {
                "filename": os.path.join(root, row.path),
                # As `VideoDataset` has it: of several labels a list of ids, which is empty where there is none.
                "label": list(ids_of(row.label)) if self.multi_class else -1 if row.label is None else row.label,
                "decoder": row.decoder,
                "start_seconds": row.start_seconds,
                "end_seconds": row.end_seconds,
                **({"proxy": proxies[row.path]} if row.path in proxies else {}),
            }
            for row in rows
        ]

    def __getitem__(self, draw: int | Draw) -> Any:
        """A sample by its index, or by a draw, which decides its random numbers too."""
        if isinstance(draw, Draw):
            seed_sample(draw.seed, draw.epoch, draw.position)
            self._reads_proxies = draw.epoch + 1 >= self._proxies_from_epoch
            draw = draw.sample
        return super().__getitem__(draw)

    def prepare_data(self, idx: int) -> Any:
        """A sample by its index, or what takes its place.

        Raises:
            LostVideosError: In training, video after video of a class cannot be read.
        """
        lost: dict[int, tuple[str, str]] = {}
        without_proxy: dict[str, str] = {}
        while True:
            info = self._info(idx, without_proxy)
            try:
                with reading(info.get("proxy", info["filename"])):
                    sample = self._views(info.copy())
                break
            except (DecodingError, OSError) as error:
                reason = f"cannot be read: {error.strerror}" if isinstance(error, OSError) else str(error)
            if "proxy" in info:
                without_proxy[info["proxy"]] = reason
                continue
            if self.test_mode:
                sample = self.pipeline({**info, "error": reason})
                sample["data_samples"].set_metainfo({"error": reason})
                break
            lost[idx] = (info["filename"], reason)
            idx = self._another(idx, lost)
        for view in sample if isinstance(sample, list) else [sample]:
            if not self.test_mode:
                view["data_samples"].set_metainfo({"place": idx})
            if lost:
                view["data_samples"].set_metainfo({"replaced": tuple(lost.values())})
            if without_proxy:
                view["data_samples"].set_metainfo({"without_proxy": tuple(without_proxy.items())})
        return sample

    def _views(self, info: dict[str, Any]) -> Any:
        """A sample; or a list of views of it, whose crops and flips are drawn one after the other, decoded once."""
        if self.num_repeats == 1:
            return self.pipeline(info)
        steps, (sampled, decode) = self.pipeline.transforms, self._places
        opened = _through(steps[: sampled + 1], info)
        noted = [_through(steps[sampled + 1 : decode], dict(opened)) for _ in range(self.num_repeats)]
        return [_through(steps[decode + 1 :], view) for view in steps[decode](noted)]

    def _info(self, idx: int, without: Collection[str]) -> dict[str, Any]:
        """What is known of a sample, with its proxy only where that is to be read."""
        info: dict[str, Any] = self.get_data_info(idx)
        proxy = info.pop("proxy", None)
        if proxy and self._reads_proxies and proxy not in without and proxy not in self._given_up:
            info["proxy"] = proxy
        return info

    @cached_property
    def _given_up(self) -> frozenset[str]:
        """Proxies that this run could not write. It is settled when the first is read, in whichever process."""
        assert self._proxies is not None, "only asked for where there are proxies"
        return frozenset(read_originals(WorkDir(self._proxies.parent.parent).read_as_they_are))

    def _another(self, idx: int, lost: dict[int, tuple[str, str]]) -> int:
        """Another sample of the same class."""
        alike = np.setdiff1d(np.flatnonzero(self._kinds == self._kinds[idx]), list(lost))
        if len(alike) == 0 or len(lost) > MAX_REPLACEMENTS:
            first = "; ".join(f"{file} {reason}" for file, reason in list(lost.values())[:3])
            wrong = f"{plural(len(lost), 'video')} of one class in a row cannot be read any more"
            cure = "Check the disk; `autox-video check` names every one"
            raise LostVideosError.of(Problem(str(self.ann_file), wrong, cure, first))
        return int(np.random.choice(alike))


def _through(steps: Sequence[Callable[[Any], Any]], results: Any) -> Any:
    for step in steps:
        results = step(results)
    return results


def _place(steps: Sequence[Any], kind: str) -> int:
    names = [type(step).__name__ for step in steps]
    places = [place for place, name in enumerate(names) if kind in name]
    if not places:
        wrong = f"has no transform named {kind}, which several views of a video have in common"
        cure = "Take what changes the pipeline out of cfg_options, or augment.num_repeats out of the settings"
        raise RunError(Problem("train_dataloader.dataset.pipeline", wrong, cure, ", ".join(names)))
    return places[0]
