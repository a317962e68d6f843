"""What we will do, and why: every value of a run, decided by pure functions."""
