"""`autox-video predict`: what a trained model says of videos that stand in no data set.

`files.py` goes through a list of videos, `live.py` watches a stream that never ends.
"""

from autox_video.using.predict.files import Asked, predict_files
from autox_video.using.predict.inputs import stream_of

__all__ = ["Asked", "predict_files", "stream_of"]
