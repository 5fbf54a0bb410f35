"""What HTTP adds to the protocol, without any HTTP: headers, who may come in, which era a request belongs to."""
