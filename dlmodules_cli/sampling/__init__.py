"""What ``sample`` writes, a file for each medium."""
