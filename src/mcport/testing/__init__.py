"""What developers need beside a server or a client to try them out: never for production."""
