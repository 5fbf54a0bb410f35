from mcport import OAuth


class Vault:
    """Keeps tokens wherever you like; the keys mean nothing, the values are secret."""

    def __init__(self) -> None:
        self._kept: dict[str, str] = {}

    async def get(self, key: str) -> str | None:
        return self._kept.get(key)

    async def set(self, key: str, value: str) -> None:
        self._kept[key] = value

    async def delete(self, key: str) -> None:
        self._kept.pop(key, None)


auth = OAuth(store=Vault())
