"""Where every figure of the README comes from: scripts that print ratios between two things of one run."""
