"""CloudWatch dashboards: what a body says, and what is wrong with it."""
