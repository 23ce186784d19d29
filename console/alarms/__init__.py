"""Socketwatch's own alarms: read from their template, tested, replayed over history, watched."""
