"""Logs: one JSON line each, correlated by connection, never with a payload, token or address."""

from aws_lambda_powertools import Logger


def logger(function: str) -> Logger:
    """The logger of one function.

    The service is set here and not by POWERTOOLS_SERVICE_NAME, for that would also become a
    dimension of every metric.
    """
    return Logger(service=function, log_uncaught_exceptions=False)
