"""What one does with a trained model: a file for each use."""
