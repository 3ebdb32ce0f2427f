"""Where tables live and joins run. Engines bring rows together and in order; none of them computes a feature."""
