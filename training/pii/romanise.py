"""Names of other scripts in Latin letters, as they stand in English text and in passports."""

from __future__ import annotations

import unicodedata


def _table(source: str, target: str) -> dict[str, str]:
    return dict(zip(source.split(), target.split(), strict=True))


_LETTERS = {
    **_table(
        "а б в г д е ё ж з и й к л м н о п р с т у ф х ц ч ш щ ы э ю я і ї є ґ ў ј љ њ џ ѓ ќ ѕ",
        "a b v g d e yo zh z i y k l m n o p r s t u f kh ts ch sh shch y e yu ya i yi ye g u j lj "
        "nj dj gj kj dz",
    ),
    "ъ": "",
    "ь": "",
    **_table(
        "α β γ δ ε ζ η θ ι κ λ μ ν ξ ο π ρ σ ς τ υ φ χ ψ ω",
        "a v g d e z i th i k l m n x o p r s s t y f ch ps o",
    ),
    **_table(
        "ა ბ გ დ ე ვ ზ თ ი კ ლ მ ნ ო პ ჟ რ ს ტ უ ფ ქ ღ ყ შ ჩ ც ძ წ ჭ ხ ჯ ჰ",
        "a b g d e v z t i k l m n o p zh r s t u p k gh q sh ch ts dz ts ch kh j h",
    ),
    **_table(
        "ա բ գ դ ե զ է ը թ ժ ի լ խ ծ կ հ ձ ղ ճ մ յ ն շ ո չ պ ջ ռ ս վ տ ր ց ւ փ ք օ ֆ և",
        "a b g d e z e y t zh i l kh ts k h dz gh ch m y n sh o ch p j r s v t r ts v p k o f ev",
    ),
}
# Revised Romanization of Korean, syllable by syllable.
_LEADS = [
    "g",
    "kk",
    "n",
    "d",
    "tt",
    "r",
    "m",
    "b",
    "pp",
    "s",
    "ss",
    "",
    "j",
    "jj",
    "ch",
    "k",
    "t",
    "p",
    "h",
]
_VOWELS = [
    "a",
    "ae",
    "ya",
    "yae",
    "eo",
    "e",
    "yeo",
    "ye",
    "o",
    "wa",
    "wae",
    "oe",
    "yo",
    "u",
    "wo",
    "we",
    "wi",
    "yu",
    "eu",
    "ui",
    "i",
]
_TAILS = [
    "",
    "k",
    "k",
    "k",
    "n",
    "n",
    "n",
    "t",
    "l",
    "k",
    "m",
    "l",
    "l",
    "l",
    "p",
    "l",
    "m",
    "p",
    "p",
    "t",
    "t",
    "ng",
    "t",
    "t",
    "k",
    "t",
    "p",
    "t",
]
_HANGUL, _SYLLABLES = 0xAC00, 11172


def romanise(text: str) -> str:
    """``text`` with Cyrillic, Greek, Georgian, Armenian and Hangul letters in Latin ones.

    The Greek digraph ου becomes "ou"; changed words begin with a capital. Other
    letters stay as they are.
    """
    return " ".join(_word(word) for word in unicodedata.normalize("NFC", text).split(" "))


def _word(word: str) -> str:
    plain = "".join(_letter(letter) for letter in word.lower().replace("ου", "ou"))
    return word if plain == word.lower() else plain[:1].upper() + plain[1:]


def _letter(letter: str) -> str:
    if letter in _LETTERS:
        return _LETTERS[letter]
    index = ord(letter) - _HANGUL
    if 0 <= index < _SYLLABLES:
        lead, rest = divmod(index, 21 * 28)
        vowel, tail = divmod(rest, 28)
        return _LEADS[lead] + _VOWELS[vowel] + _TAILS[tail]
    base = unicodedata.normalize("NFD", letter)[0]
    return _LETTERS.get(base, letter)
