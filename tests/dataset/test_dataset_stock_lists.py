from __future__ import annotations

import pytest
from odd_videos import uneven_times, write_odd
from test_dataset_annotations import ODD_NAMES, rows

from autox_video.dataset import stock_lists
from autox_video.dataset.annotations import write_annotations
from autox_video.dataset.entries import Sample
from autox_video.dataset.probe import VideoFacts, probe_videos
from autox_video.dataset.stock_lists import stock_list, write_stock_list


@pytest.fixture
def all_fit(monkeypatch):
    facts = VideoFacts(10, 10.0, 64, 48, 1)
    monkeypatch.setattr(stock_lists, "remembered_videos", lambda files, cache: dict.fromkeys(files, facts))


@pytest.mark.usefixtures("all_fit")
@pytest.mark.parametrize("labels", [list(range(len(ODD_NAMES))), [None] * len(ODD_NAMES)])
def test_mmaction2_reads_the_very_files_and_labels(tmp_path, labels):
    from mmaction.datasets import VideoDataset

    path = tmp_path / "annotations" / "train.txt"
    write_annotations(path, rows(labels), ["pyav"] * len(labels))
    assert write_stock_list(path, "/v", tmp_path / "cache.json") == []
    read = VideoDataset(str(stock_list(path)), [], data_prefix={"video": "/v"}, delimiter="\t").load_data_list()
    expected = [
        "/v/./ lead.mp4" if name == " lead.mp4" else name if name[0] == "/" else f"/v/{name}" for name in ODD_NAMES
    ]
    assert [row["filename"] for row in read] == expected
    assert [row["label"] for row in read] == [-1 if label is None else label for label in labels]


@pytest.mark.usefixtures("all_fit")
def test_mmaction2_reads_several_labels(tmp_path):
    from mmaction.datasets import VideoDataset

    written = [Sample("a b.mp4", (1, 4), "", ""), Sample("c.mp4", 2, "", ""), Sample("d.mp4", None, "", "")]
    write_annotations(tmp_path / "l.txt", written, ["pyav"] * 3)
    assert write_stock_list(tmp_path / "l.txt", "/v", tmp_path / "cache.json") == []
    given = {"delimiter": "\t", "multi_class": True, "num_classes": 5}
    stock = VideoDataset(str(stock_list(tmp_path / "l.txt")), [], data_prefix={"video": "/v"}, **given)
    found = [(row["filename"], row["label"]) for row in stock.load_data_list()]
    assert found == [("/v/a b.mp4", [1, 4]), ("/v/c.mp4", [2]), ("/v/d.mp4", [])]


def test_what_decord_must_not_read_is_left_out_with_its_reason(tmp_path):
    kinds = {"a.mp4": {}, "uneven.mp4": {"milliseconds": uneven_times()}, "b.ts": {"container": "mpegts"}}
    for name, how in kinds.items():
        write_odd(tmp_path / name, **how)
    cache = tmp_path / "cache.json"
    probe_videos([str(tmp_path / name) for name in kinds], cache)
    samples = [Sample(name, 1, "", "") for name in (*kinds, "unseen.mp4", "images")]
    samples.append(Sample("a.mp4", 1, "", "", 1.0, 2.0))
    write_annotations(tmp_path / "list.txt", samples, ["pyav"] * 4 + ["images@25", "pyav"])
    assert write_stock_list(tmp_path / "list.txt", str(tmp_path), cache) == [
        "uneven.mp4: its frame rate varies",
        "b.ts: its container is mpegts",
        "unseen.mp4: it was not opened",
        "images: it is a folder of images",
        "a.mp4: only a piece of it is meant",
    ]
    assert (tmp_path / "stock" / "list.txt").read_text() == "a.mp4\t1\n"
