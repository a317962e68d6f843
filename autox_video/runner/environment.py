"""What can only be found out by trying. `doctor` runs each function in a process of its own, which may crash.

Every function returns facts that JSON can carry, and lets exceptions through: their last line is the finding.
"""

from __future__ import annotations

import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

from autox_video.decoding import FILES, open_video

NUM_FRAMES = 8


def try_torch() -> dict[str, Any]:
    """Multiply two matrices on the CPU, and on the GPU if CUDA has one.

    Returns:
        `version`; `cuda_build` (the CUDA release it was built for, or None); `cuda_error` (why
        CUDA cannot be used, or None); `capability` of the first GPU and the `architectures` the
        build has kernels for, as numbers like 8.6.
    """
    import torch

    def multiply(device: str) -> None:
        product = torch.ones(4, 8, device=device) @ torch.ones(8, 2, device=device)
        if float(product.sum()) != 64.0:
            raise RuntimeError(f"4x8 ones times 8x2 ones sum to {float(product.sum())} on {device}")

    multiply("cpu")
    facts: dict[str, Any] = {
        "version": torch.__version__,
        "cuda_build": torch.version.cuda,
        "cuda_error": None,
        "capability": None,
        "architectures": [],
    }
    try:
        torch.cuda.init()
        major, minor = torch.cuda.get_device_capability()
        facts["capability"] = float(f"{major}.{minor}")
        names = (name.split("_")[1].rstrip("af") for name in torch.cuda.get_arch_list())
        facts["architectures"] = sorted({int(number) / 10 for number in names})
        multiply("cuda")
    except (RuntimeError, AssertionError) as error:  # a CPU build asserts
        facts["cuda_error"] = str(error).strip().splitlines()[0]
    return facts


def try_models() -> dict[str, Any]:
    """Import MMAction2's models with our fixes, and find Video Swin among them.

    Returns:
        `version` of MMAction2; `fixes`, the names of those that were applied.
    """
    from autox_video.runner.compat import apply_all

    fixes = apply_all()
    import mmaction
    import mmaction.models
    from mmaction.registry import MODELS

    for name in ("Recognizer3D", "SwinTransformer3D", "I3DHead"):
        if MODELS.get(name) is None:
            raise RuntimeError(f"MMAction2 has no {name}")
    return {"version": mmaction.__version__, "fixes": fixes}


def try_decoder() -> dict[str, Any]:
    """Write a small video with OpenCV and decode it, as the training does.

    Returns:
        `opencv` and `av` versions.
    """
    import cv2
    import numpy as np

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 10, (64, 48))  # type: ignore[attr-defined]
        for index in range(NUM_FRAMES):
            writer.write(np.full((48, 64, 3), index * 20, dtype=np.uint8))
        writer.release()
        reader = open_video(str(path), FILES)
        shape = reader.frames([0, NUM_FRAMES - 1]).shape
        if (reader.num_frames, shape) != (NUM_FRAMES, (2, 48, 64, 3)):
            what = f"{reader.num_frames} frames and {shape} of a clip of {NUM_FRAMES} at 64x48"
            raise RuntimeError(f"PyAV read {what}")
    return {"opencv": cv2.__version__, "av": version("av")}
