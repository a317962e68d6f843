"""Files from elsewhere that try to run code or to write where they should not.

Each attack makes a canary appear by the stock route, so that its absence here means something.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mmengine
import pytest
import torch
import yaml
from local_site import running_site
from mmengine.fileio import YamlHandler
from mmengine.fileio.handlers.registry_utils import file_handlers
from mmengine.logging import HistoryBuffer
from mmengine.registry import HOOKS
from mmengine.runner import CheckpointLoader
from mmengine.runner.checkpoint import load_from_local
from runs import FAST, Run, run_cli
from tiny_runner import tiny_runner
from videos import write_config, write_video

ROOT = Path(__file__).parents[2]


@pytest.fixture
def canary(tmp_path) -> Path:
    """What no attack may create."""
    return tmp_path / "canary"


@pytest.fixture
def run(trained, tmp_path) -> Run:
    return trained.copy(tmp_path / "job")


def sings(canary: Path) -> bool:
    """Whether there is a canary; there is none afterwards."""
    if not canary.exists():
        return False
    canary.rmdir()
    return True


class Call:
    """Calls a function when it is unpickled, and puts items into what it returns."""

    def __init__(self, function: Any, *arguments: Any, items: dict[str, Any] | None = None) -> None:
        self.function, self.arguments, self.items = function, arguments, items

    def __reduce__(self) -> tuple[Any, ...]:
        return self.function, self.arguments, None, None, iter((self.items or {}).items())


def refused_as_checkpoint(run: Run, path: Path, names: str) -> None:
    """Every way in which a command takes the file ends with its name and what it wanted to call."""
    sentence = (
        f"{path}: holds objects that only running its code can rebuild (got {names}). A file from elsewhere can do "
        "anything when its code runs. If you trust this one, load it where that does no harm and save the weights "
        "alone: torch.save({'state_dict': checkpoint['state_dict']}, 'weights.pth')."
    )
    new = str(run.folder / "new")
    tested = run_cli("test", "-c", str(run.config), "--checkpoint", str(path), code=1)
    assert tested.splitlines()[-1] == sentence
    started = run_cli("train", "-c", str(run.config), "--work-dir", new, "--set", f"model.load_from={path}", code=2)
    assert started.splitlines()[-1] == sentence
    shutil.copy(path, run.work_dir / "last.pth")
    for other in ("previous.pth", "best.pth"):
        (run.work_dir / other).unlink()
    resumed = run_cli("train", "-c", str(run.config), "--set", "epoch=5", code=1)
    assert resumed.splitlines()[-1] == sentence.replace(str(path), str(run.work_dir / "last.pth"))


def test_a_pickle_in_a_checkpoint(run, tmp_path, canary):
    path = tmp_path / "weights.pth"
    torch.save({"state_dict": Call(os.mkdir, str(canary))}, path)
    torch.load(path, weights_only=False)
    assert sings(canary), "what every PyTorch before 2.6 did, and MMEngine with it"
    refused_as_checkpoint(run, path, "posix.mkdir")
    assert not sings(canary)


def test_an_allow_listed_getattr(run, tmp_path, canary):
    """`getattr` alone reaches `exec` and every module's names: the error of torch advises to admit it."""
    path = tmp_path / "weights.pth"
    execute = Call(getattr, Call(getattr, getattr, "__self__"), "exec")
    names = Call(getattr, Call(getattr, HistoryBuffer, "__init__"), "__globals__", items={"len": execute})
    code = f"import os; os.path.exists({str(canary)!r}) or os.mkdir({str(canary)!r})"
    torch.save({"state_dict": {}, "message_hub": [names, Call(HistoryBuffer, code, code)]}, path)
    before = torch.serialization.get_safe_globals()
    torch.serialization.add_safe_globals([getattr, HistoryBuffer])
    try:
        with contextlib.suppress(TypeError):
            torch.load(path, weights_only=True)
    finally:
        HistoryBuffer.__init__.__globals__.pop("len", None)
        torch.serialization.clear_safe_globals()
        torch.serialization.add_safe_globals(before)
    assert sings(canary), "weights_only does not help against it"
    refused_as_checkpoint(run, path, "builtins.getattr")
    assert not sings(canary)


