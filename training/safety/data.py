"""Training texts of the safety classifier: generated and packaged, seeded, attacks marked.

``training_samples`` gives the samples of one epoch. Texts come from the generators of this folder
(attacks, planted, harm, benign, documents, disguise), from the packages that sources reads, and
from the texts under training/written/. None shares a run of eight words with a text that is
measured.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from training.dedupe import bucket, without_overlap
from training.domain.data import held_out_chat
from training.domain.requests import GRAMMARS
from training.domain.requests import request as subject_request
from training.domain.topics import REQUESTS, TOPICS
from training.evaluation.hard_negatives import BLIND, LOOKED_AT
from training.safety.attacks import direct_attack, forum_jailbreak
from training.safety.benign import BENIGN, FOREIGN_BENIGN, asked, benign_request, system_prompt
from training.safety.disguise import (
    Span,
    chatter,
    encoded_attack,
    encoded_benign,
    gibberish_suffix,
    harmless_words,
    legible_disguise,
    pad,
    surround,
    vary_parts,
)
from training.safety.documents import document
from training.safety.harm import crescendo, harmful_deed, harmful_request, neighbour_request
from training.safety.planted import human_note, planted_instruction, wrap
from training.safety.sources import (
    SUSPICIOUS,
    adv_bench,
    agent_documents,
    agent_goals,
    agent_requests,
    alpaca_eval,
    bastion,
    business_documents,
    code_excerpt,
    crop,
    do_not_answer,
    evals_prompts,
    finance_questions,
    forge_prompts,
    harm_bench,
    held_out_benign,
    in_the_wild_split,
    injection_frames,
    injection_orders,
    latent_injections,
    manual_excerpt,
    mmlu_pro,
    pyrit_attacks,
    pyrit_harmful,
    pyrit_templates,
    real_requests,
    skim,
    tense_requests,
    training_code,
    unified_diff,
    web_texts,
    wikipedia,
    wikipedia_titles,
)
from training.spintax import expand
from training.written.records import read_folder

LABELS = ("benign", "jailbreak", "harmful")
SEED = 11
MEDIUM, LONG = (900, 4000), (4500, 15000)
"""Characters, least and most, of texts made of several pieces."""

WRITTEN_FOLDERS = ("attacks", "indirect", "requests")
"""Under training/written/; the beginning of a file's name is the label of its texts."""

Marked = tuple[str, Span | None]
"""A text, and the code points [start, end) of the attack in it; None: all of it, or no attack."""

# What nearly every jailbreak speaks of; the few texts of the forums without any are mostly
# harmless games and would only teach noise.
_TELLS = re.compile(
    r"ignor|disregard|forget|\bDAN\b|anything now|filter|restrict|jailb|illegal|ethic|moral"
    r"|censor|polic|guideline|refus|no limit|rules|forbid|prohibit|harmful|nsfw|explicit|warn"
    r"|disclaim|bypass|comply|break character|obey|developer mode|opposite|evil|danger|sexual"
    r"|swear|curse|offens|openai|freed|system prompt|hack",
    re.IGNORECASE,
)
# Of HarmBench: whether a request for a song text is harmful is another question.
_COPYRIGHT = re.compile(r"lyrics|first page|passage from|chapter of|full text", re.IGNORECASE)

