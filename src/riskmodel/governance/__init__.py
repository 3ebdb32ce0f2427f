"""May we? Purposes, the one gate to people's rows, the ledger, approvals, and the only way an aggregate leaves."""