def test_a_text_in_the_config_of_a_checkpoint(run, tmp_path, canary, monkeypatch):
    """The file holds nothing but tensors and texts."""
    bad = run.work_dir / "last.pth"
    checkpoint = torch.load(bad, weights_only=True)
    checkpoint["meta"]["config"] = f"__import__('os').mkdir({str(canary)!r})"
    torch.save(checkpoint, bad)
    assert torch.load(bad, weights_only=True)["meta"]["config"]
    stock = tiny_runner(tmp_path / "stock", epochs=5, load_from=str(bad), resume=True)
    with monkeypatch.context() as patch:
        patch.setitem(CheckpointLoader._schemes, "", load_from_local)
        with pytest.raises((KeyError, RuntimeError, ValueError)):
            stock.train()
    assert sings(canary), "MMEngine executes it before it finds that the weights are of another model"
    assert "resume   after epoch 3 of 4" in run_cli("train", "-c", str(run.config), "--set", "epoch=4")
    run_cli("test", "-c", str(run.config), "--checkpoint", str(bad))
    new = str(tmp_path / "new")
    run_cli("train", "-c", str(run.config), "--work-dir", new, "--set", f"model.load_from={bad}", "--set", "epoch=1")
    assert not sings(canary)


def refused_as_settings(config: Path, *problems: str) -> None:
    for command in ("train", "test", "check", "plan", "render", "preview"):
        output = run_cli(command, "-c", str(config), code=2)
        assert output.splitlines() == [*problems, f"{config.name}: data_root: is missing. Name the folder of the videos, e.g. `data_root: data/videos`."]  # fmt: skip
        if command == "train":
            assert not list(config.parent.glob("work_dirs"))


def test_an_object_tag_in_a_yaml(tmp_path, canary, monkeypatch):
    config = tmp_path / "config.yaml"
    config.write_text(f"epoch: !!python/object/apply:os.makedirs {{args: [{canary}], kwds: {{exist_ok: true}}}}\n")
    with monkeypatch.context() as patch:
        patch.setitem(file_handlers, "yaml", YamlHandler())
        mmengine.Config.fromfile(str(config))
    assert sings(canary)
    problem = "config.yaml:1: epoch: has a tag, which is not allowed (got '!!python/object/apply:os.makedirs'). Write the plain value."
    refused_as_settings(config, problem)
    assert not sings(canary)


CURE = "Remove it; the module of parts of your own stands under plugins."
INCLUDES = {
    "_base_": (
        "_base_: ./evil.py",
        "config.yaml:1: _base_: is not a known key here. Remove it: a settings file runs no code.",
    ),
    "custom_imports": (
        "custom_imports: {imports: [evil], allow_failed_imports: false}",
        "config.yaml:1: custom_imports: is not a known key here. Remove it: a settings file runs no code.",
    ),
    "_base_ under cfg_options": (
        "cfg_options: {_base_: ./evil.py}",
        f"config.yaml:1: cfg_options._base_: would run Python code of the file's choice (got './evil.py'). {CURE}",
    ),
    "custom_imports under cfg_options": (
        "cfg_options: {custom_imports.imports: [evil]}",
        f"config.yaml:1: cfg_options.custom_imports.imports: would run Python code of the file's choice (got a list). {CURE}",
    ),
}


