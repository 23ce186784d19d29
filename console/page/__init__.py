"""The operator's page: the deployed dashboards, alarms, broadcasts and connections, live."""
