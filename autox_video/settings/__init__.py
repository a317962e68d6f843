"""What you asked: the validated `config.yaml`."""
