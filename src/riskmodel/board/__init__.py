"""The reading room: local web pages in which an ethics board reads cards, asks, decides, and sees what came of it.

It keeps no copy of anything: models and cards come from MLflow, what was decided and done from the ledger of the store
that the data scientists use. What people write here (questions, answers, votes) lies in that store, each record with
its hash in the ledger. It never shows a person, a score of a person, or a suppressed figure.
"""
