"""Says on stderr why it cannot go on, and exits with code 2 or the one given."""

import sys

print("settings.toml: no such file", file=sys.stderr)
sys.exit(int(sys.argv[1]) if len(sys.argv) > 1 else 2)
