"""A study: one folder with one ``study.toml``, and the stages that lead from records to a card."""
