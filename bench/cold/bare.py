"""`python -m bench.cold.bare`: what starting Python costs whoever starts it."""
