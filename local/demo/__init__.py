"""`make demo`: the whole stack on this machine, with a crowd of real peers and a page."""
