"""One module per verb: orchestration over ports, no input or output of its own."""
