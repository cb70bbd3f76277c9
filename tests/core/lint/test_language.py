"""Which texts are taken as English; in others the checks that read English only are not made, and that is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.core.lint import lint
from studio.core.lint.language import is_english
from studio.exchange.policy_files import parse_policy

OTHERS = {
    "french": "Ce règlement dit ce que nous retirons du forum. Les messages qui insultent une personne sont interdits. "
    "Il est permis de critiquer les idées, tant que la personne n'est pas visée. En cas de doute, quelqu'un décide.",
    "spanish": "Estas normas explican qué comentarios se quedan y cuáles se retiran. Está prohibido insultar a otras "
    "personas o publicar sus datos. Se permite la crítica dura de las instituciones. En caso de duda decide alguien.",
    "portuguese": "Estas regras explicam quais comentários ficam e quais são removidos. É proibido insultar outras "
    "pessoas ou publicar os seus dados. A crítica dura às instituições é permitida. Em dúvida decide um moderador.",
    "finnish": "Nämä säännöt kertovat, mitkä viestit poistetaan keskustelusta. Toisten jäsenten loukkaaminen on "
    "kiellettyä, samoin mainostaminen ja uhkailu. Ankara kritiikki on sallittua, kunhan se ei kohdistu yksityiseen "
    "ihmiseen. Epäselvissä tapauksissa ylläpitäjä päättää asiasta yhdessä toisen ylläpitäjän kanssa.",
    "russian": "Эти правила объясняют, какие комментарии остаются, а какие удаляются.",
    "japanese": "このルールは、どの投稿を削除するかを説明します。",
}
ENGLISH = {
    "terse": "Spam: links, offers, chain letters. Scams: lottery, advance fee, phishing. Hate: slurs, dehumanising "
    "words. Violence: threats, praise. Nudity: explicit pictures, minors. Café menus: fine. Naïve questions: fine.",
    "names": "Posts about São Paulo, Málaga and Zürich are allowed. Remove posts that insult the people who live there "
    "or the members of the clubs, and leave those which only report the result of a match.",
    "short": "¡No spam!",
}


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_other_languages_are_told_from_english(text: str) -> None:
    assert not is_english(text)
    rules = [finding.rule for finding in lint(parse_policy(text, "p").policy)]
    assert rules.count("language-unchecked") == 1
    assert not {"escalation-missing", "precedence-missing", "section-instruction", "vague-word"} & {*rules}


@pytest.mark.parametrize("text", ENGLISH.values(), ids=ENGLISH)
def test_terse_english_and_foreign_names_stay_english(text: str) -> None:
    assert is_english(text)
    assert "language-unchecked" not in [finding.rule for finding in lint(parse_policy(text, "p").policy)]


def test_examples_in_another_language_do_not_make_a_policy_foreign() -> None:
    text = (
        "Decide whether the comment insults a member of the club. Criticism of the game is allowed.\n\n# Examples\n"
        + "- „Du bist so dumm wie der Ball und das ist nicht alles.“ → violates\n" * 8
    )
    assert "language-unchecked" not in [finding.rule for finding in lint(parse_policy(text, "p").policy)]


@given(st.text())
def test_any_text_has_an_answer(text: str) -> None:
    assert is_english(text) in (True, False)
