"""The only importer of rich and questionary: progress, rendering, prompts."""
