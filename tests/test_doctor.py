"""What the doctor says of healthy and of broken machines, word by word."""

from __future__ import annotations

import importlib.metadata
import shlex
import sys
from pathlib import Path

import pytest

from autox_video import doctor
from autox_video.doctor import Attempt, Finding
from autox_video.plan.hardware import Gpu, GpuAnswer
from autox_video.plan.schema import Hardware

ROOT = Path(__file__).parent.parent
PIP = f"{shlex.quote(sys.executable)} -m pip"
T4 = Gpu("GPU-bb22", "Tesla T4", 15.0, 7.5)
ONE_T4 = GpuAnswer((T4,))
TWO_T4 = GpuAnswer((T4, Gpu("GPU-cc33", "Tesla T4", 15.0, 7.5)))
TWO = "Tesla T4 with 15 GiB, Tesla T4 with 15 GiB"
ALL = "a run uses all 2, a process each, or runtime.gpus of them"
CPU_DEVICE = "Until then, set runtime.device: cpu"


def torch_facts(**changed: object) -> Attempt:
    facts = {
        "version": "2.9.0",
        "cuda_build": "13.0",
        "cuda_error": None,
        "capability": 7.5,
        "architectures": [7.5, 9.0],
    }
    return Attempt({**facts, **changed})


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> list[Finding]:
    return doctor.diagnose(tmp_path_factory.mktemp("run") / "not" / "yet")


def test_this_machine_can_run_the_tests_so_nothing_required_is_wrong(findings: list[Finding]) -> None:
    assert [finding for finding in findings if finding.required and not finding.ok] == []
    listed = [requirement.name for requirement in doctor.requirements()]
    expected = [
        "python",
        *listed,
        "torch works",
        "gpu",
        "models import",
        "decoder",
        "disk",
        "/dev/shm",
        "memory",
        "cpu",
    ]
    assert [finding.name for finding in findings] == expected


def test_what_is_wrong_has_a_cure_and_what_is_right_has_none(findings: list[Finding]) -> None:
    for finding in findings:
        assert bool(finding.cure) is not finding.ok, finding


OTHER_MACHINE = "Use Linux on x86_64: decord, which MMAction2 reads videos with, has no other wheel"
OLD_PYTHON = "Use Python 3.10 to 3.13: python3.13 -m venv .venv"
NEW_PYTHON = "Not tested with this Python; when something fails, use 3.13: python3.13 -m venv .venv"


@pytest.mark.parametrize(
    ("version", "system", "machine", "ok", "cure", "required"),
    [
        ((3, 10, 0), "Linux", "x86_64", True, "", True),
        ((3, 13, 9), "Linux", "x86_64", True, "", True),
        ((3, 14, 1), "Linux", "x86_64", False, NEW_PYTHON, False),
        ((3, 9, 18), "Linux", "x86_64", False, OLD_PYTHON, True),
        ((3, 12, 0), "Linux", "aarch64", False, OTHER_MACHINE, True),
        ((3, 12, 0), "Darwin", "x86_64", False, OTHER_MACHINE, True),
    ],
)
def test_the_interpreter(
    version: tuple[int, ...], system: str, machine: str, ok: bool, cure: str, required: bool
) -> None:
    value = f"{'.'.join(map(str, version))} on {system} {machine}"
    assert doctor.check_python(version, system, machine) == Finding("python", ok, value, cure, required)


def install(folder: Path, name: str, version: str) -> None:
    metadata = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")


def test_missing_old_and_clashing_packages_are_named_with_the_command_that_repairs_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for requirement in doctor.requirements():
        if requirement.name not in ("decord", "torch", "opencv-python"):
            install(tmp_path, requirement.name, importlib.metadata.version(requirement.name))
    install(tmp_path, "torch", "2.3.1")
    install(tmp_path, "opencv-python", "4.10.0.84")
    install(tmp_path, "mmcv", "2.1.0")
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    contrib = importlib.metadata.version("opencv-contrib-python")
    assert [finding for finding in doctor.check_packages() if not finding.ok] == [
        Finding("torch", False, "2.3.1, torch>=2.4 is needed", f"{PIP} install 'torch>=2.4'"),
        Finding("decord", False, "not installed, decord==0.6.0 is needed", f"{PIP} install decord==0.6.0"),
        Finding(
            "opencv",
            False,
            f"several versions in one folder: opencv-python 4.10.0.84, opencv-contrib-python {contrib}",
            f"{PIP} install --force-reinstall --no-deps opencv-python=={contrib} opencv-contrib-python=={contrib}",
        ),
        Finding(
            "mmcv",
            False,
            "2.1.0 is installed in the same folder as mmcv-lite",
            f"{PIP} uninstall -y mmcv mmcv-lite && {PIP} install mmcv-lite==2.1.0",
        ),
    ]


