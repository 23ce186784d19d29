"""Socketwatch's domain: pure Python that takes its time, its randomness and AWS as arguments.

Every error that this package raises on purpose derives from `SocketwatchError`
(`socketwatch.errors`). What talks to AWS is in `socketwatch.aws` and nowhere else.
"""
