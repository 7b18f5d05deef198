"""Native rows from files: readers, streams, typed frames."""
