"""The commands of `socketwatch`, one module each."""
