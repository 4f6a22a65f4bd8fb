"""Facts to topology: which link is tied to which. No I/O; what is missing is returned as questions to ask."""
