"""The proxy cache: small copies of the videos, of which a frame costs a fraction of what the original's does."""
