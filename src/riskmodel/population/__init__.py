"""The population view: rates, inequality, the unseen, searches, and who is known to several services at once.

Everything here is about groups and places. No figure made here is about a person, and none may be joined onto one.
"""
