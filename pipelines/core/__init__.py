"""What every stage shares: parameters, atomic outputs, the frame of a run."""
