"""What `prefloop publish` makes of a build: layout, licences, scan, cards, Croissant metadata."""
