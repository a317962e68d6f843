"""`python -m autox_video` is the command `autox-video`."""

from autox_video.cli import main

raise SystemExit(main())
