"""Networks of MMAction2 with a faster forward pass."""
