"""What happened, to whom, and since when it was known: the one history that every question is put to."""
