"""Docstrings in the usual styles are taken apart into text and the meaning of arguments."""

import inspect

import pytest

from mcport.server.signature.docstring import Docstring, read_docstring

GOOGLE = """Forecast the weather.

    Looks at several models.

    Args:
        city (str, optional): where, by name
            or by postal code
        days (dict[str, (int)]): how far ahead:
            at most ten

            Beyond that it is a guess.
        *places: more places
        unit:
            which unit

    Returns:
        what to expect
    """

NUMPY = """Forecast the weather.

    Looks at several models.

    Parameters
    ----------
    city : str, optional
        where, by name
        or by postal code
    days, hours : int
        how far ahead
    unit
        which unit

    Returns
    -------
    str
        what to expect
    """

SPHINX = """Forecast the weather.

    Looks at several models.

    :param city: where, by name
        or by postal code
    :type city: str
    :param int days: how far ahead
    :keyword dict[str, int] unit: which unit
    :returns: what to expect
    """


def read(text: str) -> Docstring:
    return read_docstring(inspect.cleandoc(text))


@pytest.mark.parametrize("text", [GOOGLE, NUMPY, SPHINX])
def test_summary_and_text_come_without_the_arguments(text: str) -> None:
    about = read(text)
    assert about.summary == "Forecast the weather."
    assert about.description.startswith("Forecast the weather.\n\nLooks at several models.\n\n")
    assert about.description.endswith("what to expect")
    assert "postal" not in about.description
    assert "\n\n\n" not in about.description


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        (
            GOOGLE,
            {
                "city": "where, by name or by postal code",
                "days": "how far ahead: at most ten\n\nBeyond that it is a guess.",
                "places": "more places",
                "unit": "which unit",
            },
        ),
        (
            NUMPY,
            {
                "city": "where, by name or by postal code",
                "days": "how far ahead",
                "hours": "how far ahead",
                "unit": "which unit",
            },
        ),
        (SPHINX, {"city": "where, by name or by postal code", "days": "how far ahead", "unit": "which unit"}),
    ],
)
def test_arguments_are_described(text: str, arguments: dict[str, str]) -> None:
    assert read(text).arguments == arguments


@pytest.mark.parametrize(
    "header", ["Args", "Arguments", "Params", "Parameters", "Keyword Args", "Keyword Arguments", "Other Parameters"]
)
def test_a_section_may_go_by_several_names(header: str) -> None:
    assert read(f"Do.\n\n{header}:\n  a: one").arguments == {"a": "one"}


@pytest.mark.parametrize("word", ["param", "parameter", "arg", "argument", "key", "keyword"])
def test_a_field_may_go_by_several_names(word: str) -> None:
    assert read(f"Do.\n\n:{word} a: one").arguments == {"a": "one"}


def test_sections_follow_each_other_without_a_blank_line() -> None:
    about = read("Do.\n\nArgs:\n    a: one\nRaises:\n    ValueError: if not")
    assert about.arguments == {"a": "one"}
    assert about.description == "Do.\n\nRaises:\n    ValueError: if not"


def test_the_summary_is_the_whole_first_paragraph_on_one_line() -> None:
    assert read("Do this\nand that.\n\nMore.").summary == "Do this and that."


def test_nothing_comes_of_nothing() -> None:
    assert read_docstring("") == Docstring("", "", {})


@pytest.mark.parametrize(
    "text",
    [
        "Do.\n\nArgs:\n    none whatever",
        "Do.\n\nArgs:",
        "Parameters are many",
        "Parameters",
        "Note: a: b",
        "Take args:\n    a: b",
        "See :param: for more",
        "    Args:\n        indented as an example",
    ],
)
def test_text_that_only_looks_like_a_section_stays(text: str) -> None:
    about = read_docstring(text)
    assert about.arguments == {}
    assert about.description == text.strip()


def test_the_first_description_of_an_argument_counts() -> None:
    assert read("Do.\n\nArgs:\n    a: one\n\n:param a: two").arguments == {"a": "one"}
