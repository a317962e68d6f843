"""What happens when in a video of any length: a model of clips, slid over it."""
