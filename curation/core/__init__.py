"""What every table stage needs: the error a person reads, ordered spills."""
