"""What `fuzz_files.py` does to files."""
