from mcport import Server

server = Server("weather")


@server.tool
async def forecast(city: str) -> str:
    """Forecast the next days for a city."""
    return f"Sunny in {city}"


if __name__ == "__main__":
    server.run(
        "http",
        host="0.0.0.0",
        port=8000,
        allowed_hosts=["mcp.example.com"],
        routes={"/health": lambda: "ok"},
    )
