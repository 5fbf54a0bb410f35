import uvicorn

from mcport.testing import AuthorizationServer

app = AuthorizationServer("http://127.0.0.1:9000")


def main() -> None:
    uvicorn.run(app, port=9000)
