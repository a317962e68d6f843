"""What is read off a machine, from recorded answers of its driver and its kernel."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from autox_video.plan.hardware import (
    Gpu,
    GpuAnswer,
    ask_driver,
    cgroup_limits,
    detect_hardware,
    free_gib,
    parse_gpus,
    visible_gpus,
)

TWO_KINDS = "GPU-aa11, NVIDIA GeForce RTX 3090, 24576, 8.6\nGPU-bb22, Tesla T4, 15360, 7.5\n"
LISTING = "GPU 0: NVIDIA GeForce RTX 3090 (UUID: GPU-aa11)\nGPU 1: Tesla T4 (UUID: GPU-bb22)\n"
RTX = Gpu("GPU-aa11", "NVIDIA GeForce RTX 3090", 24.0, 8.6)
T4 = Gpu("GPU-bb22", "Tesla T4", 15.0, 7.5)

SLICED = "GPU-5d5b, NVIDIA A100-SXM4-40GB, 40960, 8.0\nGPU-77aa, NVIDIA A100-SXM4-40GB, 40960, 8.0\n"
SLICED_LISTING = """\
GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-5d5b)
  MIG 1g.5gb      Device  0: (UUID: MIG-c6d4)
  MIG 3g.20gb     Device  1: (UUID: MIG-cba6)
