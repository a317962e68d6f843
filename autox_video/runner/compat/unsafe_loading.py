"""MMEngine loads checkpoints either not at all or by running whatever is in them.

Symptom: with torch 2.6 and later, resuming from a checkpoint that MMEngine wrote raises `Weights only load
    failed ... HistoryBuffer`; with earlier ones every file, downloaded ones too, is unpickled, which runs
    code. On resume a string in `meta['config']` is executed as a Python config. A download is not checked
    against the checksum in its name, and a broken one stays in the cache.
Affected: MMEngine 0.10.7 and earlier.
Upstream: https://github.com/open-mmlab/mmengine/issues/1655
Delete when: MMEngine passes `weights_only=True`, writes files that load with it, and no longer
    executes `meta['config']`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from autox_video.errors import Problem, RequestError
from autox_video.runner.compat import upstream_source

# MMEngine's other schemes end in its own torch.load.
REFUSED = (
    *("torchvision://", "modelzoo://", "open-mmlab://", "openmmlab://", "mmcls://", "pavi://"),
    *(r"(\S+\:)?s3://", r"(\S+\:)?petrel://"),
)


def needed() -> bool:
    """Whether the installed MMEngine leaves the way of loading to torch's default."""
    return "weights_only" not in upstream_source("mmengine", "runner/checkpoint.py")


def apply() -> None:
    """Register our loader for files and URLs, through MMEngine's public hook for it."""
    from mmengine.runner import CheckpointLoader

    CheckpointLoader.register_scheme("", load_from_local, force=True)
    CheckpointLoader.register_scheme(("http://", "https://"), load_from_http, force=True)
    CheckpointLoader.register_scheme(REFUSED, load_from_elsewhere, force=True)


# MMEngine logs these names from the eleventh character on: "Loads checkpoint by local backend".
def load_from_local(filename: str, map_location: Any = None) -> dict[str, Any]:
    """A file, by `load_checkpoint_file`."""
    from autox_video.runner.checkpoints import load_checkpoint_file

    return load_checkpoint_file(Path(filename).expanduser(), map_location)


def load_from_http(filename: str, map_location: Any = None) -> dict[str, Any]:
    """A URL, by `fetch_weights` and `load_checkpoint_file`."""
    from autox_video.runner.checkpoints import load_checkpoint_file
    from autox_video.runner.weights import fetch_weights

    path = fetch_weights(filename)
    assert path is not None, "only `none` has no file"
    return load_checkpoint_file(path, map_location)


def load_from_elsewhere(filename: str, map_location: Any = None) -> dict[str, Any]:
    """No file: MMEngine's other schemes unpickle what they find."""
    raise RequestError(
        Problem(
            "load_from",
            "is a scheme of MMEngine that runs the code in the files it loads",
            "Download the file and give its path, or give a URL that starts with https://",
            repr(filename),
        )
    )
