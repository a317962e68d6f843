"""Train, or go on where the last run stopped: `autox-video train`, from any folder, installed or not."""

import sys
from pathlib import Path

from autox_video.cli import main

if __name__ == "__main__":
    beside = Path(__file__).resolve().parent / "config.yaml"
    raise SystemExit(main(["train", *sys.argv[1:]], prog="AutoTrain.py", default_config=beside))
