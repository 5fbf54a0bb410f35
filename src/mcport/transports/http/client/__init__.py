"""HTTP as a client has it: requests are POSTs, and each is answered where it was asked."""
