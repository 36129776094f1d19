"""What data modules of any medium share: sets in memory, loaders that resume, downloads, tables of text."""