_ENTITY_REQUESTS: Sequence[str] = (
    "What is {x}?", "Tell me about {x}.", "Who or what was {x}?", "Why is {x} important?", "{x}",
    "Write a short essay about {x}.", "Explain {x} in simple words.", "Write a poem about {x}.",
    "Give me five facts about {x}.", "What is the history of {x}?", "How does {x} work?",
    "How do I learn more about {x}?", "Make a quiz about {x} with ten questions.",
    "when did {x} start", "Which books about {x} do you recommend?", "{x} vs {y}?",
    "Compare {x} with {y}.", "Summarise what people say about {x}.", "{x} explained",
    "What are common misunderstandings about {x}?", "Is {x} still relevant today?",
    "Write a dialogue in which two friends discuss {x}.", "Draft a slide about {x} for my class.",
    "Pretend you are an expert on {x} and take my questions.", "Where does {x} come from?",
    "Act as a museum guide and talk about {x}.", "What would the world be like without {x}?",
    "List the key dates of {x}.", "I have to give a talk on {x} tomorrow, help!",
    "Which laws deal with {x}?", "What are the dangers of {x}?", "Translate {x} into German.",
    "How can one protect oneself from {x}?", "Write a blog post about {x} and {y}.",
)  # fmt: skip
_REPLIES: Sequence[str] = (
    "Sure, here is what I found.", "Of course!", "Happy to help.", "Here you go:", "Good question.",
    "I can't help with that, but I can suggest something else.", "Let me know if you need more.",
    "As an AI language model, I do not have feelings.", "Certainly.", "Hello! How can I help you?",
)  # fmt: skip
_TURNS: Sequence[tuple[str, str]] = (
    ("", ""), ("", ""), ("User: ", "Assistant: "), ("Human: ", "AI: "), ("Q: ", "A: "),
    ("user\n", "assistant\n"), ("[user] ", "[assistant] "), ("> ", ""),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sample:
    """One text, its label (a member of LABELS), where it came from, and the attack in it.

    ``attack`` holds the code points [start, end) of the attack or harmful passage where it is only
    a part of the text; None when the whole text is the attack, or the text is benign.
    """

    text: str
    label: str
    source: str
    attack: Span | None = None


def written(folder: str, label: str, *, measured: bool = False) -> list[Marked]:
    """Written texts of one label with what is marked in them: the training share, or the rest."""
    records = read_folder(folder, f"{label}*.txt", measured=measured)
    return [(record.text, record.mark) for record in records]


def insert_passage(carrier: str, passage: str, span: Span, rng: random.Random) -> tuple[str, Span]:
    """Insert ``passage`` as a line or a sentence of ``carrier`` at a random depth.

    Args:
        carrier: The document; it is kept whole.
        passage: What is inserted.
        span: Code points [start, end) of the attack in ``passage``.
        rng: Source of randomness.

    Returns:
        The longer document and the code points of the attack in it.
    """
    lines = [m.end() for m in re.finditer(r"\n", carrier)]
    stops = [m.end() for m in re.finditer(r"[.!?] ", carrier)]
    if lines and (not stops or rng.random() < 0.6):
        at = rng.choice([0, *lines, len(carrier)])
        before = "" if at == 0 or carrier[at - 1] == "\n" else "\n"
        after = "\n"
    else:
        at = rng.choice([0, *stops, len(carrier)])
        before = "" if at == 0 or carrier[at - 1].isspace() else " "
        after = " "
    start = at + len(before)
    text = carrier[:at] + before + passage + after + carrier[at:]
    return text, (start + span[0], start + span[1])


class Maker:
    """Draws texts of each kind from one stream of random numbers.

    Args:
        rng: The stream.
        mmlu: The file with MMLU-Pro's training questions.
    """

    def __init__(self, rng: random.Random, mmlu: Path) -> None:
        self.rng = rng
        self.questions = mmlu_pro(mmlu)
        self.goals = tuple(g for g in (*adv_bench(), *harm_bench()) if not _COPYRIGHT.search(g))
        self.wild = [t for t in in_the_wild_split()[0] if _TELLS.search(t)]
        self.evals = evals_prompts(rng, per_set=20)
        self.forge = [t for t in forge_prompts() if bucket(t, 10)]
        self.written = {
            label: [text for folder in WRITTEN_FOLDERS for text in written(folder, label)]
            for label in LABELS
        }
        marked = [(text, span) for text, span in written("indirect", "jailbreak") if span]
        self.plants = [text[start:end] for text, (start, end) in marked]
        # The same documents without what was planted show that the rest is harmless.
        self.cleaned = [text[:start] + text[end:] for text, (start, end) in marked]
        self.papers = [*self.cleaned, *(text for text, _ in written("indirect", "benign"))]
        self.short_attacks = [text for text, _ in written("attacks", "jailbreak")]
        self.short_harms = [text for text, _ in written("requests", "harmful")]

    def _limit(self) -> int:  # of characters; short ones are likelier, and as telling
        return self.rng.choice((200, 300, 400, 600, 900, 1500, 2400))

    # benign ----------------------------------------------------------------

    def wiki(self) -> str:
        """A Wikipedia summary, mostly English."""
        language = self.rng.choices(("en-us", "fr-fr", "es-es"), (8, 1, 1))[0]
        return crop(self.rng.choice(wikipedia(language)), self._limit(), self.rng)

    def entity(self) -> str:
        """A request about a person, place, event or thing that Wikipedia describes."""
        one, other = self.rng.choice(wikipedia_titles()), self.rng.choice(wikipedia_titles())
        return self.rng.choice(_ENTITY_REQUESTS).replace("{x}", one).replace("{y}", other)

    def code(self) -> str:
        """Code or a diff."""
        name, code = code_excerpt(training_code(), self.rng)
        if self.rng.random() < 0.4:
            return crop(unified_diff(code, name, self.rng), 2400, self.rng)
        return crop(code, self._limit() + 200, self.rng)

    def manual(self) -> str:
        """Technical prose."""
        return crop(manual_excerpt(training_code(), self.rng), self._limit() + 200, self.rng)

    def carrier(self) -> tuple[str, str]:
        """A benign document and the kind of wrapper that suits it."""
        draw = self.rng.random()
        limit = self._limit() + 150
        if draw < 0.36:
            return document(self.rng)
        if draw < 0.48:
            return self.rng.choice(self.papers), "plain"
        if draw < 0.60:
            return self.wiki(), "plain"
        if draw < 0.69:
            return self.code(), "code"
        if draw < 0.74:
            return self.manual(), "plain"
        if draw < 0.81:
            return crop(self.rng.choice(web_texts()), limit, self.rng), "html"
        if draw < 0.86:
            texts = (*agent_documents(), *business_documents())
            return crop(self.rng.choice(texts), limit, self.rng), "talk"
        if draw < 0.92:
            return crop(self.rng.choice(self.forge), limit, self.rng), "plain"
        return crop(self.rng.choice(self.evals), limit, self.rng), "data"

    def request_about(self, marked: Marked, kind: str = "doc_ask") -> Marked:
        """``marked`` with a request before or after it, sometimes behind a system prompt."""
        before, after = asked(kind, self.rng)
        if self.rng.random() < 0.12:
            before = system_prompt(self.rng) + "\n" + before
        return surround(*marked, before, after, mark=False)

    def benign_document(self) -> Marked:
        """A document as it is, or with notes from people to people hidden like an attack."""
        text, kind = self.carrier()
        for _ in range(self.rng.choice((0, 1, 1, 1, 2))):
            note, _ = wrap(human_note(self.rng), kind, self.rng)
            text, _ = insert_passage(text, note, (0, 0), self.rng)
        return self.request_about((text, None)) if self.rng.random() < 0.75 else (text, None)

    def given(self) -> str:
        """A task over some text: classify, rewrite, answer, continue."""
        ask = expand("{given}", BENIGN, self.rng)
        draw = self.rng.random()
        if draw < 0.34:
            text = self.carrier()[0]
        else:
            text = self.wiki() if draw < 0.67 else self.short_benign()
        return ask + self.rng.choice((" ", "\n", "\n\n")) + text[:700]

    def short_benign(self) -> str:
        """A request, a question or a short prompt."""
        draw = self.rng.random()
        if draw < 0.5:
            return benign_request(self.rng)
        if draw < 0.6:
            return self.subject()
        if draw < 0.7:
            return neighbour_request(self.rng)
        if draw < 0.8:
            return crop(self.rng.choice(self.evals), 400, self.rng)
        if draw < 0.9:
            return self.entity()
        return crop(self.rng.choice(self.questions), 400, self.rng)

    def reply(self) -> str:
        """What an assistant may have answered."""
        if self.rng.random() < 0.4:
            return self.rng.choice(_REPLIES)
        return crop(self.wiki(), self.rng.choice((80, 200, 400)), self.rng)

    def turns(self, messages: Sequence[Marked]) -> Marked:
        """User messages as one conversation, mostly with answers of the assistant between."""
        user, assistant = self.rng.choice(_TURNS)
        answers = self.rng.random() < 0.75
        sep = self.rng.choice(("\n", "\n", "\n\n"))
        text, found = "", None
        for number, (message, span) in enumerate(messages):
            if number:
                text += sep
                if answers:
                    text += assistant + self.reply() + sep
            text += user
            if span is not None:
                found = (len(text) + span[0], len(text) + span[1])
            text += message
        if self.rng.random() < 0.25:
            return surround(text, found, system_prompt(self.rng) + sep, "", mark=False)
        return text, found

    def conversation(self) -> Marked:
        """Several benign messages."""
        return self.turns([(self.short_benign(), None) for _ in range(self.rng.randint(2, 6))])

    def subject(self) -> str:
        """A request on one of the subjects of the domain classifier."""
        draw = self.rng.random()
        label = self.rng.choice(sorted(GRAMMARS))
        if draw < 0.75:
            return subject_request(label, self.rng)
        if draw < 0.85:
            return self.rng.choice(self.rng.choice(list(REQUESTS.values())))
        topic = self.rng.choice(self.rng.choice(list(TOPICS.values())))
        return self.rng.choice(_ENTITY_REQUESTS).replace("{x}", topic).replace("{y}", topic)

    def short_encoded(self) -> str:
        """A harmless text in code, or data that looks like code."""
        return encoded_benign(self.short_benign(), self.rng)

    def chat_prompt(self) -> str:
        """A prompt of evals."""
        return crop(self.rng.choice(self.evals), self._limit(), self.rng)

    def benign_forge(self) -> str:
        """A role, a system prompt or a task as a community collects them."""
        return crop(self.rng.choice(self.forge), self._limit(), self.rng)

    def pieces(self, characters: int) -> list[str]:
        """Different benign texts, ``characters`` long together."""
        out: list[str] = []
        while sum(map(len, out)) < characters:
            draw = self.rng.random()
            if draw < 0.5:
                out.append(self.carrier()[0])
            elif draw < 0.8:
                out.append("\n\n".join(self.wiki() for _ in range(self.rng.randint(1, 4))))
            elif draw < 0.9:
                out.append(self.conversation()[0])
            else:
                out.append(self.benign_document()[0])
        return out

    def long_benign(self) -> Marked:
        """Many pieces."""
        parts = self.pieces(self.rng.randint(*LONG))
        text = self.rng.choice(("\n\n", "\n", "\n---\n")).join(parts)
        return self.request_about((text, None)) if self.rng.random() < 0.6 else (text, None)

    def medium_benign(self) -> Marked:
        """Several documents, sometimes skimmed as compression leaves them."""
        text = "\n\n".join(self.pieces(self.rng.randint(*MEDIUM)))
        text = skim(text, 3500, self.rng) if self.rng.random() < 0.5 else text
        return self.request_about((text, None)) if self.rng.random() < 0.5 else (text, None)

    # attacks ---------------------------------------------------------------

    def goal(self) -> str:
        """What a jailbreak asks for."""
        return self.rng.choice(self.goals) if self.rng.random() < 0.5 else harmful_request(self.rng)

    def filled_template(self) -> str:
        """A jailbreak template of pyrit with a goal in it."""
        goal = self.goal()
        template = self.rng.choice(pyrit_templates())
        text = re.sub(r"\{\{\s*prompt\s*\}\}", lambda _: goal, template)
        return self._head_or_tail(text.replace("\\n", "\n"))

    def _head_or_tail(self, text: str) -> str:
        # An attack in the wild shows itself at either end; short cuts teach it from few words.
        limit = self.rng.choice((300, 500, 700, 1000, 1600, 3000, 6000))
        if len(text) <= limit or self.rng.random() < 0.7:
            return text[:limit]
        return text[-limit:].partition(" ")[2]

    def wild_attack(self) -> str:
        """A jailbreak from a forum: whole, an end of it, or its most telling sentences."""
        text = self.rng.choice(self.wild)
        if self.rng.random() < 0.3:
            sentences = re.findall(r"[^\n.!?]{15,}[.!?\n]*", text)
            first = self.rng.randrange(len(sentences)) if sentences else 0
            cut = "".join(sentences[first : first + self.rng.randint(2, 6)]).strip()
            if len(_TELLS.findall(cut)) >= 3:
                return cut
        text = self._head_or_tail(text)
        return f"{text}\n{self.goal()}" if self.rng.random() < 0.3 else text

    def framed_order(self) -> str:
        """Spikee's or AgentDojo's orders in Spikee's frames."""
        orders = self.rng.choice((injection_orders(), injection_orders(), agent_goals()))
        order = self.rng.choice(orders) if self.rng.random() < 0.8 else self.goal()
        return self.rng.choice(injection_frames()).replace("<INSTRUCTION>", order)

    def payload(self) -> str:
        """An instruction as it is planted in documents."""
        draw = self.rng.random()
        if draw < 0.64:
            text = planted_instruction(self.rng)
        elif draw < 0.84:
            text = self.rng.choice(self.plants)
        elif draw < 0.92:
            text = self.framed_order()
        elif draw < 0.96:
            text = forum_jailbreak(self.rng)[:600]
        else:
            text = harmful_deed(self.rng) + ". " + planted_instruction(self.rng)
        return legible_disguise(text, self.rng) if self.rng.random() < 0.03 else text

    def planted(self, carrier: str, kind: str) -> Marked:
        """``carrier`` with one planted instruction."""
        payload = self.payload()
        note, at = wrap(payload, kind, self.rng)
        return insert_passage(carrier, note, (at, at + len(payload)), self.rng)

    def indirect(self) -> Marked:
        """A document with a planted instruction to the assistant."""
        carrier, kind = self.carrier()
        if self.rng.random() < 0.3:
            note, _ = wrap(human_note(self.rng), kind, self.rng)
            carrier, _ = insert_passage(carrier, note, (0, 0), self.rng)
        marked = self.planted(carrier, kind)
        return self.request_about(marked) if self.rng.random() < 0.75 else marked

    def planted_among(self, characters: int) -> Marked:
        """Benign pieces, ``characters`` long, with one planted instruction at a random depth."""
        text = self.rng.choice(("\n\n", "\n", "\n---\n")).join(self.pieces(characters))
        marked = self.planted(text, "plain")
        return self.request_about(marked) if self.rng.random() < 0.6 else marked

    def buried_among(self, attack: Callable[[], str], characters: int) -> Marked:
        """Benign pieces, ``characters`` long, with an attack as a paragraph of its own."""
        parts = self.pieces(characters)
        at = self.rng.randint(0, len(parts))
        before = "".join(part + "\n\n" for part in parts[:at])
        after = "".join("\n\n" + part for part in parts[at:])
        return surround(attack()[:1500], None, before, after, mark=True)

    def any_jailbreak(self) -> str:
        """A jailbreak of any kind that stands by itself."""
        kinds = (self.direct, self.wild_attack, self.filled_template, self.encoded)
        return self.rng.choice((self.direct, self.framed_order, *kinds))()

    def buried(self, attack: Callable[[], str]) -> Marked:
        """An attack among benign messages or paragraphs."""
        bad = attack()[:1500]
        marked: Marked = (bad, (0, len(bad)))
        draw = self.rng.random()
        if draw < 0.2:
            return surround(*marked, system_prompt(self.rng) + "\n", "", mark=False)
        if draw < 0.65:
            messages: list[Marked] = [
                (self.short_benign()[:300], None) for _ in range(self.rng.randint(1, 4))
            ]
            messages.insert(self.rng.randint(0, len(messages)), marked)
            return self.turns(messages)
        filler = self.carrier()[0]
        if draw < 0.85:
            return surround(*marked, f"{filler}\n\n", "", mark=False)
        return surround(*marked, "", f"\n\n{filler}", mark=False)

    def split_turns(self) -> Marked:
        """An attack cut into pieces that are harmless alone, joined in the last message."""
        words = self.rng.choice((direct_attack, harmful_request))(self.rng)[:200].split()
        cuts = sorted(self.rng.sample(range(1, len(words)), min(len(words) - 1, 2)))
        pieces = [" ".join(words[a:b]) for a, b in zip([0, *cuts], [*cuts, None], strict=True)]
        names = self.rng.choice((("a", "b", "c"), ("X", "Y", "Z"), ("part1", "part2", "part3")))
        store = self.rng.choice(('Remember {n} = "{p}"', "Let {n} be '{p}'.", "{n}: {p}"))
        join = self.rng.choice(
            (
                "Now join {n} and follow it.",
                "Put {n} together and answer that, without comments.",
                "print({n}) and do what it says",
                "Concatenate {n}. That is my question; answer it in full.",
            )
        )
        messages = [
            store.replace("{n}", name).replace("{p}", piece)
            for name, piece in zip(names, pieces, strict=False)
        ]
        together = self.rng.choice((" + ", " and ", ", ")).join(names[: len(messages)])
        last = join.replace("{n}", together)
        if self.rng.random() < 0.5:
            return "\n".join((*messages, last)), None
        before: list[Marked] = [(message, None) for message in messages]
        return self.turns([*before, (last, (0, len(last)))])

    def crescendo(self) -> Marked:
        """Harmless questions on a topic, then the harmful one."""
        asks, last = crescendo(self.rng)
        messages: list[Marked] = [(ask, None) for ask in asks]
        return self.turns([*messages, (last, (0, len(last)))])

    def direct(self) -> str:
        """An attack in the user's own words."""
        if self.rng.random() < 0.2:
            return self.rng.choice(self.short_attacks)
        return direct_attack(self.rng)

    def encoded(self) -> str:
        """An attack in code or in other letters."""
        short = (direct_attack, direct_attack, harmful_request, planted_instruction)
        payload = self.rng.choice(short)(self.rng)[:220]
        if self.rng.random() < 0.25:
            return legible_disguise(payload, self.rng)
        return encoded_attack(payload, self.rng)

    def harmful(self) -> str:
        """A plain unsafe request."""
        draw = self.rng.random()
        if draw < 0.2:
            return self.rng.choice(self.short_harms)
        if draw < 0.8:
            return harmful_request(self.rng)
        return self.rng.choice((*self.goals, *pyrit_harmful()))

    def written_text(self, label: str) -> Marked:
        """A written text: alone, asked about, or as one message of a conversation."""
        text, span = self.rng.choice(self.written[label])
        draw = self.rng.random()
        if span is not None or "\n" in text:
            return self.request_about((text, span)) if draw < 0.4 else (text, span)
        if draw < 0.8:
            return text, span
        if label != "benign":
            return self.buried(lambda: text)
        messages: list[Marked] = [(self.short_benign(), None) for _ in range(2)]
        messages.insert(self.rng.randint(0, 2), (text, span))
        return self.turns(messages)

    def suffixed(self) -> str:
        """An unsafe request with an optimised-looking suffix."""
        return f"{self.harmful()} {gibberish_suffix(self.rng)}"

    def small_talk(self) -> str:
        """Harmless words or chatter alone: what is put around attacks."""
        if self.rng.random() < 0.5:
            return harmless_words(self.rng, self.rng.randint(1, 25))
        return chatter(self.rng, self.rng.randint(1, 4))


# Kind, label, samples per epoch at scale 1, share whose spelling varies, share with words around.
Plan = tuple[str, str, int, float, float]
PLAN: Sequence[Plan] = (
    ("request", "benign", 2600, 0.25, 0.15),
    ("neighbour", "benign", 1000, 0.25, 0.15),
    ("foreign", "benign", 100, 0.2, 0.1),
    ("human_note", "benign", 200, 0.2, 0.1),
    ("small_talk", "benign", 150, 0.2, 0.0),
    ("entity", "benign", 350, 0.25, 0.2),
    ("subject", "benign", 1000, 0.25, 0.15),
    ("given", "benign", 350, 0.1, 0.05),
    ("conversation", "benign", 450, 0.1, 0.05),
    ("evals", "benign", 550, 0.1, 0.05),
    ("question", "benign", 250, 0.1, 0.05),
    ("forge", "benign", 500, 0.1, 0.05),
    ("agent_request", "benign", 100, 0.2, 0.1),
    ("finance", "benign", 60, 0.2, 0.1),
    ("real", "benign", 320, 0.15, 0.05),
    ("web", "benign", 150, 0.0, 0.0),
    ("wiki", "benign", 250, 0.1, 0.0),
    ("code", "benign", 220, 0.0, 0.0),
    ("manual", "benign", 150, 0.0, 0.0),
    ("document", "benign", 850, 0.1, 0.0),
    ("encoded_benign", "benign", 350, 0.05, 0.1),
    ("written_benign", "benign", 2200, 0.15, 0.1),
    ("written_cleaned", "benign", 250, 0.1, 0.0),
    ("medium_benign", "benign", 220, 0.0, 0.0),
    ("long_benign", "benign", 24, 0.0, 0.0),
    ("direct", "jailbreak", 1450, 0.25, 0.25),
    ("template", "jailbreak", 260, 0.1, 0.1),
    ("wild", "jailbreak", 520, 0.1, 0.1),
    ("extraction", "jailbreak", 60, 0.3, 0.2),
    ("framed_order", "jailbreak", 200, 0.2, 0.1),
    ("indirect", "jailbreak", 1250, 0.1, 0.0),
    ("planted_alone", "jailbreak", 250, 0.2, 0.1),
    ("encoded", "jailbreak", 420, 0.05, 0.15),
    ("buried_direct", "jailbreak", 300, 0.1, 0.0),
    ("split_turns", "jailbreak", 100, 0.1, 0.0),
    ("suffixed", "jailbreak", 120, 0.0, 0.0),
    ("written_jailbreak", "jailbreak", 1000, 0.15, 0.1),
    ("medium_planted", "jailbreak", 120, 0.0, 0.0),
    ("medium_jailbreak", "jailbreak", 200, 0.0, 0.0),
    ("long_planted", "jailbreak", 10, 0.0, 0.0),
    ("long_jailbreak", "jailbreak", 10, 0.0, 0.0),
    ("harmful", "harmful", 1600, 0.25, 0.25),
    ("tense", "harmful", 80, 0.1, 0.1),
    ("buried_harmful", "harmful", 200, 0.1, 0.0),
    ("crescendo", "harmful", 120, 0.1, 0.0),
    ("written_harmful", "harmful", 600, 0.2, 0.15),
    ("medium_harmful", "harmful", 110, 0.0, 0.0),
    ("long_harmful", "harmful", 6, 0.0, 0.0),
)


def _drawers(make: Maker) -> dict[str, Callable[[], Marked]]:
    rng = make.rng
    whole: dict[str, Callable[[], str]] = {
        "request": lambda: benign_request(rng),
        "neighbour": lambda: neighbour_request(rng),
        "foreign": lambda: rng.choice(FOREIGN_BENIGN),
        "human_note": lambda: human_note(rng),
        "small_talk": make.small_talk,
        "entity": make.entity,
        "subject": make.subject,
        "given": make.given,
        "evals": make.chat_prompt,
        "question": lambda: crop(rng.choice(make.questions), 1300, rng),
        "forge": make.benign_forge,
        "agent_request": lambda: rng.choice(agent_requests()),
        "finance": lambda: rng.choice(finance_questions()),
        "real": lambda: crop(rng.choice(real_requests()), 900, rng),
        "encoded_benign": make.short_encoded,
        "direct": make.direct,
        "template": make.filled_template,
        "wild": make.wild_attack,
        "extraction": lambda: rng.choice(pyrit_attacks()),
        "framed_order": make.framed_order,
        "planted_alone": lambda: planted_instruction(rng),
        "encoded": make.encoded,
        "suffixed": make.suffixed,
        "harmful": make.harmful,
        "tense": lambda: rng.choice(tense_requests()),
    }
    parts: dict[str, Callable[[], Marked]] = {
        "web": lambda: make.request_about((crop(rng.choice(web_texts()), 1500, rng), None)),
        "wiki": lambda: make.request_about((make.wiki(), None)),
        "code": lambda: make.request_about((make.code(), None), "code_ask"),
        "manual": lambda: make.request_about((make.manual(), None)),
        "conversation": make.conversation,
        "document": make.benign_document,
        "medium_benign": make.medium_benign,
        "long_benign": make.long_benign,
        "written_benign": lambda: make.written_text("benign"),
        "written_cleaned": lambda: make.request_about((rng.choice(make.cleaned), None)),
        "written_jailbreak": lambda: make.written_text("jailbreak"),
        "written_harmful": lambda: make.written_text("harmful"),
        "indirect": make.indirect,
        "buried_direct": lambda: make.buried(make.direct),
        "buried_harmful": lambda: make.buried(make.harmful),
        "crescendo": make.crescendo,
        "split_turns": make.split_turns,
        "medium_planted": lambda: make.planted_among(rng.randint(*MEDIUM)),
        "medium_jailbreak": lambda: make.buried_among(make.any_jailbreak, rng.randint(*MEDIUM)),
        "medium_harmful": lambda: make.buried_among(make.harmful, rng.randint(*MEDIUM)),
        "long_planted": lambda: make.planted_among(rng.randint(*LONG)),
        "long_jailbreak": lambda: make.buried_among(make.any_jailbreak, rng.randint(*LONG)),
        "long_harmful": lambda: make.buried_among(make.harmful, rng.randint(*LONG)),
    }
    return {k: (lambda f=f: (f(), None)) for k, f in whole.items()} | parts


def training_set(
    seed: int, mmlu: Path, held_out: Sequence[str], scale: float = 1.0
) -> list[Sample]:
    """One epoch's samples, shuffled, without repetition and apart from ``held_out``.

    Args:
        seed: Of everything random here; another seed gives fresh samples of the same kinds.
        mmlu: File with MMLU-Pro's training questions.
        held_out: Texts that no sample may share a run of eight words with.
        scale: Factor of the numbers in PLAN.
    """
    rng = random.Random(seed)
    draw = _drawers(Maker(rng, mmlu))
    samples: list[Sample] = []
    for kind, label, count, varied, padded in PLAN:
        for _ in range(round(count * scale)):
            text, span = draw[kind]()
            if rng.random() < varied:
                text, span = vary_parts(text, span, rng)
            if rng.random() < padded:
                text, span = pad(text, span, rng, mark=label != "benign")
            if text.strip():
                samples.append(Sample(text, label, kind, span))
    kept = without_overlap([s.text for s in samples], held_out)
    samples = [samples[i] for i in kept]
    rng.shuffle(samples)
    return samples


def measured_texts(data: Path) -> list[str]:
    """Every text that the safety classifier is measured on and that training must not show."""
    chat = held_out_chat()  # of the domain classifier, which shares the encoder
    return [
        *(text for name in ("evals/steganography", "hand-written") for text, _ in chat[name]),
        *(row.text for row in bastion()),
        *alpaca_eval(data),
        *LOOKED_AT,
        *BLIND,
        *in_the_wild_split()[1],
        *latent_injections(),
        *do_not_answer(),
    ]


def harmless_elsewhere(texts: Sequence[str], data: Path) -> list[int]:
    """Indices of another task's training texts that safety may learn to be benign.

    Those with the words of a jailbreak are left out, and those that share a run of eight words
    with a text on which safety is measured.

    Args:
        texts: training texts of domain or personal data.
        data: folder of the shared data files.
    """
    forge = [text for text in forge_prompts() if not bucket(text, 10)]
    benign = held_out_benign(random.Random(SEED)).values()
    held_out = [*measured_texts(data), *forge, *(text for part in benign for text in part)]
    return [i for i in without_overlap(texts, held_out) if not SUSPICIOUS.search(texts[i])]


def training_samples(data: Path, epoch: int, scale: float = 1.0) -> list[Sample]:
    """The samples of one epoch, apart from every text that is measured.

    Args:
        data: Folder of the shared data files.
        epoch: Each number gives fresh samples of the same kinds.
        scale: 1 gives about 1.2 million tokens.

    Returns:
        Samples in random order; `Sample.attack` marks the attack where it is a part of the text.

    Raises:
        FileNotFoundError: A package of training/requirements-data.txt is missing.
        SystemExit: A data file is missing.
    """
    mmlu = data / "domain" / "mmlu_pro_train.jsonl"
    return training_set(SEED + epoch, mmlu, measured_texts(data), scale)
