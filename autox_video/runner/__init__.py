"""Drive MMEngine: train, test, checkpoints. The only part of the package that imports torch and MMAction2."""
