"""The local web app: SQL over a build, its pairs, what-if pairing, and blind review.

May import `curation.audit`, `curation.pairing` and `curation.review`; `prefloop ui` starts it.
Start with app.py (the routes).
"""