GPU 1: NVIDIA A100-SXM4-40GB (UUID: GPU-77aa)
"""


def test_the_table_of_the_driver_is_read() -> None:
    assert parse_gpus(TWO_KINDS, LISTING) == (RTX, T4)
    assert parse_gpus("", "No devices found.\n") == ()


def test_the_slices_of_a_gpu_belong_to_it_and_have_their_own_memory() -> None:
    first, second = parse_gpus(SLICED, SLICED_LISTING)
    assert [(part.uuid, part.name, part.memory_gib) for part in first.slices] == [
        ("MIG-c6d4", "NVIDIA A100-SXM4-40GB MIG 1g.5gb", 5.0),
        ("MIG-cba6", "NVIDIA A100-SXM4-40GB MIG 3g.20gb", 20.0),
    ]
    assert second.slices == ()


def test_a_gpu_that_shares_the_memory_of_the_machine_counts_half_of_it() -> None:
    (gpu,) = parse_gpus("GPU-cc33, NVIDIA GB10, [N/A], 12.1\n", "")
    assert gpu.memory_gib == pytest.approx(detect_memory_gib() / 2)


def detect_memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


@pytest.mark.parametrize("table", ["Field is not a valid field to query.\n", "GPU-aa11, T4, 15360\n", "a, b, c, d\n"])
def test_an_answer_to_another_question_is_refused(table: str) -> None:
    with pytest.raises(ValueError, match=r"unexpected line|could not convert"):
        parse_gpus(table, "")


@pytest.mark.parametrize(
    ("variable", "visible"),
    [
        (None, ["GPU-aa11", "GPU-bb22"]),
        ("", []),
        ("1", ["GPU-bb22"]),
        ("1,0", ["GPU-bb22", "GPU-aa11"]),
        (" 0 , 1 ", ["GPU-aa11", "GPU-bb22"]),
        ("GPU-b", ["GPU-bb22"]),
        ("0,7,1", ["GPU-aa11"]),
        ("-1", []),
        ("NoDevFiles", []),
    ],
)
def test_only_the_gpus_that_cuda_shows_are_counted(variable: str | None, visible: list[str]) -> None:
    assert [gpu.uuid for gpu in visible_gpus((RTX, T4), variable)] == visible


@pytest.mark.parametrize(
    ("variable", "visible"),
    [
        (None, ["MIG-c6d4"]),
        ("0", ["MIG-c6d4"]),
        ("MIG-cba6", ["MIG-cba6"]),
        ("MIG-c6d4,MIG-cba6", ["MIG-c6d4"]),
        ("1", ["GPU-77aa"]),
    ],
)
def test_a_process_uses_one_slice_and_nothing_beside_it(variable: str | None, visible: list[str]) -> None:
    assert [gpu.uuid for gpu in visible_gpus(parse_gpus(SLICED, SLICED_LISTING), variable)] == visible


def fake_driver(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def answering(table: str, listing: str) -> str:
    return f"if [ \"$1\" = -L ]; then printf '%s' '{listing}'; else printf '%s' '{table}'; fi"


def test_the_smallest_gpu_decides_for_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_driver(tmp_path, answering(TWO_KINDS, LISTING), monkeypatch)
    found = detect_hardware()
    assert (found.num_gpus, found.gpu_name, found.gpu_memory_gib, found.bfloat16) == (
        2,
        "NVIDIA GeForce RTX 3090",
        15.0,
        False,
    )
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    found = detect_hardware("cuda")
    assert (found.num_gpus, found.gpu_memory_gib, found.bfloat16) == (1, 24.0, True)


def test_the_driver_is_not_asked_for_a_run_on_the_cpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_driver(tmp_path, f"touch {tmp_path}/asked; exit 1", monkeypatch)
    found = detect_hardware("cpu")
    assert (found.num_gpus, found.gpu_name, found.gpu_memory_gib, found.bfloat16) == (0, "", 0.0, False)
    assert not (tmp_path / "asked").exists()


def test_a_driver_that_fails_is_quoted_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    fake_driver(tmp_path, "echo 'NVIDIA-SMI has failed: make sure that the driver is running.'; exit 9", monkeypatch)
    said = "NVIDIA-SMI has failed: make sure that the driver is running."
    assert ask_driver() == GpuAnswer((), said)
    assert detect_hardware().num_gpus == 0
    assert [record.getMessage() for record in caplog.records] == [f"nvidia-smi: {said} (planning without a GPU)"]


def test_without_a_driver_there_is_nothing_to_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert ask_driver() == GpuAnswer(())
    assert detect_hardware().num_gpus == 0
    assert caplog.records == []


def group(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text + "\n")


def test_the_narrowest_limit_of_all_groups_around_a_process_counts(tmp_path: Path) -> None:
    membership = tmp_path / "cgroup"
    membership.write_text("0::/slurm/job_7/step_0\n")
    root = tmp_path / "fs"
    group(root / "slurm", cpu__max="max 100000", memory__max=str(64 * 2**30))
    group(root / "slurm" / "job_7", cpu__max="250000 100000", memory__max=str(8 * 2**30))
    group(root / "slurm" / "job_7" / "step_0", cpu__max="max 100000", memory__max="max")
    assert cgroup_limits(membership, root) == (2.5, 8 * 2**30)


def test_the_first_interface_of_the_kernel_is_read_too(tmp_path: Path) -> None:
    membership = tmp_path / "cgroup"
    membership.write_text("4:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n1:name=systemd:/\n")
    root = tmp_path / "fs"
    # A container sees its own group at the top, and not the path that the host has for it.
    group(root / "memory", memory__limit_in_bytes=str(4 * 2**30))
    group(root / "cpu", cpu__cfs_quota_us="300000", cpu__cfs_period_us="100000")
    assert cgroup_limits(membership, root) == (3.0, 4 * 2**30)
    group(root / "memory", memory__limit_in_bytes="9223372036854771712")
    group(root / "cpu", cpu__cfs_quota_us="-1", cpu__cfs_period_us="100000")
    assert cgroup_limits(membership, root) == (None, None)


def test_no_groups_mean_no_limits(tmp_path: Path) -> None:
    assert cgroup_limits(tmp_path / "missing", tmp_path) == (None, None)


def test_this_machine_has_a_core_and_some_memory() -> None:
    found = detect_hardware("cpu")
    assert 1 <= found.num_cpus <= (os.cpu_count() or 1)
    assert 0 < found.memory_gib <= detect_memory_gib()
    assert found.shm_gib == pytest.approx(free_gib(Path("/dev/shm")), rel=0.5)


def test_a_folder_that_is_not_there_has_no_room(tmp_path: Path) -> None:
    assert free_gib(tmp_path / "missing") == 0.0
    assert free_gib(tmp_path) > 0
