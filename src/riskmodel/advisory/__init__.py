"""Advice that cannot decide: scores under an approval in force, lists with room for review, and what people judged."""