def test_the_models_say_how_much_of_them_is_mended() -> None:
    facts = {"version": "1.2.0", "fixes": ["missing_drn", "numpy_inf"]}
    expected = Finding("models import", True, "Video Swin of MMAction2 1.2.0, mended in 2 places")
    assert doctor.check_models(Attempt(facts)) == expected


def test_a_torch_that_does_not_start_is_quoted() -> None:
    assert doctor.check_torch(Attempt({}, "the process ended by SIGILL")) == Finding(
        "torch works", False, "the process ended by SIGILL", f"{PIP} install --force-reinstall torch torchvision"
    )


NO_GPU = "none, so runs use the CPU"
UNUSABLE = "Tesla T4 with 15 GiB, but torch cannot use it: "
RELOAD = "Reload the NVIDIA driver (sudo modprobe nvidia) or reinstall it; start a container with --gpus all"
NEW_DRIVER = f"Update the NVIDIA driver to one for CUDA 13.0: sudo apt-get install nvidia-driver. {CPU_DEVICE}"
CPU_BUILD = f"This torch was built for the CPU: {PIP} install --force-reinstall torch torchvision. {CPU_DEVICE}"
OLDER_TORCH = f"This torch is too new for the GPU: {PIP} install 'torch==2.4.*' torchvision. {CPU_DEVICE}"
NEWER_TORCH = f"This torch is too old for the GPU: {PIP} install --upgrade torch torchvision. {CPU_DEVICE}"


@pytest.mark.parametrize(
    ("torch", "driver", "visible", "ok", "value", "cure"),
    [
        (torch_facts(), GpuAnswer(()), None, True, NO_GPU, ""),
        (torch_facts(), TWO_T4, "", True, f"{NO_GPU}; CUDA_VISIBLE_DEVICES= hides 2", ""),
        (torch_facts(), TWO_T4, "1", True, "Tesla T4 with 15 GiB; torch multiplies on it", ""),
        (torch_facts(), TWO_T4, None, True, f"{TWO}; torch multiplies on it; {ALL}", ""),
        (torch_facts(), GpuAnswer((), "NVIDIA-SMI has failed"), None, False, "NVIDIA-SMI has failed", RELOAD),
        (
            *(Attempt({}, "ImportError"), ONE_T4, None, False),
            *("Tesla T4 with 15 GiB, but torch does not work", "Repair torch first, as said above"),
        ),
        (
            torch_facts(cuda_build=None, cuda_error="not compiled with CUDA", capability=None, architectures=[]),
            *(ONE_T4, None, False, f"{UNUSABLE}not compiled with CUDA", CPU_BUILD),
        ),
        (
            torch_facts(cuda_error="the driver is too old", capability=None, architectures=[]),
            *(ONE_T4, None, False, f"{UNUSABLE}the driver is too old", NEW_DRIVER),
        ),
        (
            torch_facts(cuda_error="no kernel image is available", capability=6.1),
            *(ONE_T4, None, False, f"{UNUSABLE}no kernel image is available", OLDER_TORCH),
        ),
        (
            torch_facts(cuda_error="no kernel image is available", capability=12.0),
            *(ONE_T4, None, False, f"{UNUSABLE}no kernel image is available", NEWER_TORCH),
        ),
    ],
)
def test_the_gpu(torch: Attempt, driver: GpuAnswer, visible: str | None, ok: bool, value: str, cure: str) -> None:
    # A driver that does not answer leaves the CPU to train on; a GPU that fails later would end the run.
    finding = Finding("gpu", ok, value, cure, required=driver.error is None)
    assert doctor.check_gpu(torch, driver, visible) == finding


def test_an_opencv_that_wants_a_desktop_is_replaced_by_the_one_that_does_not() -> None:
    error = "ImportError: libGL.so.1: cannot open shared object file: No such file or directory"
    version = importlib.metadata.version("opencv-contrib-python")
    cure = f"{PIP} install --force-reinstall --no-deps opencv-contrib-python-headless=={version}"
    assert doctor.check_decoder(Attempt({}, error)) == Finding("decoder", False, error, cure)


