"""Is it even-handed, and how sure are we? Groups, errors by group, intervals by whole people, findings in sentences."""
