"""A bundle: what `autox-video export` writes says what the trained model says, with this package and without."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from runs import Run, run_cli

from autox_video.runner import exporting
from autox_video.runner.predictor import open_predictor

# In place of a virtual environment with torch, numpy and PyAV alone (benchmarks/bundle_alone.py makes a real one).
ALONE = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        others = ("autox_video", "cv2", "mmaction", "mmcv", "mmengine", "onnx", "safetensors", "torchvision", "yaml")
        if name.split(".")[0] in others:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Missing())
import runpy
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.fixture(scope="module")
def exported(trained, tmp_path_factory) -> Run:
    """The shared run, tested once more in other views than were planned for it, and exported with everything."""
    run = trained.copy(tmp_path_factory.mktemp("exported") / "job")
    # As if it had had validation videos enough to learn a temperature from.
    best = torch.load(run.work_dir / "best.pth", weights_only=True)
    learned = {"temperature": 1.7, "num_videos": 40, "certain_from": 0.4}
    best["meta"]["autox_video"]["calibration"] |= learned
    best["meta"]["autox_video"]["temperature"] = learned["temperature"]
    torch.save(best, run.work_dir / "best.pth")
    run_cli("test", "-c", str(run.config), "--set", "test.views=2x1")
    output = run_cli("export", "--model", str(run.work_dir), "--onnx", "--videos", "4")
    return Run(run.folder, run.work_dir / "bundle", run.config, output)


def test_each_file_is_tried_and_the_figures_are_shown(exported):
    lines = exported.output.splitlines()
    assert [line.split(" test videos")[0] for line in lines[:3]] == [
        f"checked  {name}: the same top-1 on 4 of 4" for name in ("model.pt", "model.onnx", "predict.py")
    ]
    assert lines[3].startswith(f"bundle   {exported.work_dir} (")
    card = json.loads((exported.work_dir / "bundle.json").read_text())
    assert {name: (check["num_videos"], check["num_same"]) for name, check in card["checks"].items()} == {
        "model.pt": (4, 4),
        "model.onnx": (4, 4),
        "predict.py": (4, 4),
    }
    assert all(check["largest_difference"] < 1e-3 for check in card["checks"].values())


def test_the_card_has_the_checksums_of_all_other_files_and_what_was_found_in_the_test(exported):
    card = json.loads((exported.work_dir / "bundle.json").read_text())
    files = {path for path in exported.work_dir.iterdir() if path.name != "bundle.json"}
    assert {name: file["sha256"] for name, file in card["files"].items()} == {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files
    }
    results = json.loads((exported.work_dir.parent / "results.json").read_text())
    assert card["metrics"]["test"]["top1"] == results["metrics"]["top1"]
    assert card["classes"] == results["classes"]
    assert card["preprocessing"]["num_clips"] == results["views"]["num_clips"] == 2
    assert card["input"]["shape"][1] == results["views"]["num_clips"] * results["views"]["num_crops"]
    assert str(exported.folder) not in (exported.work_dir / "bundle.json").read_text()


def test_predict_py_needs_torch_numpy_and_pyav_alone_and_says_what_the_test_said(exported):
    results = json.loads((exported.work_dir.parent / "results.json").read_text())
    rows = [row for row in results["videos"] if row["status"] == "ok"]
    script = exported.work_dir / "predict.py"
    assert sum(map(bool, script.read_text().splitlines())) <= 60
    files = [str(exported.folder / "videos" / row["file"]) for row in rows]
    done = subprocess.run([sys.executable, "-c", ALONE, str(script), *files], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["labels"] for one in said] == [[row["predicted_label"]["name"]] for row in rows]
    np.testing.assert_allclose(
        [list(one["scores"].values()) for one in said], [row["scores"] for row in rows], atol=1e-5
    )
    assert [one["uncertain"] for one in said] == [row["uncertain"] for row in rows]
    assert [one["confidence"] for one in said] == pytest.approx([row["confidence"] for row in rows], abs=1e-5)
    # The temperature does something.
    assert max(abs(one["confidence"] - max(one["scores"].values())) for one in said) > 0.01


def test_onnx_runtime_takes_any_number_of_videos(exported):
    import onnxruntime

    session = onnxruntime.InferenceSession(str(exported.work_dir / "model.onnx"), providers=["CPUExecutionProvider"])
    ((name, shape),) = [(given.name, given.shape) for given in session.get_inputs()]
    assert (name, shape[0]) == ("clips", "videos")
    clips = np.random.default_rng(0).integers(0, 256, (3, *shape[1:]), dtype=np.uint8)
    together = session.run(["probabilities"], {"clips": clips})[0]
    alone = exporting.load_torchscript(exported.work_dir / "model.pt")
    np.testing.assert_allclose(together, np.concatenate([alone(one[None]) for one in clips]), atol=1e-6)
    np.testing.assert_allclose(together.sum(1), 1, atol=1e-6)


def test_a_bundle_is_a_model_for_this_package_too(exported, tmp_path):
    # Alone: nothing of the run beside it.
    bundle = shutil.copytree(exported.work_dir, tmp_path / "given away")
    ours, given = open_predictor(exported.work_dir.parent, "cpu", (2, 1)), open_predictor(bundle, "cpu")
    assert given.classes == ours.classes
    shape = json.loads((bundle / "bundle.json").read_text())["input"]["shape"][1:]
    assert given.plan.test_num_clips.value * given.plan.test_num_crops.value == shape[0]
    clips = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    scores = [predictor.score([torch.from_numpy(clips)]) for predictor in (ours, given)]
    np.testing.assert_array_equal(*scores)


def test_a_file_that_says_something_else_is_removed(exported, monkeypatch):
    """As where an exporter of torch writes what a network does not do."""

    def wrong(*given):
        network = load(*given)
        return lambda clips: np.roll(network(clips), 1, axis=1)

    load = exporting.load_onnx
    monkeypatch.setattr(exporting, "load_onnx", wrong)
    run, bundle = exported.work_dir.parent, exported.folder / "other"
    output = run_cli("export", "--model", str(run), "-o", str(bundle), "--onnx", "--videos", "1", code=1)
    assert "model.onnx: says something else than the trained model: the same top-1 on 0 of 1 test videos" in output
    assert output.endswith(" (0.001 is put up with). It was removed; the rest can be used.\n")
    assert sorted(path.name for path in bundle.iterdir()) == [
        *("README.md", "bundle.json", "model.pt", "model.safetensors", "predict.py")
    ]
    assert sorted(json.loads((bundle / "bundle.json").read_text())["checks"]) == ["model.pt", "predict.py"]


def test_a_network_that_cannot_be_exported_is_said_so_and_its_weights_are_there(exported, monkeypatch):
    def forward(network, clips):
        raise NotImplementedError("an operator that nobody has heard of")

    monkeypatch.setattr(exporting.ExportedNetwork, "forward", forward)
    run, bundle = exported.work_dir.parent, exported.folder / "untraced"
    # An earlier bundle is replaced.
    shutil.copytree(exported.work_dir, bundle)
    output = run_cli("export", "--model", str(run), "-o", str(bundle), "--videos", "1", code=1)
    assert output.splitlines() == [
        f"bundle   {bundle} ({sum(path.stat().st_size for path in bundle.iterdir()) / 1e6:.1f} MB)",
        "model.pt: the network cannot be traced by torch.jit (got an operator that nobody has heard of). The weights are "
        "in the bundle without it; see the table in docs/export.md.",
    ]
    assert sorted(path.name for path in bundle.iterdir()) == ["README.md", "bundle.json", "model.safetensors"]


def test_a_folder_with_other_files_is_left_alone(exported, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "thesis.tex").write_text("years of work")
    run = str(exported.work_dir.parent)
    output = run_cli("export", "--model", run, "-o", str(folder), code=2)
    assert output == (
        f"{folder}: exists and is no exported model. Name another folder with -o; nothing in this one was changed.\n"
    )
    assert [path.name for path in folder.iterdir()] == ["thesis.tex"]


def test_a_missing_package_is_named_with_what_installs_it(exported, monkeypatch):
    monkeypatch.setattr("autox_video.extras.find_spec", lambda name: None)
    output = run_cli("export", "--model", str(exported.work_dir.parent), "--onnx", code=2)
    assert output == (
        "--onnx: needs the packages onnx and onnxruntime, which are missing. Run pip install onnx onnxruntime, or leave "
        "it out.\n"
    )


def test_an_export_without_videos_to_try_it_on_is_refused(exported, tmp_path):
    shutil.copy(exported.work_dir.parent / "best.pth", tmp_path)
    output = run_cli("export", "--model", str(tmp_path), code=2)
    assert output == (
        f"{tmp_path}: has no list of videos. Name the work_dir of the training with --model, with its data where it was: "
        "an export is tried on them.\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["best.pth"]
