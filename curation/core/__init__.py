"""What all of curation stands on: schemas, ids, messages, ordered spills, the error a person reads.

May import nothing else of the project; everybody may import it.
Start with schema.py, then ordered.py (tables larger than memory).
"""
