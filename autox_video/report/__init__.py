"""What you learned: results and figures, from predictions."""
