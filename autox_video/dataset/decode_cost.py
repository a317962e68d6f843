"""What decoding takes on this machine: measured once on a few training videos, and remembered with their facts."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import closing
from itertools import accumulate
from pathlib import Path

from autox_video.dataset.facts import DecodeCost
from autox_video.dataset.probe import VideoFacts, read_cache, write_cache
from autox_video.dataset.probe_pool import time_videos

NUM_TIMED = 6
# No other video is begun after the first; one takes the second at most.
BUDGET_SECONDS, LIMIT_SECONDS = 3.0, 10.0
# In what the cache keeps of a file: seconds, or None where there was no time or no way to measure it.
KEY = "decode_seconds"


def measure_decode_cost(videos: Mapping[str, VideoFacts], cache: Path) -> DecodeCost | None:
    """Measure a few videos, unless the cache knows what they take.

    Args:
        videos: The training videos that can be read, by absolute path; `probe_videos` has opened them.
        cache: The file that it keeps, where what is measured is added.

    Returns:
        None where nothing could be measured.
    """
    known = read_cache(cache)
    chosen = choose_videos({file: facts for file, facts in videos.items() if file in known})
    unknown = {file: videos[file].decoder for file in chosen if KEY not in known[file]}
    if unknown:
        known |= {file: {**known[file], KEY: seconds} for file, seconds in _time(unknown).items()}
        write_cache(cache, known)
    timed = sorted((known[file][KEY], file) for file in chosen if known[file][KEY] is not None)
    if not timed:
        return None
    sums = list(accumulate(seconds for seconds, _ in timed))
    heaviest = videos[next(file for done, (_, file) in zip(sums, timed, strict=True) if done >= sums[-1] / 2)]
    return DecodeCost(sums[-1] / len(timed), min(heaviest.width, heaviest.height), len(timed))


def choose_videos(videos: Mapping[str, VideoFacts]) -> list[str]:
    """A few videos, spread evenly over sizes and lengths; those in the middle first, should the time run out."""
    files = sorted(videos, key=lambda file: (videos[file].width * videos[file].height, videos[file].num_frames, file))
    count = min(NUM_TIMED, len(files))
    from_the_middle = sorted(range(count), key=lambda place: abs(2 * place + 1 - count))
    return [files[(2 * place + 1) * len(files) // (2 * count)] for place in from_the_middle]


def _time(decoders: Mapping[str, str]) -> dict[str, float | None]:
    found: dict[str, float | None] = dict.fromkeys(decoders)
    end = time.monotonic() + BUDGET_SECONDS
    with closing(time_videos(decoders, LIMIT_SECONDS)) as answers:
        for file, answer in answers:
            found[file] = answer.get(KEY)
            if time.monotonic() > end:
                break
    return found
