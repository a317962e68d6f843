"""PyAV, and which kinds of file its FFmpeg may open."""

from __future__ import annotations

import functools
from typing import Any, Final

# Lists of files and descriptions of streams: what is in them is read from wherever they say.
_LEAD_ELSEWHERE: Final = frozenset(
    {"applehttp", "concat", "concatf", "dash", "hls", "imf", "rtp", "rtsp", "sap", "sdp", "webm_dash_manifest"}
)


@functools.cache
def containers() -> dict[str, str]:
    """The containers that FFmpeg may take a file for: none that has it open other files or connections."""
    return {"format_whitelist": ",".join(sorted(pyav().formats_available - _LEAD_ELSEWHERE))}


@functools.cache
def pyav() -> Any:
    """The package, which takes a moment to import, without FFmpeg's own messages."""
    import av

    av.logging.set_level(av.logging.PANIC)
    return av
