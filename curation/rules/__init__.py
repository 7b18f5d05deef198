"""The rules of the drop ledger: one predicate, one name, one reason each."""
