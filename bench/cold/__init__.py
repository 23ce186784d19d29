"""What a cold start of `connect` costs, beside the usual libraries all imported at once."""
