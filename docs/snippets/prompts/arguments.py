from enum import Enum

import anyio

from mcport import Client, RemoteError, Server
from mcport.spec.types import CompletionArgument, PromptReference

server = Server("translator")


class Language(Enum):
    FRENCH = "fr"
    FINNISH = "fi"
    GREEK = "el"


@server.prompt
async def translate(text: str, language: Language, sentences: int = 2) -> str:
    """Ask for a translation."""
    return f"Translate into {language.name.title()}, in {sentences} sentences: {text}"


async def main() -> None:
    async with Client(server) as client:
        prompt = await client.get_prompt("translate", {"text": "hello", "language": "fi", "sentences": "1"})
        print(prompt.messages[0].content)
        found = await client.complete(PromptReference(name="translate"), CompletionArgument(name="language", value="f"))
        print(found.completion.values)
        try:
            await client.get_prompt("translate", {"text": "hello", "language": "es"})
        except RemoteError as error:
            print(error.code, error)


anyio.run(main)
