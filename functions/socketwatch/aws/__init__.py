"""The edge of the domain: everything that talks to AWS, and nothing that decides."""
