"""What differs between the eras: how messages are dressed, admitted and read, and how a conversation opens."""
