"""Is this machine fit to train on? Each finding says what was found and, when it is wrong, which command fixes it."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import re
import shlex
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from autox_video.plan.hardware import GpuAnswer, ask_driver, detect_hardware, free_gib, visible_gpus
from autox_video.plan.schema import Hardware
from autox_video.progress import Bar, progress_bar

TESTED_PYTHONS = ((3, 10), (3, 13))
# Two checkpoints of the largest model with the state of its optimizer, and a third while one is being replaced.
COMFORTABLE_DISK_GIB = 8.0
# Below this not even the smallest model is sure to finish a run.
LEAST_DISK_GIB = 0.5
COMFORTABLE_SHM_GIB = 1.0
COMFORTABLE_MEMORY_GIB = 4.0
ATTEMPT_TIMEOUT_SECONDS = 180
OPENCV = ("opencv-python", "opencv-contrib-python", "opencv-python-headless", "opencv-contrib-python-headless")
PACKAGE_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        name: What.
        ok: Whether it is as it should be.
        value: What was found.
        cure: What to do about it, a command wherever there is one; empty when it is fine.
        required: Whether a run fails because of it. False makes it a warning.
    """

    name: str
    ok: bool
    value: str
    cure: str = ""
    required: bool = True


@dataclass(frozen=True)
class Attempt:
    """What became of a function of `runner.environment` in a process of its own.

    Attributes:
        facts: What it returned; empty when it failed.
        error: The last line it left, or how its process ended; empty when it succeeded.
    """

    facts: dict[str, Any]
    error: str = ""


def diagnose(work_dir: Path | None = None) -> list[Finding]:
    """Look at everything a run depends on. Takes some seconds: what may crash is tried in processes of its own.

    Args:
        work_dir: The folder a run would write to, which need not exist; the current directory when None.
    """
    attempts = {}
    functions = ("try_torch", "try_models", "try_decoder")
    # The bar is drawn by a package that may be what is missing.
    watching = progress_bar(len(functions), "trying") if _version("rich") else nullcontext(Bar())
    with watching as bar, ThreadPoolExecutor(len(functions)) as pool:
        for function, result in zip(functions, pool.map(attempt, functions), strict=True):
            attempts[function] = result
            bar.advance()
    return [
        check_python(sys.version_info[:3], platform.system(), platform.machine()),
        *check_packages(),
        check_torch(attempts["try_torch"]),
        check_gpu(attempts["try_torch"], ask_driver(), os.environ.get("CUDA_VISIBLE_DEVICES")),
        check_models(attempts["try_models"]),
        check_decoder(attempts["try_decoder"]),
        check_disk(work_dir or Path()),
        *check_machine(detect_hardware("cpu")),
    ]


def check_python(version: tuple[int, ...], system: str, machine: str) -> Finding:
    """The interpreter, and the kind of machine that decord has a wheel for."""
    oldest, newest = (".".join(map(str, bound)) for bound in TESTED_PYTHONS)
    value = f"{'.'.join(map(str, version))} on {system} {machine}"
    if (system, machine) != ("Linux", "x86_64"):
        return Finding(
            "python", False, value, "Use Linux on x86_64: decord, which MMAction2 reads videos with, has no other wheel"
        )
    if not TESTED_PYTHONS[0] <= version[:2]:
        return Finding("python", False, value, f"Use Python {oldest} to {newest}: python{newest} -m venv .venv")
    if version[:2] > TESTED_PYTHONS[1]:
        cure = f"Not tested with this Python; when something fails, use {newest}: python{newest} -m venv .venv"
        return Finding("python", False, value, cure, required=False)
    return Finding("python", True, value)


