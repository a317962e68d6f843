"""The plan in MMEngine's words: one config, no torch."""
