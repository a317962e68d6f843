"""Sends one message: run as a script, in a process of its own, so that no network holds up or ends a training.

Reads one JSON object from standard input: `urls`, `title`, `body`, and `picture`, a path or null. Secrets of the
environment are put into the URLs here and nowhere else. Writes the positions of the URLs that did not take it, as a
JSON list.
"""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import sys

LIMIT_SECONDS = 60


def main() -> None:
    """Send what standard input says."""
    signal.alarm(LIMIT_SECONDS)  # what hangs ends by itself, whether or not the training still runs
    logging.disable()
    message = json.load(sys.stdin)
    import apprise

    failed = []
    for position, url in enumerate(message["urls"]):
        revealed = re.sub(r"\$\{(\w+)\}", lambda match: os.environ.get(match[1], ""), url)
        to = apprise.Apprise()
        attach = {"attach": message["picture"]} if message["picture"] else {}
        if not to.add(revealed) or not to.notify(title=message["title"], body=message["body"], **attach):
            failed.append(position)
    json.dump(failed, sys.stdout)


if __name__ == "__main__":
    main()