def check_packages() -> list[Finding]:
    """The installed version of every dependency against its bound, and packages that get in each other's way."""
    findings = []
    for requirement in requirements():
        found = _version(requirement.name)
        ok = found is not None and requirement.specifier.contains(found, prereleases=True)
        wanted = str(requirement)
        value = found if ok and found else f"{found or 'not installed'}, {wanted} is needed"
        findings.append(Finding(requirement.name, ok, value, "" if ok else pip("install", wanted)))
    opencv = {name: version for name in OPENCV if (version := _version(name))}
    if len(set(opencv.values())) > 1:
        newest = max(opencv.values(), key=lambda version: [int(part) for part in re.findall(r"\d+", version)])
        value = "several versions in one folder: " + ", ".join(f"{name} {version}" for name, version in opencv.items())
        cure = pip("install", "--force-reinstall", "--no-deps", *(f"{name}=={newest}" for name in opencv))
        findings.append(Finding("opencv", False, value, cure))
    if full := _version("mmcv"):
        cure = f"{pip('uninstall', '-y', 'mmcv', 'mmcv-lite')} && {pip('install', 'mmcv-lite==2.1.0')}"
        findings.append(Finding("mmcv", False, f"{full} is installed in the same folder as mmcv-lite", cure))
    return findings


def requirements() -> list[Requirement]:
    """Every dependency with its bound: build.txt of a checkout, or what the installed package says of itself."""
    listed = PACKAGE_FOLDER.parent / "build.txt"
    if listed.is_file():
        lines = [line.partition("#")[0].strip() for line in listed.read_text(encoding="utf-8").splitlines()]
    else:
        lines = importlib.metadata.requires("autox_video") or []
    wanted = [Requirement(line) for line in lines if line]
    return [
        requirement for requirement in wanted if not requirement.marker or requirement.marker.evaluate({"extra": ""})
    ]


