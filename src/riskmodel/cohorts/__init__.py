"""Who is in question and when (cohort), and what is at stake (outcome: yes, no or unknown)."""
