"""Pages about a population: one look, tables behind every picture, readable without script or network."""
