"""Which models can be exported: each made small, with random weights, as TorchScript and as ONNX.

    python benchmarks/export_table.py             # presets but the larger Video Swins, families of MMAction2's index
    python benchmarks/export_table.py x3d_s ...   # these

The small models of `tests/zoo.py` have all parts of their family. The largest difference is that of the
probabilities of one, two and three random videos at a time, traced with one, from those of the model itself.
"""

from __future__ import annotations

import argparse
import copy
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from measuring import ROOT, markdown, write_result

NAME = "export_table"
PACKAGES = ("torch", "mmaction2", "onnx", "onnxruntime")
HEADS = ("model", "backbone", "TorchScript", "ONNX")


def main() -> None:
    """Export each and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    import torch
    import zoo
    from test_zoo import OTHERS, PREFIX, SMALL

    torch.set_num_threads(1)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        data = zoo.write_lists(Path(folder))
        for name in arguments.names or [*SMALL, *(f"{PREFIX}{name}" for name in OTHERS)]:
            rows.append(row_of(name, zoo, data))
            print(*rows[-1].values(), flush=True)
    record = {"rows": rows}
    if not arguments.names:
        write_result(NAME, record, PACKAGES)
    print(table(record))


def table(record: dict[str, Any]) -> str:
    """A row a model."""
    return markdown(
        HEADS, [[f"`{row['model']}`", row["backbone"], row["model.pt"], row["model.onnx"]] for row in record["rows"]]
    )


def row_of(name: str, zoo: Any, data: Any) -> dict[str, str]:
    """One model: what comes of its export, in words."""
    import pytest
    import torch
    from mmengine.registry import DefaultScope

    from autox_video.errors import RunError
    from autox_video.runner import exporting
    from autox_video.runner.build import quiet_mmengine

    from mmaction.registry import MODELS  # isort: skip

    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        if "c3d" in name:
            zoo.thin_c3d(patch)
        job = zoo.job(Path(folder), data, name)
        with DefaultScope.overwrite_default_scope("mmaction"), quiet_mmengine():
            torch.manual_seed(0)
            model = MODELS.build(copy.deepcopy(job.config.model))
            model.init_weights()
        size, frames, views = job.plan.input_size.value, job.plan.clip_len.value, 6
        whole = job.plan.input_format.value == "NCTHW"
        shape = (views, 3, frames, size, size) if whole else (views * frames, 3, size, size)
        network = exporting.ExportedNetwork(SimpleNamespace(model=model, plan=job.plan))
        random = torch.Generator().manual_seed(0)
        videos = [torch.randint(0, 256, (n, *shape), dtype=torch.uint8, generator=random) for n in (1, 2, 3)]
        with torch.no_grad():
            expected = [network(some) for some in videos]

        def come_of(write: Callable[..., None], load: Callable[..., Any], file: str) -> str:
            begun = time.process_time()
            try:
                write(network, videos[0].numpy(), Path(folder, file))
                run = load(Path(folder, file))
                found = [torch.from_numpy(run(some.numpy())) for some in videos]
            except RunError as error:
                return f"refused: {error.problems[0].wrong}"
            worst = max(float((one - other).abs().max()) for one, other in zip(found, expected, strict=True))
            return f"{worst:.0e}, {time.process_time() - begun:.1f} s"

        return {
            "model": name,
            "backbone": str(job.config.model.backbone.type),
            "model.pt": come_of(exporting.write_torchscript, exporting.load_torchscript, "model.pt"),
            "model.onnx": come_of(exporting.write_onnx, exporting.load_onnx, "model.onnx"),
        }


if __name__ == "__main__":
    main()
