"""What `prefloop publish` makes of a build: layout, licences, scan, cards, Croissant metadata.

May import `curation.core` and `curation.audit`; sending is `pipelines.shared.hub`.
Start with dataset.py (a data set) and model.py (a checkpoint).
"""