def test_any_other_failure_reinstalls_what_failed() -> None:
    reinstall = f"{PIP} install --force-reinstall --no-deps"
    crash = "the process ended by SIGSEGV"
    opencv = "'opencv-python>=4.10.0.84' 'opencv-contrib-python>=4.10.0.84'"
    assert doctor.check_decoder(Attempt({}, crash)) == Finding(
        "decoder", False, crash, f"{reinstall} 'av<19,>=17.1' {opencv}"
    )
    bounds = "mmengine==0.10.7 mmcv-lite==2.1.0 mmaction2==1.2.0"
    assert doctor.check_models(Attempt({}, crash)) == Finding("models import", False, crash, f"{reinstall} {bounds}")


def test_the_disk_of_a_folder_that_does_not_exist_yet(tmp_path: Path) -> None:
    finding = doctor.check_disk(tmp_path / "a" / "b")
    assert finding.value.endswith(f" GiB free in {tmp_path}")


def test_a_file_where_the_work_dir_should_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("")
    assert doctor.check_disk(tmp_path / "run" / "deeper") == Finding(
        "disk",
        False,
        f"{tmp_path / 'run'} cannot be written to",
        "Choose another folder: --work-dir, or work_dir in config.yaml",
    )


@pytest.mark.parametrize(("free", "required"), [(3.0, False), (0.2, True)])
def test_a_full_disk_says_how_much_a_run_takes(
    free: float, required: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "free_gib", lambda folder: free)
    assert doctor.check_disk(tmp_path) == Finding(
        "disk",
        False,
        f"{free} GiB free in {tmp_path}",
        "The checkpoints of a run take up to 8 GiB (the largest model). What takes the space: "
        f"du -xh --max-depth=2 {tmp_path} | sort -h | tail",
        required=required,
    )


def test_a_small_machine_is_warned_about_and_not_refused() -> None:
    small = Hardware(
        num_gpus=0, gpu_name="", gpu_memory_gib=0.0, bfloat16=False, num_cpus=1, memory_gib=2.0, shm_gib=1 / 16
    )
    assert doctor.check_machine(small) == [
        Finding(
            "/dev/shm",
            False,
            "0.062 GiB free",
            "Fewer videos are decoded ahead. More: docker run --shm-size=8g ... (or --ipc=host), "
            "outside a container: sudo mount -o remount,size=8g /dev/shm",
            required=False,
        ),
        Finding(
            "memory",
            False,
            "2.0 GiB",
            "Train with the smallest batch: --set videos_per_gpu=1 --set runtime.workers=1",
            required=False,
        ),
        Finding("cpu", True, "1 core for this process"),
    ]


def test_a_crash_a_failure_and_a_hang_of_an_attempt_are_findings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "autox_video"
    (package / "runner").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "runner" / "__init__.py").write_text("")
    (package / "runner" / "environment.py").write_text(
        "import os, signal, time\n"
        "def crash(): os.kill(os.getpid(), signal.SIGSEGV)\n"
        "def fail(): raise OSError('libGL.so.1: cannot open')\n"
        "def hang(): time.sleep(60)\n"
        "def chat(): print('noise'); return {'version': '1'}\n"
    )
    monkeypatch.setattr(doctor, "PACKAGE_FOLDER", package)
    assert doctor.attempt("crash") == Attempt({}, "the process ended by SIGSEGV")
    assert doctor.attempt("fail") == Attempt({}, "OSError: libGL.so.1: cannot open")
    assert doctor.attempt("chat") == Attempt({"version": "1"})
    monkeypatch.setattr(doctor, "ATTEMPT_TIMEOUT_SECONDS", 0.5)
    assert doctor.attempt("hang") == Attempt({}, "no answer within 0.5 seconds")


def test_an_installed_package_knows_the_same_bounds_as_build_txt(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = doctor.requirements()
    monkeypatch.setattr(doctor, "PACKAGE_FOLDER", ROOT / "nowhere" / "autox_video")
    monkeypatch.setattr(importlib.metadata, "requires", lambda name: [*map(str, listed), 'pytest>=8; extra == "dev"'])
    assert doctor.requirements() == listed
