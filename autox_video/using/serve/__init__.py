"""A trained model as a small web page and JSON API.

The process that speaks HTTP (`app`) never opens a video. The one that does (`engine`) holds the model, and is killed
and begun anew when a video crashes it or takes too long. Uploads (`uploads`) are files without a name.
"""
