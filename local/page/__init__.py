"""The live page of the local stack."""
