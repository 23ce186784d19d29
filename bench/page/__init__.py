"""How fast the operator's page is seen, and how smoothly it redraws."""
