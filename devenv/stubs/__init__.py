"""Pure: what a user wrote for a stub, to WireMock mappings."""
