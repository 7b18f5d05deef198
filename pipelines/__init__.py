"""One thin command per stage of the graph: parse, read, call, write."""
