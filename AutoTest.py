"""Score the test videos with the best checkpoint: `autox-video test`, from any folder, installed or not."""

import sys
from pathlib import Path

from autox_video.cli import main

if __name__ == "__main__":
    beside = Path(__file__).resolve().parent / "config.yaml"
    raise SystemExit(main(["test", *sys.argv[1:]], prog="AutoTest.py", default_config=beside))
