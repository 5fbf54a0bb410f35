"""Extensions of the protocol, and methods of one's own."""
