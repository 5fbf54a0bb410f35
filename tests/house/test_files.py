"""No file of the project names the machine it was written on or a package registry's hosts."""

import re

import pytest

from tests.house.sources import ROOT, files

# Spelled in parts, so that this file does not name them either.
HOSTS = ("py" + "pi.org", "python" + "hosted.org", "npm" + "js.", "yarn" + "pkg.com", "conda." + "anaconda.org")
PLACES = ("wo" + "rk", "ro" + "ot", "opt/" + "wheels", "opt/" + "py" + "pi", "tmp/" + "scratch")
FORBIDDEN = re.compile(
    "|".join([*map(re.escape, HOSTS), *(rf"(?<![\w.]){re.escape(f'/{place}/')}" for place in PLACES)])
)


def test_no_file_names_a_registry_host_or_a_path_of_one_machine() -> None:
    wrong = []
    for path in files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if FORBIDDEN.search(line):
                wrong.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}")
    assert "\n".join(wrong) == ""


@pytest.mark.parametrize(
    "place", [f"https://{HOSTS[0]}/simple", f"'/{PLACES[0]}/main'", f"https://registry.{HOSTS[2]}org"]
)
def test_a_forbidden_place_is_noticed(place: str) -> None:
    assert FORBIDDEN.search(place)
