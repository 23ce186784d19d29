"""Reports for people: pages, tables and texts, each made of a report's JSON and nothing else."""
