"""What the end-to-end tests stand on: the real program, and peers that we did not write."""
