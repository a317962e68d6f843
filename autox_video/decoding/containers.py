"""Which containers a file may be in."""

from __future__ import annotations

import functools
from typing import Any, Final

# Lists of files and descriptions of streams: what is in them is read from wherever they say.
_LEAD_ELSEWHERE: Final = frozenset(
    {"applehttp", "concat", "concatf", "dash", "hls", "imf", "rtp", "rtsp", "sap", "sdp", "webm_dash_manifest"}
)


@functools.cache
def whole_files(av: Any) -> dict[str, str]:
    """Options for `av.open`: a file is taken for none that has FFmpeg open other files or connections.

    Args:
        av: The module.
    """
    return {"format_whitelist": ",".join(sorted(av.formats_available - _LEAD_ELSEWHERE))}
