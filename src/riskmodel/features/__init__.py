"""What we know of a person on a day: features as meaning first, then one kernel that computes them for everybody."""
