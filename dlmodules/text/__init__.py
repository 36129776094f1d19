"""Text: recurrent networks that read and write sequences."""
