import pytest
from shop import Prices, prices, server

from mcport import Client
from mcport.spec.revisions import REVISIONS
from mcport.spec.types import ElicitRequestFormParams

ASKING = [name for name, revision in REVISIONS.items() if revision.elicits]


class FixedPrices(Prices):
    async def of(self, what: str) -> float:
        return 2.5


@pytest.mark.parametrize("revision", ASKING)
@pytest.mark.parametrize(("answer", "said"), [(True, "bought tea"), (False, "not bought")])
async def test_nothing_is_bought_without_a_yes(revision: str, answer: bool, said: str) -> None:
    asked: list[str] = []
    told: list[str | None] = []

    async def fill_in(form: ElicitRequestFormParams) -> dict[str, object]:
        asked.append(form.message)
        return {"value": answer}

    with server.override(prices, lambda: FixedPrices()):
        async with Client(
            server, revision=revision, elicit=fill_in, progress=lambda done, total, text: told.append(text)
        ) as client:
            result = await client.call_tool("buy", {"what": "tea"})
    assert result.text() == said
    assert asked == ["Buy tea for 2.5?"]
    assert told == ["it costs 2.5"]


async def test_the_real_program_says_what_it_takes() -> None:
    async with Client("shop.py") as client:
        [tool] = (await client.list_tools()).tools
    assert tool.input_schema["required"] == ["what"]
