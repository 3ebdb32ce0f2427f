"""How likely? Folds forward in time, learners beside honest comparators, calibration, metrics with intervals."""
