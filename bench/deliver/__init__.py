"""What a post to @connections costs: our sender beside boto3, aiohttp, the Go SDK and wrk."""
