"""Networks with a forward pass of our own; parameters and checkpoints are MMAction2's."""
