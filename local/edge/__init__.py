"""API Gateway's WebSocket data plane on one machine, on public AWS APIs only."""
