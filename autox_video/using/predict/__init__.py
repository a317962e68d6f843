"""`autox-video predict`: what a trained model says of videos that stand in no data set.

`files.py` goes through a list of videos, `live.py` watches a stream that never ends.
"""

from autox_video.using.predict.asked import Asked
from autox_video.using.predict.files import predict_files
from autox_video.using.predict.inputs import stream_of
from autox_video.using.predict.live import Watching, predict_stream

__all__ = ["Asked", "Watching", "predict_files", "predict_stream", "stream_of"]
