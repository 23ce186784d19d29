"""What a run of the reaper reads, writes and costs, however many rows are open."""
