"""MMEngine hooks: what happens around epochs and checkpoints."""
