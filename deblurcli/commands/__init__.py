"""The commands, one per file: parse, one call into the library, print."""