def attempt(function: str) -> Attempt:
    """Run a function of `runner.environment` in a new process, where a crash is a finding."""
    code = f"import json; from autox_video.runner import environment; print(json.dumps(environment.{function}()))"
    paths = [str(PACKAGE_FOLDER.parent), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    with tempfile.TemporaryDirectory() as folder:  # -c imports from the current directory, which may hold a torch.py
        try:
            done = subprocess.run(
                [sys.executable, "-c", code],
                capture_output=True,
                text=True,
                timeout=ATTEMPT_TIMEOUT_SECONDS,
                env=environment,
                cwd=folder,
            )
        except subprocess.TimeoutExpired:
            return Attempt({}, f"no answer within {ATTEMPT_TIMEOUT_SECONDS} seconds")
    if done.returncode < 0:
        return Attempt({}, f"the process ended by {signal.Signals(-done.returncode).name}")
    if done.returncode > 0:
        return Attempt({}, (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1])
    facts: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return Attempt(facts)


def check_torch(torch: Attempt) -> Finding:
    """Whether torch computes at all."""
    if torch.error:
        return Finding("torch works", False, torch.error, pip("install", "--force-reinstall", "torch", "torchvision"))
    return Finding(
        "torch works", True, f"multiplies on the CPU; built for CUDA {torch.facts['cuda_build'] or '(none)'}"
    )


def check_gpu(torch: Attempt, driver: GpuAnswer, cuda_visible_devices: str | None) -> Finding:
    """Whether the GPU that the driver shows is one that this torch can use."""
    if driver.error:
        cure = "Reload the NVIDIA driver (sudo modprobe nvidia) or reinstall it; start a container with --gpus all"
        return Finding("gpu", False, driver.error, cure, required=False)
    gpus = visible_gpus(driver.gpus, cuda_visible_devices)
    if not gpus:
        hidden = f"; CUDA_VISIBLE_DEVICES={cuda_visible_devices} hides {len(driver.gpus)}" if driver.gpus else ""
        return Finding("gpu", True, f"none, so runs use the CPU{hidden}")
    described = ", ".join(f"{gpu.name} with {gpu.memory_gib:.0f} GiB" for gpu in gpus)
    if torch.error:
        return Finding("gpu", False, f"{described}, but torch does not work", "Repair torch first, as said above")
    facts = torch.facts
    if facts["cuda_error"] is None:
        together = f"; a run uses all {len(gpus)}, a process each, or runtime.gpus of them" if len(gpus) > 1 else ""
        return Finding("gpu", True, f"{described}; torch multiplies on it{together}")
    value = f"{described}, but torch cannot use it: {facts['cuda_error']}"
    if facts["cuda_build"] is None:
        cure = "This torch was built for the CPU: " + pip("install", "--force-reinstall", "torch", "torchvision")
    elif facts["capability"] is None:
        cure = f"Update the NVIDIA driver to one for CUDA {facts['cuda_build']}: sudo apt-get install nvidia-driver"
    elif facts["architectures"] and facts["capability"] < min(facts["architectures"]):
        cure = "This torch is too new for the GPU: " + pip("install", "torch==2.4.*", "torchvision")
    else:
        cure = "This torch is too old for the GPU: " + pip("install", "--upgrade", "torch", "torchvision")
    return Finding("gpu", False, value, f"{cure}. Until then, set runtime.device: cpu")


def check_models(models: Attempt) -> Finding:
    """Whether MMAction2 imports, with the fixes of `runner/compat`."""
    if models.error:
        bounds = [str(wanted) for wanted in requirements() if wanted.name.startswith("mm")]
        return Finding("models import", False, models.error, pip("install", "--force-reinstall", "--no-deps", *bounds))
    value = f"Video Swin of MMAction2 {models.facts['version']}, mended in {len(models.facts['fixes'])} places"
    return Finding("models import", True, value)


def check_decoder(decoder: Attempt) -> Finding:
    """Whether OpenCV writes a video and PyAV reads it."""
    if not decoder.error:
        facts = decoder.facts
        value = f"PyAV {facts['av']} reads what OpenCV {facts['opencv']} writes"
        return Finding("decoder", True, value)
    if "cannot open shared object file" in decoder.error:
        # The usual OpenCV needs libraries of the desktop, which servers and containers lack; headless needs none.
        version = _version("opencv-contrib-python")
        wanted = "opencv-contrib-python-headless" + (f"=={version}" if version else "")
        return Finding("decoder", False, decoder.error, pip("install", "--force-reinstall", "--no-deps", wanted))
    bounds = [str(wanted) for wanted in requirements() if wanted.name in ("av", *OPENCV)]
    return Finding("decoder", False, decoder.error, pip("install", "--force-reinstall", "--no-deps", *bounds))


def check_disk(work_dir: Path) -> Finding:
    """Room for checkpoints, and the right to write them."""
    folder = work_dir.absolute()
    while not folder.exists():
        folder = folder.parent
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        cure = "Choose another folder: --work-dir, or work_dir in config.yaml"
        return Finding("disk", False, f"{folder} cannot be written to", cure)
    free = free_gib(folder)
    value = f"{free:.1f} GiB free in {folder}"
    if free >= COMFORTABLE_DISK_GIB:
        return Finding("disk", True, value)
    cure = (
        f"The checkpoints of a run take up to {COMFORTABLE_DISK_GIB:g} GiB (the largest model). What takes the space: "
    )
    cure += f"du -xh --max-depth=2 {shlex.quote(str(folder))} | sort -h | tail"
    return Finding("disk", False, value, cure, required=free < LEAST_DISK_GIB)


def check_machine(hardware: Hardware) -> list[Finding]:
    """Shared memory, main memory and cores; too little of them makes a run slow rather than wrong."""
    enough_shm = hardware.shm_gib >= COMFORTABLE_SHM_GIB
    shm_cure = (
        "" if enough_shm else "Fewer videos are decoded ahead. More: docker run --shm-size=8g ... (or --ipc=host), "
    )
    shm_cure += "" if enough_shm else "outside a container: sudo mount -o remount,size=8g /dev/shm"
    enough_memory = hardware.memory_gib >= COMFORTABLE_MEMORY_GIB
    memory_cure = (
        "" if enough_memory else "Train with the smallest batch: --set videos_per_gpu=1 --set runtime.workers=1"
    )
    cores = f"{hardware.num_cpus} core{'s' if hardware.num_cpus > 1 else ''} for this process"
    return [
        Finding("/dev/shm", enough_shm, f"{hardware.shm_gib:.2g} GiB free", shm_cure, required=False),
        Finding("memory", enough_memory, f"{hardware.memory_gib:.1f} GiB", memory_cure, required=False),
        Finding("cpu", True, cores),
    ]


def pip(*arguments: str) -> str:
    """A pip command for the interpreter that runs this."""
    return shlex.join([sys.executable, "-m", "pip", *arguments])


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
