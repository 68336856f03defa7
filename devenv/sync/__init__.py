"""Pure: a folder and what a container has, to the batch of changes between them."""
