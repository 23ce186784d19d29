"""CloudWatch as it computes: metric math, alarm states and what they notify, without CloudWatch.

All times here are epoch seconds. What is not known is refused by name, never guessed.
"""
