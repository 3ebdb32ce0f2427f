"""Why this score? What each feature adds, what the model leans on, whether that holds still; reasons in sentences."""
