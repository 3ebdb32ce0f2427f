"""A synthetic society whose truth is known: people, lives, agencies, errors. Nobody in it exists."""