@pytest.mark.parametrize("case", INCLUDES)
def test_a_yaml_that_includes_python(case, tmp_path, canary, monkeypatch):
    text, problem = INCLUDES[case]
    config = tmp_path / "config.yaml"
    config.write_text(text + "\n")
    (tmp_path / "evil.py").write_text(f"__import__('os').makedirs({str(canary)!r}, exist_ok=True)\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "evil", raising=False)
    if "cfg_options" not in case:
        mmengine.Config.fromfile(str(config))
        assert sings(canary)
        monkeypatch.delitem(sys.modules, "evil", raising=False)
    refused_as_settings(config, problem)
    assert not sings(canary)


def test_a_settings_file_in_python(tmp_path, canary):
    config = tmp_path / "config.py"
    config.write_text(f"__import__('os').makedirs({str(canary)!r}, exist_ok=True)\n")
    mmengine.Config.fromfile(str(config))
    assert sings(canary)
    output = run_cli("train", "-c", str(config), code=2)
    assert output == f"{config}: is Python code, which is never run. Name a YAML file with -c.\n"
    assert not sings(canary)


BUILD = "import sys; from mmengine.registry import HOOKS; HOOKS.build({'type': 'os.mkdir', 'path': sys.argv[1]})"


def test_a_part_that_is_a_function_of_some_module(run, canary):
    """`cfg_options` names parts of MMEngine, which takes a name it does not know for an import path."""
    subprocess.run([sys.executable, "-c", BUILD, str(canary)], check=True)
    assert sings(canary)
    options = {
        "custom_hooks": [{"type": "os.mkdir", "path": str(canary)}],
        "optim_wrapper": {"constructor": "os.mkdir"},
    }
    config = write_config(run.folder / "bad.yaml", data_root="videos", cfg_options=options)
    wrong = "must be the plain name of a part of MMAction2 or MMEngine (got 'os.mkdir'). Write it without its module."
    assert run_cli("train", "-c", str(config), code=2).splitlines() == [
        f"bad.yaml:4: cfg_options.custom_hooks.type: {wrong}",
        f"bad.yaml:7: cfg_options.optim_wrapper.constructor: {wrong}",
    ]
    # And where a name comes by another way, the registries know only what is registered.
    with pytest.raises(KeyError, match=r"os\.mkdir is not in the \w+::hook registry"):
        HOOKS.build({"type": "os.mkdir", "path": str(canary)})
    assert not sings(canary)


BAD_DOWNLOADS: dict[str, tuple[str, Callable[[bytes], bytes], str]] = {
    "a wrong hash": ("/swin-deadbeef.pth", lambda good: good, "has the sha256 {digest}..., not deadbeef"),
    "a web page": ("/swin.pth", lambda good: b"<!DOCTYPE html><html>Log in</html>", "is a web page, not a checkpoint"),
}


@pytest.mark.parametrize("case", BAD_DOWNLOADS)
def test_a_download_that_is_not_what_was_published(case, run, tmp_path, monkeypatch):
    page, spoil, reason = BAD_DOWNLOADS[case]
    monkeypatch.setenv("AUTOX_VIDEO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    body = spoil((run.work_dir / "best.pth").read_bytes())
    with running_site() as site:
        url = site.put(page, body)
        with contextlib.suppress(Exception):
            torch.hub.load_state_dict_from_url(url, str(tmp_path / "stock"), progress=False)
        kept = (tmp_path / "stock" / page[1:]).read_bytes()
        assert kept == body, "the stock route keeps it, and takes it from there the next time"
        new = ["--work-dir", str(tmp_path / "new"), "--set", f"model.load_from={url}"]
        for _ in range(2):
            output = run_cli("train", "-c", str(run.config), *new, code=2)
            (place,) = [word.rstrip(",") for word in output.splitlines()[-1].split() if "cache" in word]
            wrong = reason.format(digest=hashlib.sha256(body).hexdigest()[:8])
            assert output.splitlines()[-1] == (
                f"{url}: cannot be downloaded: what came {wrong}. "
                f"Put the file at {place}, or write `model.load_from: none` to train from scratch."
            )
            assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file()] == []
        assert len(site.asked) == 3
    assert not (tmp_path / "new" / "last.pth").exists()


def test_a_list_of_names_that_lead_elsewhere(tmp_path):
    """Videos may lie anywhere; what is written stays in the work dir, and a page shows names as text."""
    classes = ("../../../canary", "<script>alert(1)</script>")
    job = tmp_path / "a" / "job"
    files = [f"../outside/{name}" for name in ("x.mp4", "<img src=x onerror=alert(1)>.mp4", "y.mp4", "z.mp4")]
    for index, file in enumerate(files):
        write_video(job / "videos" / file, brightness=200 * (index % 2) + 20, seed=index)
    rows = [f"{file}\t{classes[index % 2]}" for index, file in enumerate(files)]
    for split in ("train", "val", "test"):
        (job / f"{split}.txt").write_text("path\tlabel\n" + "\n".join(rows) + "\n")
    (job / "videos").mkdir(exist_ok=True)
    lists = {f"ann_file_{split}": f"{split}.txt" for split in ("train", "val", "test")}
    write_config(job / "config.yaml", data_root="videos", **lists, **FAST, epoch=1, work_dir="run")

    def outside() -> dict[Path, bytes]:
        files = (path for path in tmp_path.rglob("*") if path.is_file())
        return {path: path.read_bytes() for path in files if (job / "run") not in path.parents}

    before = outside()
    naive = (job / "run" / "preview" / f"{classes[0]}.png").resolve()
    assert (job / "run") not in naive.parents, "where the class's name alone would lead"
    for command in ("check", "preview", "train", "test"):
        run_cli(command, "-c", str(job / "config.yaml"))
    assert outside() == before
    assert sorted(path.name for path in (job / "run" / "preview").iterdir()) == [
        *("0_canary.png", "1_script_alert_1_script.png", "preview.html")
    ]
    page = (job / "run" / "preview" / "preview.html").read_text()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page
    assert not [bad for bad in ("<script>alert", "<img src=x") if bad in page]
    assert yaml.safe_load((job / "run" / "results.json").read_text())["classes"] == list(classes)
