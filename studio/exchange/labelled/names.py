"""What a column is, by its name alone: the spellings that labelled sets use, in any case and with any punctuation."""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NOT_WORD = re.compile(r"[^a-z0-9]+")


class Role(StrEnum):
    """What a column may be."""

    TEXT = "text"
    PROMPT = "prompt"
    RESPONSE = "response"
    TURNS = "turns"
    LABEL = "label"
    PROMPT_LABEL = "prompt_label"
    RESPONSE_LABEL = "response_label"
    CODES = "codes"
    MODEL = "model"
    REASON = "reason"
    ID = "id"
    GROUP = "group"
    ORDER = "order"
    SPEAKER = "speaker"
    META = "meta"
    OTHER = "other"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_EXACT: dict[Role, frozenset[str]] = {
    Role.GROUP: _words("conversation_id conversation dialogue_id dialog_id thread_id chat_id conv_id"),
    Role.ORDER: _words("turn_number turn turn_id turn_index turn_no turn_idx turn_num message_index message_number"),
    Role.SPEAKER: _words("speaker role turn_role author sender speaker_role turn_speaker author_role"),
    Role.TURNS: _words("messages turns conversations dialogue dialog chat_history history turn_list"),
    Role.PROMPT: _words(
        "prompt prompts user_prompt user_input user_message question instruction query prompt_text input input_text "
        "user user_query"
    ),
    Role.RESPONSE: _words(
        "response responses completion model_output output answer reply assistant assistant_response model_response "
        "response_text generation model_completion bot_response assistant_message assistant_reply"
    ),
    Role.TEXT: _words(
        "text content test_content turn_content message comment comment_text body post post_text tweet sentence "
        "utterance review review_text contents texts messages_text sms email description passage statement "
        "full_text message_text behavior goal test_input test_case_content content_text sample example document chat "
        "msg text_content user_content v2 turn_text "
        "texto texte testo tekst inhalt nachricht kommentar beitrag mensaje comentario contenido contenu commentaire"
    ),
    Role.ID: _words(
        "id uid uuid index idx key no nr number num row row_id row_idx item test_case test_no case case_number "
        "test_number sno s_no"
    ),
    Role.REASON: _words("why because"),
    Role.META: _words(
        "difficulty source language lang split date created_at updated_at timestamp platform domain severity "
        "confidence topic focus annotator lead_time annotation_id tags tag human_annotation agreement "
        "completed_by subset notes"
    ),
}
_TEXT_ORDER = ("turn_content", "test_content", "content", "text", "message", "comment_text", "comment", "body", "post")

_AIMS = ("goal", "behavior", "description")

_LABEL = _words(
    "label labels classification class category categories decision verdict expected gold truth annotation "
    "annotations rating violation violations violates violating violative violated safe unsafe safety harmful harm "
    "toxic toxicity spam hate hateful allowed flagged judgement judgment polarity sentiment moderation outcome "
    "harmfulness offensive abusive abuse threat insult obscene jailbreak jailbreaking nsfw acceptable compliant "
    "attack explicit sexual violence violent profanity vulgar harassment bullying cyberbullying hatespeech sexist "
    "sexism racist racism misogyny phishing scam fraud subtask majority consensus adjudicated "
    "etiqueta etiquette einstufung bewertung klasse clase classe kategorie categoria categorie"
)
_SURE_LABEL = _words(
    "label labels classification decision verdict expected gold truth rating annotation judgement judgment subtask "
    "majority consensus adjudicated"
)
_MODEL = _words(
    "gpt oss safeguard llm predicted prediction predictions predict pred preds classifier openai claude llama gemini "
    "mistral logged qwen deepseek perspective"
)
_MODELS_OWN = _words("predicted prediction predictions pred preds output result answer")
_BESIDE_MODELS = _words("cf mini nano large small pro flash turbo o")
_REASON = _words("reason reasons reasoning rationale explanation justification justifications explanations")
_CODES = _words("policies policy rule rules code codes categories category")
_PROMPT = _words("prompt user question query instruction")
_RESPONSE = _words("response completion reply assistant answer")
_NUMBERS_ABOUT = _words(
    "score scores category_scores probability prob confidence count id ids model type time date length "
    "notes note agreement style version template"
)
_ABOUT_A_SIDE = _words(
    "refusal category categories subcategory name lang language source tokens url hash sha256 md5 tag tags topic"
)
_ABOUT_A_LABEL = _words(
    "id ids count time date source model length notes note agreement language lang name url annotator"
)
_OF_TEXTS = _words("text texts tweet comment post message sentence utterance content body review sms email mail")
_BESIDE_TEXTS = _words("raw clean cleaned full original processed preprocessed user input the of")
_RANKED = (
    "expected_classification", "expected_decision", "expected_label", "expected", "expected_verdict", "expected_result",
    "gold_label", "gold", "ground_truth", "human_label", "true_label", "final_label", "label", "labels",
    "classification", "decision", "verdict", "annotation", "class", "target",
)  # fmt: skip
_RANKS = {frozenset(name.split("_")): place for place, name in enumerate(_RANKED)}
_LATE = ("sentiment", "polarity", "category", "categories", "rating", "outcome")


