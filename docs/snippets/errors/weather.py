import os
import sys

from mcport import Server

server = Server("weather")

if __name__ == "__main__":
    if "WEATHER_KEY" not in os.environ:
        sys.exit("WEATHER_KEY is not set")
    server.run()
