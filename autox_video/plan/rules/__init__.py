"""One pure function a decision. A function takes only what it decides from, so that its test is a table."""
