"""What counting the open connections costs: pages, read units and CPU at a million rows."""
