"""A broadcast to a million connections, against a gateway that allows so many posts a second."""
