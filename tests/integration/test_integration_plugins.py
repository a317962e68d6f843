from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest
import yaml
from runs import FAST, ROOT, run_cli

from autox_video.errors import RequestError
from autox_video.runner.plugins import import_plugins

EXAMPLES = ROOT / "docs" / "examples" / "plugins"


@pytest.fixture(scope="module")
def plugged(made_data, tmp_path_factory):
    """A run of an epoch with the five parts of docs/examples/plugins, whose module lies beside its settings."""
    folder = tmp_path_factory.mktemp("plugged")
    shutil.copy(EXAMPLES / "my_parts.py", folder)
    settings = yaml.safe_load((EXAMPLES / "config.yaml").read_text())
    settings |= {
        key: str(made_data / f"{key[9:]}_list.txt") for key in ("ann_file_train", "ann_file_val", "ann_file_test")
    }
    settings |= {"data_root": str(made_data / "videos"), "work_dir": "run", **FAST}
    settings["runtime"] = {**FAST["runtime"], "workers": 1}
    config = folder / "config.yaml"
    config.write_text(yaml.safe_dump(settings))
    return config, run_cli("train", "-c", str(config))


def test_a_model_a_transform_a_loss_an_optimizer_and_a_hook_of_ones_own_train(plugged):
    config, output = plugged
    assert "plugin   largest weight" in output
    rendered = (config.parent / "run" / "config_rendered.py").read_text()
    for part in ("TinyConv3D", "FrameNoise", "FocalLoss1", "SignSGD", "LargestWeightHook"):
        assert f"type='{part}'" in rendered
    plan = json.loads((config.parent / "run" / "plan.json").read_text())
    assert (plan["plugins"]["value"], plan["plugins"]["why"]) == (["my_parts"], "as asked")
    assert "top-1" in run_cli("test", "-c", str(config))


def test_the_rendered_config_imports_the_plugins_by_itself(plugged):
    config, _ = plugged
    code = (
        "from mmengine.config import Config; from mmengine.registry import HOOKS; "
        f"Config.fromfile({str(config.parent / 'run' / 'config_rendered.py')!r}); print(HOOKS.get('LargestWeightHook'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": f"{ROOT}:{config.parent}", "PATH": "", "OMP_NUM_THREADS": "1"},
    )
    assert "my_parts.LargestWeightHook" in done.stdout, done.stderr


def test_a_checkpoint_has_no_plugin_imported(plugged, tmp_path):
    config, _ = plugged
    bare = yaml.safe_load(config.read_text())
    del bare["plugins"]
    (config.parent / "bare.yaml").write_text(yaml.safe_dump(bare))
    for command in (["test"], ["train", "--set", "epoch=2"]):
        output = run_cli(command[0], "-c", str(config.parent / "bare.yaml"), *command[1:], code=2)
        assert output.splitlines()[-1] == (
            "plugins: must name the plugins that this run was trained with: a checkpoint has no code imported (got none). "
            "Write plugins: [my_parts], if you trust them."
        )


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            "absent_module",
            "plugins: cannot import absent_module (got ModuleNotFoundError: No module named 'absent_module')",
        ),
        (
            "./nowhere.py",
            "config.yaml:2: plugins: there is no such file (got './nowhere.py'). Write it, or correct the",
        ),
        ("./broken_plugin.py", "(got NameError: name 'undefined_name' is not defined). Correct the module."),
        ("./json.py", "json.py: another module is called json (got "),
        (
            "os; import sys",
            "config.yaml:2: plugins: must be the name of a module, the path of a .py file, or a list of these",
        ),
    ],
)
def test_a_plugin_that_cannot_be_imported_is_named_before_the_data_is_read(value, message, tmp_path):
    (tmp_path / "broken_plugin.py").write_text("undefined_name\n")
    (tmp_path / "json.py").write_text("")
    (tmp_path / "config.yaml").write_text(f"data_root: nowhere_at_all\nplugins: ['{value}']\n")
    output = run_cli("train", "-c", str(tmp_path / "config.yaml"), code=2)
    assert message in output
    assert len(output.splitlines()) == 1


def test_a_part_that_no_module_registers_is_named_before_the_data_is_read(tmp_path):
    (tmp_path / "config.yaml").write_text(
        "data_root: nowhere\ntrain: {hooks: [{type: EMAHok}]}\naugment:\n  transforms:\n    - {type: Nowhere}\n"
    )
    assert run_cli("train", "-c", str(tmp_path / "config.yaml"), code=2) == (
        "config.yaml:2: train.hooks: there is no hook of that name (got 'EMAHok'). Did you mean 'EMAHook'.\n"
        "config.yaml:4: augment.transforms: there is no transform of that name (got 'Nowhere'). "
        "Name the module that registers it under plugins.\n"
    )


def test_looking_at_settings_and_data_imports_no_plugin(made_data, tmp_path):
    (tmp_path / "singing_plugin.py").write_text(f"import os; os.mkdir({str(tmp_path / 'canary')!r})\n")
    text = (made_data / "config.yaml").read_text().replace("data_root: videos", f"data_root: {made_data / 'videos'}")
    for split in ("train", "val", "test"):
        text = text.replace(f" {split}_list.txt", f" {made_data / f'{split}_list.txt'}")
    (tmp_path / "config.yaml").write_text(text + "plugins: singing_plugin\n")
    for command in ("check", "plan", "render"):
        run_cli(command, "-c", str(tmp_path / "config.yaml"))
    assert not (tmp_path / "canary").exists()
    with pytest.raises(RequestError) as caught:  # there it is, and what it does is seen only now
        import_plugins([str(tmp_path / "singing_plugin.py"), "absent_plugin"])
    assert [problem.wrong for problem in caught.value.problems] == ["cannot import absent_plugin"]
    assert (tmp_path / "canary").exists()
