"""Game day: faults on purpose, and the alarms that must be heard of them."""
