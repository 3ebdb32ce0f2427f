"""What came. One declared contract an agency; each delivered row is accepted or quarantined with a code."""
