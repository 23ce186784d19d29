"""Logs Insights, as far as our own dashboards and saved queries use it."""
