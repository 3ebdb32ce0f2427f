"""Did it work, for whom, and what moved elsewhere: a plan first, panels across agencies, effects, checks."""
