"""Train and test video models from one config.yaml.

    from autox_video import AutoXVideo

The command line is `autox-video --help`; the code is best read from `workflow.py` on.
"""

from autox_video.api import AutoXVideo
from autox_video.errors import AutoXVideoError, RequestError, RunError

__version__ = "0.1.0"
__all__ = ["AutoXVideo", "AutoXVideoError", "RequestError", "RunError", "__version__"]
