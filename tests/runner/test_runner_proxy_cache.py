from __future__ import annotations

import logging
from types import SimpleNamespace

import odd_videos
import pytest
import samples
from mmengine.registry import DefaultScope

from autox_video.dataset.annotations import write_annotations
from autox_video.dataset.entries import Sample
from autox_video.proxies.listing import Proxied, read_originals
from autox_video.runner import components
from autox_video.runner.draws import Draw
from autox_video.runner.proxy_cache import GONE, ProxyHook
from autox_video.runner.video_list import VideoListDataset
from autox_video.runner.watchdog import ProgressHook
from autox_video.work_dir import WorkDir

assert components.VideoOpen  # registers the transforms
RUNNER = SimpleNamespace(logger=logging.getLogger("of the run"))


@pytest.fixture
def waiting(tmp_path) -> ProxyHook:
    """A hook whose processes write two proxies."""
    file = odd_videos.write_odd(tmp_path / "a.mp4")
    hook = ProxyHook(samples.plan()[0], WorkDir(tmp_path / "run"))
    jobs = [Proxied(str(file), str(tmp_path / "proxies" / f"{number}.mp4"), 24, 40) for number in range(2)]
    hook.writing.start(jobs, 1)
    return hook


def test_a_wait_for_proxies_is_progress_to_the_watchdog(waiting):
    progress = ProgressHook()
    waiting._finish(RUNNER, progress)
    assert (progress.stage, progress.steps) == ("writing proxies", 80)
    assert not waiting.work_dir.read_as_they_are.exists()


def test_processes_that_are_ended_from_outside_are_started_once_more(waiting, tmp_path):
    waiting.writing._process.kill()
    waiting._finish(RUNNER, ProgressHook())
    # What the killed ones left half written is not theirs to clear.
    assert sorted(path.name for path in (tmp_path / "proxies").glob("*.mp4")) == ["0.mp4", "1.mp4"]


def test_proxies_that_nothing_writes_are_given_up_and_named(waiting, monkeypatch, caplog):
    start = waiting.writing.start

    def start_and_kill(*given) -> None:
        start(*given)
        waiting.writing._process.kill()

    monkeypatch.setattr(waiting.writing, "start", start_and_kill)
    waiting.writing._process.kill()
    with caplog.at_level(logging.WARNING, logger="autox_video"):
        waiting._finish(RUNNER, ProgressHook())
    (file,) = set(waiting.writing.files.values())
    assert read_originals(waiting.work_dir.read_as_they_are) == dict.fromkeys(waiting.writing.files, GONE)
    assert [record.getMessage() for record in caplog.records if record.name.startswith("autox_video")] == [
        "warning  2 videos without a proxy: the run reads the original to its end",
        *[f"warning  {file} {GONE}"] * 2,
    ]


def test_training_reads_proxies_from_its_epoch_on_and_a_validation_always(tmp_path):
    work_dir, file = WorkDir(tmp_path / "run"), odd_videos.write_odd(tmp_path / "a.mp4")
    small = odd_videos.write_odd(tmp_path / "small.mp4", width=32, height=24)
    write_annotations(work_dir.annotations("train"), [Sample("a.mp4", 0, "", "")], ["pyav"])
    work_dir.proxy_list.write_text(f"a.mp4\t{small}\n")
    steps = [
        {"type": "VideoOpen"},
        {"type": "SampleFrames", "clip_len": 4, "num_clips": 1},
        {"type": "VideoDecode"},
        {"type": "FormatShape", "input_format": "NCTHW"},
        {"type": "PackActionInputs", "meta_keys": ("filename",)},
    ]

    def make(**given) -> VideoListDataset:
        prefix = {"video": str(tmp_path)}
        ann_file, proxies = (str(path) for path in (work_dir.annotations("train"), work_dir.proxy_list))
        with DefaultScope.overwrite_default_scope("mmaction"):
            return VideoListDataset(ann_file, steps, data_prefix=prefix, proxies=proxies, **given)

    training = make(proxies_from_epoch=3)
    sizes = [training[Draw(0, 0, epoch, 0)]["inputs"].shape[-2:] for epoch in (0, 1, 2, 3)]
    assert [tuple(size) for size in sizes] == [(48, 64), (48, 64), (24, 32), (24, 32)]
    assert make(test_mode=True)[0]["inputs"].shape[-2:] == (24, 32)
    assert training[Draw(0, 0, 2, 0)]["data_samples"].filename == str(file)
    small.write_bytes(b"damaged")
    sample = training[Draw(0, 0, 2, 0)]
    assert sample["inputs"].shape[-2:] == (48, 64)
    reason = "is no video, or its header is damaged or cut off"
    assert sample["data_samples"].without_proxy == ((str(small), reason),)
