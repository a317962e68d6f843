"""Steps of the data pipeline that MMAction2 lacks."""