def normal(name: str) -> str:
    """A column's name as words in lower case joined by underscores; marks and invisible characters are gone."""
    text = unicodedata.normalize("NFKC", name)
    text = "".join(char for char in text if unicodedata.category(char) != "Cf")
    return _NOT_WORD.sub("_", _CAMEL.sub("_", text).lower()).strip("_")


def role_of(name: str) -> Role:
    """What a column of that name is; ``OTHER`` for a name that is not known. For a dotted name the last part counts."""
    if len(name) > 120:
        return Role.OTHER
    whole = normal(name)
    found = _role(whole)
    return _role(normal(name.rsplit(".", 1)[-1])) if found is Role.OTHER and "." in name else found


def _role(name: str) -> Role:
    for role, names in _EXACT.items():
        if name in names:
            return role
    words = frozenset(name.split("_"))
    if words & _REASON:
        return Role.REASON
    for side, text, label in (
        (_RESPONSE, Role.RESPONSE, Role.RESPONSE_LABEL),
        (_PROMPT, Role.PROMPT, Role.PROMPT_LABEL),
    ):
        if words & side:
            if words & (_NUMBERS_ABOUT - {"model"}) or words & _ABOUT_A_SIDE:
                return Role.META
            return label if words & _LABEL else text
    if _is_of_model(words):
        return Role.MODEL
    if name in ("target", "targets") or ("human" in words and len(words) > 1):
        return Role.LABEL
    if (
        words & _words("violated")
        and words & _CODES
        or (words & _CODES and words & _words("policy policies rule rules"))
    ):
        return Role.CODES
    if words & _LABEL:
        return _label(words)
    if name.endswith(("_id", "_uuid")):
        return Role.ID
    # Such as tweet_text. All words count: "nice post" is a text itself, and no name of a column.
    return Role.TEXT if words & _OF_TEXTS and words <= _OF_TEXTS | _BESIDE_TEXTS else Role.OTHER


def _is_of_model(words: frozenset[str]) -> bool:
    """Whether the words say that a model gave the values: ``llm_label``, ``gpt4``, ``gpt-oss-20b verdict``."""
    plain = {word.rstrip("0123456789") or word for word in words}
    if not plain & _MODEL:
        return False
    sizes = {word for word in words if word[:1].isdigit()}
    return bool(words & (_LABEL | _MODELS_OWN)) or plain - sizes <= _MODEL | _BESIDE_MODELS | {"b"}


def _label(words: frozenset[str]) -> Role:
    if words & _words("model") and not words & _words("expected gold true human"):
        return Role.MODEL
    return Role.META if words & (_NUMBERS_ABOUT - {"model"}) and not words & _SURE_LABEL else Role.LABEL


def text_rank(name: str) -> int:
    """Which of several text columns is the content: the lowest."""
    words = normal(name)
    return _TEXT_ORDER.index(words) if words in _TEXT_ORDER else len(_TEXT_ORDER) + (words in _AIMS)


def is_aim(name: str) -> bool:
    """Whether the column says what somebody wants, such as ``goal``: a content only where there is no other."""
    return normal(name) in _AIMS


def is_sure_label(name: str) -> bool:
    """Whether the name says that the column is the label, such as ``label`` or ``expected_decision``."""
    return label_rank(name) < len(_RANKED)


def may_be_label(name: str) -> bool:
    """Whether the name speaks of a label at all, if perhaps only of its kind or score, such as ``hate_type``."""
    words = set(normal(name.rsplit(".", 1)[-1]).split("_"))
    return bool(_LABEL & words) and not words & _ABOUT_A_LABEL


def label_rank(name: str) -> int:
    """Which of several label columns decides: the lowest. Equal ranks are a question."""
    words = normal(name.rsplit(".", 1)[-1])
    place = _RANKS.get(frozenset(words.split("_")))
    if place is not None:
        return place
    return len(_RANKED) + (10 if is_late(name) else 0)


def is_late(name: str) -> bool:
    """Whether the column sorts contents, perhaps not by what is right: ``category``, ``sentiment``."""
    words = normal(name.rsplit(".", 1)[-1])
    return words in _LATE or words.endswith(("category", "categories"))
