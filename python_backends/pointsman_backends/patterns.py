"""Find personal data that has a fixed form, over a whole text, in linear time.

Candidates come from google-re2, whose automata never backtrack, where ``suspicious`` says that
there can be any; each is then checked by the rule its form carries (checksum, issued ranges,
registered top-level domains). Every pattern is bounded or consumes all that it looks at, so finding
*all* candidates is linear too. The standard library's ``re`` sees only candidates and windows of a
few bytes around them.

Out of scope: digits and letters outside ASCII (full-width, Arabic-Indic, look-alikes),
internationalised domain names in Unicode form, and numbers written out in words. Loopback and
unspecified addresses and netmasks are not reported: every machine has them.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import islice
from string import ascii_uppercase
from typing import Any, NamedTuple

import numpy as np
import phonenumbers
import re2
from numpy.typing import NDArray
from publicsuffixlist import PublicSuffixList
from stdnum import numdb

from pointsman_backends.suspicious import suspicious

MAX_FINDINGS = 50_000
"""In one text. Each takes some 50 microseconds on its way to the client."""


class Finding(NamedTuple):
    """One span of personal data.

    Attributes:
        type: Label in the models' vocabulary, for example ``"EMAIL_ADDRESS"``.
        start: First code point of the span.
        end: Code point after the span.
        score: Certainty in (0, 1]; 1.0 where a checksum or an unmistakable form decides.
    """

    type: str
    start: int
    end: int
    score: float


class _Span(NamedTuple):
    """A candidate that passed its check, in byte offsets."""

    start: int
    end: int
    score: float


class TooManyFindingsError(ValueError):
    """A text has more personal data than one decision can list in time."""


def scan(utf8: bytes) -> list[Finding]:
    """Find every e-mail, card, IBAN, SSN, IP address, phone number and domain name.

    Time is linear in ``len(utf8)`` whatever it holds. Where spans overlap, the form that is
    more certain wins (an e-mail address over the domain in it).

    Args:
        utf8: Text encoded as UTF-8. Lone surrogates encoded with ``surrogatepass`` count as one
            code point each, as they do in a Python string.

    Returns:
        Disjoint findings in order of position, with offsets in Unicode code points.

    Raises:
        TooManyFindingsError: There are more than ``MAX_FINDINGS``.
    """
    places = suspicious(utf8)
    text = b"\n".join([utf8[start:end] for start, end in places])
    spans: list[tuple[int, int, str, float]] = []
    possible = _FORMS.in_text(text) if text else ()
    for number, (kind, _, find) in enumerate(_DETECTORS):
        # What is closed may make room for what no form matched before.
        if number not in possible and not spans:
            continue
        found = list(islice(find(text), MAX_FINDINGS + 1 - len(spans)))
        if len(spans) + len(found) > MAX_FINDINGS:
            raise TooManyFindingsError(
                f"over {MAX_FINDINGS:,} pieces of personal data in one text; send it in parts"
            )
        for start, end, score in found:
            spans.append((start, end, kind, score))
        if found:  # closed to the detectors that follow
            closed = bytearray(text)
            for start, end, _ in found:
                closed[start:end] = bytes(end - start)
            text = bytes(closed)
    if not spans:
        return []
    spans.sort()
    bounds = np.array([span[:2] for span in spans], dtype=np.int64)
    origin = np.array(places, dtype=np.int64)
    begins = np.cumsum(origin[:, 1] - origin[:, 0] + 1)
    begins = np.append(0, begins[:-1])  # of each place in the text that was searched
    nth = np.searchsorted(begins, bounds, "right") - 1
    bounds += (origin[:, 0] - begins)[nth]
    return [
        Finding(kind, start, end, score)
        for (_, _, kind, score), (start, end) in zip(
            spans, _code_points(utf8, bounds).tolist(), strict=True
        )
    ]


def _code_points(utf8: bytes, offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Map byte offsets in ``utf8``, ascending in C order, to code-point offsets."""
    if utf8.isascii():
        return offsets
    leads = np.frombuffer(utf8, dtype=np.int8) >= -64  # all but 0b10xxxxxx
    ends = offsets.ravel().tolist()
    between = [
        np.count_nonzero(leads[start:end]) for start, end in zip([0, *ends], ends, strict=False)
    ]
    return np.cumsum(between, dtype=np.int64).reshape(offsets.shape)


def _byte(text: bytes, index: int) -> bytes:
    """The byte at ``index``, or nothing beyond either end."""
    return text[index : index + 1] if index >= 0 else b""


# A digit right before or after, also across one separator, means a longer number.
_DIGIT_BEFORE = re.compile(rb"[0-9][.\-+]?$|[.+]$")
_DIGIT_AFTER = re.compile(rb"[.\-]?[0-9]")


def _stands_alone(text: bytes, start: int, end: int) -> bool:
    return (
        _DIGIT_BEFORE.search(text[max(0, start - 2) : start]) is None
        and _DIGIT_AFTER.match(text, end) is None
    )


# --- e-mail ---------------------------------------------------------------------------------

# Latin letters with diacritics may stand in the local part; other scripts often have no spaces
# around an address, so they cannot be told from the text before it.
_EMAIL = re2.compile(
    "[A-Za-z0-9À-ɏ!#$%&'*+/=?^_`{|}~.\\-]+@[A-Za-z0-9\\-]+(?:\\.[A-Za-z0-9\\-]+)+".encode()
)
_USERINFO = re.compile(rb"://[^\s/@]*$")  # https://user:password@host
_LOCAL_CUT = re.compile(rb"^.*[=|/{'`]", re.DOTALL)
_EMAIL_LEFT_TRIM = b".'`{|}/=&?!#$%^*~+-"


def _emails(text: bytes) -> Iterator[_Span]:
    if b"@" not in text:
        return
    for match in _EMAIL.finditer(text):
        start, end = match.span()
        at = text.index(b"@", start)
        # Legal in an address, but far more often what separates it: `mail=joe@…`, `{x|joe@…`.
        local = _LOCAL_CUT.sub(b"", text[start:at], count=1).lstrip(_EMAIL_LEFT_TRIM)
        start = at - len(local)
        if not 1 <= len(local) <= 64 or local.endswith(b".") or b".." in local:
            continue
        host = text[at + 1 : end]
        if len(host) > 253 or not _registered(host):
            continue
        after = _byte(text, end)
        if _USERINFO.search(text[max(0, start - 64) : start]):
            continue
        if after == b"@" or (local == b"git" and after == b":"):  # git@host:path is a remote
            continue
        # `x@w.to(device)` is a matrix product.
        if after in (b"(", b"[", b"_") and not host.lower().endswith((b".com", b".org", b".net")):
            continue
        yield _Span(start, end, 1.0)


# --- payment cards --------------------------------------------------------------------------

# Runs of groups, in fours or as American Express (4-6-5) and Diners Club (4-6-4) print them.
_CARD = re2.compile(rb"\b(?:[0-9]{4}(?:[ \-][0-9]{3,6}){2,}|[0-9]{13,19})\b")
_CARD_IN_RUN = re.compile(
    rb"(?=([0-9]{4}( |-)[0-9]{4}\2[0-9]{4}\2[0-9]{4}(?:\2[0-9]{3})?(?![0-9])"
    rb"|[0-9]{4}( |-)[0-9]{6}\3[0-9]{4,5}(?![0-9])))(?<![0-9])"
)
_LUHN_PLAIN = bytes(max(0, min(9, byte - 48)) for byte in range(256))
_LUHN_DOUBLE = bytes(sum(divmod(2 * value, 10)) for value in _LUHN_PLAIN)


def _cards(text: bytes) -> Iterator[_Span]:
    for match in _CARD.finditer(text):
        start, end = match.span()
        run = text[start:end]
        if run.isdigit():
            if _is_card(run) and _stands_alone(text, start, end):
                yield _Span(start, end, 1.0)
            continue
        taken = 0
        for grouped in _CARD_IN_RUN.finditer(run):
            first, last = grouped.span(1)
            length = _card_length(grouped[1]) if first >= taken else 0
            if length and (first > 0 or last < len(run) or _stands_alone(text, start, end)):
                taken = first + length
                yield _Span(start + first, start + taken, 1.0)


def _card_length(candidate: bytes) -> int:
    """Bytes of the grouped card number that ``candidate`` starts with, or 0."""
    if _is_card(candidate.translate(None, b" -")):
        return len(candidate)
    # 16 digits in fours, then three digits of something else, for example the CVV.
    if len(candidate) == 23 and _is_card(candidate[:19].translate(None, b" -")):
        return 19
    return 0


def _is_card(digits: bytes) -> bool:
    if len(digits) not in _card_lengths(digits[:4]):
        return False
    plain, double = digits[::-2].translate(_LUHN_PLAIN), digits[-2::-2].translate(_LUHN_DOUBLE)
    return (sum(plain) + sum(double)) % 10 == 0


@lru_cache(maxsize=10_000)
def _card_lengths(prefix: bytes) -> tuple[int, ...]:
    """Lengths issued under the first four digits (ISO/IEC 7812 ranges of the card schemes)."""
    four = int(prefix)
    two = four // 100
    if two // 10 == 4:  # Visa
        return (13, 16, 19)
    if 51 <= two <= 55 or 2221 <= four <= 2720:  # Mastercard
        return (16,)
    if two in (34, 37):  # American Express
        return (15,)
    if 3000 <= four <= 3059 or four == 3095 or two in (36, 38, 39):  # Diners Club
        return (14, 15, 16, 17, 18, 19)
    if four == 6011 or 6440 <= four <= 6599 or two in (62, 81):  # Discover, UnionPay
        return (16, 17, 18, 19)
    if 3528 <= four <= 3589:  # JCB
        return (16, 17, 18, 19)
    if 2200 <= four <= 2204:  # Mir
        return (16, 17, 18, 19)
    if two == 50 or 5600 <= four <= 5899 or two in (63, 67):  # Maestro
        return (13, 15, 16, 17, 18, 19)
    return ()


# --- bank accounts --------------------------------------------------------------------------


def _iban_forms() -> dict[bytes, re.Pattern[bytes]]:
    """Form of an IBAN by country code, from the SWIFT registry in python-stdnum."""
    registry = numdb.get("iban")
    classes = {"n": "[0-9]", "a": "[A-Z]", "c": "[A-Z0-9]"}
    forms = {}
    for first in ascii_uppercase:
        for second in ascii_uppercase:
            country = first + second
            structure = registry.info(country)[0][1].get("bban", "")  # as "4!n4!n12!c"
            parts = re.findall(r"([0-9]+)!([nac])", structure)
            if parts:
                body = "".join(f"(?:[ -]?{classes[kind]}){{{count}}}" for count, kind in parts)
                form = f"{country}[0-9]{{2}}{body}(?![A-Z0-9])"
                forms[country.encode()] = re.compile(form.encode(), re.IGNORECASE)
    return forms


_IBAN_FORMS = _iban_forms()
_IBAN_HEAD = re2.compile(b"\\b(?i:" + b"|".join(_IBAN_FORMS) + rb")[0-9]{2}")
# Letters count 10 to 35 in the checksum (ISO 13616).
_IBAN_DIGITS = {ord(letter): str(10 + i) for i, letter in enumerate(ascii_uppercase)}


def _ibans(text: bytes) -> Iterator[_Span]:
    taken = 0
    for head in _IBAN_HEAD.finditer(text):
        start = head.start()
        match = _IBAN_FORMS[text[start : start + 2].upper()].match(text, start)
        if match is None or start < taken:
            continue
        number = match[0].translate(None, b" -").decode("ascii").upper()
        if int((number[4:] + number[:4]).translate(_IBAN_DIGITS)) % 97 == 1:
            taken = match.end()
            yield _Span(start, taken, 1.0)


# --- US social security numbers -------------------------------------------------------------

_SSN = re2.compile(
    rb"\b[0-9]{3}-[0-9]{2}-[0-9]{4}\b"
    rb"|(?i:\bSSN|social security)[^0-9\n]{0,24}[0-9]{3}[ .]?[0-9]{2}[ .]?[0-9]{4}\b"
)


def _ssns(text: bytes) -> Iterator[_Span]:
    for match in _SSN.finditer(text):
        start, end = match.span()
        start += _first_digit(text[start:end])
        digits = text[start:end].translate(None, b" .-")
        if _stands_alone(text, start, end) and _issued_ssn(digits):
            yield _Span(start, end, 0.95)


def _issued_ssn(digits: bytes) -> bool:
    """Whether the number lies in ranges that are issued and is no well-known invalid one."""
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    return not (
        area in (b"000", b"666")
        or area.startswith(b"9")
        or group == b"00"
        or serial == b"0000"
        or digits in (b"078051120", b"457555462", b"219099999")
    )


def _first_digit(candidate: bytes) -> int:
    return next(index for index, byte in enumerate(candidate) if 48 <= byte <= 57)


# --- IP addresses ---------------------------------------------------------------------------

_IPV4 = re2.compile(rb"\b[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\b")
_VERSION_WORD = re.compile(
    rb"(?:\bv|\bver|version|release|build|revision|section|\bsec|chapter|clause|\xc2\xa7"
    rb"|paragraph|article|figure|\bfig|table|appendix|step|item)s?$",
    re.IGNORECASE,
)
_VERSION_MARK = re.compile(rb"[A-Za-z_)][/\-^~]$|[=<>~!]= ?$|[.+]$")
_VERSION_AFTER = re.compile(rb"\.[0-9A-Za-z]|[-+][A-Za-z]")
_HEADING_AFTER = re.compile(rb"[ \t]{1,8}[A-Z]")


def _ipv4s(text: bytes) -> Iterator[_Span]:
    for match in _IPV4.finditer(text):
        start, end = match.span()
        if _byte(text, start - 1) == b"." or _VERSION_AFTER.match(text, end):
            continue
        if not _reportable_ip(text[start:end].decode("ascii")):
            continue
        before = text[max(0, start - 20) : start]
        word = before.rstrip(b" \t\r\n=:.#\"'(")
        if not word[-1:].isdigit() and _VERSION_WORD.search(word):
            continue
        if _VERSION_MARK.search(before):
            continue
        at_line_start = start == 0 or text[start - 1] == 0x0A
        if at_line_start and end - start == 7 and _HEADING_AFTER.match(text, end):
            continue  # "1.2.3.4 Heading"
        yield _Span(start, end, 0.95)


_IPV6 = re2.compile(rb"[0-9A-Fa-f]*:[0-9A-Fa-f:]*:[0-9A-Fa-f:]*(?:(?:\.[0-9]{1,3}){3})?")
_WORD_BEFORE = re.compile(rb"[A-Za-z0-9_.]$")


def _ipv6s(text: bytes) -> Iterator[_Span]:
    if text.count(b":") < 2:
        return
    for match in _IPV6.finditer(text):
        start, end = match.span()
        candidate = text[start:end]
        compressed = b"::" in candidate
        if end - start > 46 or not (compressed or candidate.count(b":") >= 7):
            continue
        if _WORD_BEFORE.search(_byte(text, start - 1)):
            continue
        if candidate.endswith(b":") and not candidate.endswith(b"::"):  # end of a clause
            candidate, end = candidate[:-1], end - 1
        if _byte(text, end)[:1].isalnum() or _byte(text, end) == b"_":
            continue
        if _looks_like_ipv6(candidate) and _reportable_ip(candidate.decode("ascii")):
            yield _Span(start, end, 0.95)


def _looks_like_ipv6(candidate: bytes) -> bool:
    """Tell an address from slices (``[1::2]``), C++ scopes (``dead::beef``) and EUI-64s."""
    groups = [group for group in candidate.split(b":") if group]
    if not any(byte in b"0123456789" for byte in candidate):
        return False
    if b"::" not in candidate:
        return any(len(group) > 2 for group in groups) or any(len(group) == 1 for group in groups)
    if len(groups) >= 3 or b"." in candidate:
        return True
    # Two groups or one: only under the prefixes in use (global, unique local, link local,
    # multicast).
    if not groups or len(groups[0]) != 4 or candidate.startswith(b":"):
        return False
    first = int(groups[0], 16)
    return 0x2000 <= first <= 0x3FFF or first >= 0xFC00


def _reportable_ip(text: str) -> bool:
    """Whether ``text`` is an address that can stand for one machine or network."""
    try:
        packed = socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)
    except OSError:
        return False
    if len(packed) == 4:
        return packed[0] not in (0, 127, 255)
    return packed[:15] != bytes(15) or packed[15] > 1  # :: and ::1


# --- phone numbers --------------------------------------------------------------------------

# Parsing costs tens of microseconds in pure Python. Beyond this many different candidates in
# one text a form that is unmistakable is reported unchecked: too much rather than too late.
_PHONE_CHECKS = 2_000
_REGIONS = ("US", "GB", "DE", "FR", "IN", "CN", "AU", "BR", "JP", "ES", "IT", "MX", "NL", "KR")

_NUMBER = r"\(?[0-9](?:[ ().\-/]{0,2}[0-9])"
_LABEL = r"[ \-,(]{1,2}(?i:office|fax|mobile|cell|phone|home|work)\b"
_PHONE = re2.compile(
    (
        # +CC and the national number
        r"\+[1-9](?:[ ().\-/]{0,3}[0-9]){6,14}"
        # a word that announces a number
        r"|(?:\b(?i:phones?|phone number|tel|telephone|telefon|telefono|telefone|tél|téléphone|"
        r"teléfono|mobile|mobil|móvil|celular|cell|cellphone|handy|fax|whatsapp|sms)"
        rf"|电话|手机|電話)[^0-9\n+]{{0,20}}{_NUMBER}{{5,14}}"
        r"|\b(?i:call|text|ring|dial|reach|answering|appele[rz])"
        r"(?: (?i:me|us|him|her|them|back|now|please|today|at|on|is|my|his|our|your|the|this|"
        r"number|mobile|phone|cell|au)){0,5}[ :]{1,2}"
        rf"{_NUMBER}{{5,14}}"
        # a word that says what number it was
        rf"|(?:\b[0-9]|\([0-9])(?:[ ().\-/]{{0,2}}[0-9]){{5,14}}(?:x[0-9]{{1,6}})?{_LABEL}"
        # North American forms, French and British mobiles
        r"|\([0-9]{3}\) ?[0-9]{3}[ .\-][0-9]{4}"
        r"|\b[2-9][0-9]{2}(?:-[0-9]{3}-|\.[0-9]{3}\.)[0-9]{4}"
        r"|\b0[67](?: [0-9]{2}){4}"
        r"|\b07[0-9]{3} [0-9]{3} ?[0-9]{3}"
    ).encode()
)
_LABEL_AFTER = re.compile(_LABEL.replace("(?i:", "(?:").encode(), re.IGNORECASE)
_EXTENSION = re.compile(rb"[ ,]{0,2}(?:x|ext\.?|extension) ?[0-9]{1,6}(?![0-9])", re.IGNORECASE)
_WORDS_AFTER = re.compile(rb"(?:x[0-9]+)?[ \-,(]+[A-Za-z]+$")
# "+1.4155552671" is a phone number (RFC 5733), "+35236450.6" is not.
_SIGNED_DECIMAL = re.compile(rb"\+[0-9]{4,}\.[0-9]+")
_DATE = re.compile(
    rb"[0-9]{4}([\-/.])[0-9]{1,2}\1[0-9]{1,2}(?![0-9])|[0-9]{1,2}([\-/.])[0-9]{1,2}\2[0-9]{4}(?![0-9])"
)
_PHONE_FORM = re.compile(rb"[+(]{0,2}[0-9]{1,4}(?:[ .\-/()]{1,3}[0-9]{2,8}){1,6}")


def _phones(text: bytes) -> Iterator[_Span]:
    known: dict[tuple[bytes, bool], tuple[int, float]] = {}
    for match in _PHONE.finditer(text):
        start, end = match.span()
        announced = text[start] not in b"+(0123456789"
        if announced:
            start += _first_digit(text[start:end])
            if text[start - 1] == 0x28:  # "("
                start -= 1
        elif tail := _WORDS_AFTER.search(text[start:end]):
            end = start + tail.start()
        extension = _EXTENSION.match(text, end)
        after = extension.end() if extension else end
        announced = announced or _LABEL_AFTER.match(text, after) is not None
        if _byte(text, after).isdigit() or _WORD_BEFORE.search(_byte(text, start - 1)):
            continue
        if not announced and not _stands_alone(text, start, end):
            continue
        candidate = text[start:end]
        if _SIGNED_DECIMAL.fullmatch(candidate) or _DATE.match(candidate):
            continue
        key = candidate, announced
        if key not in known and len(known) < _PHONE_CHECKS:
            known[key] = _phone(candidate, announced)
        length, score = known.get(key, (len(candidate), 0.5))
        if length:
            yield _Span(start, after if length == len(candidate) else start + length, score)


def _phone(candidate: bytes, announced: bool) -> tuple[int, float]:
    """Bytes of the number that ``candidate`` starts with, or 0, and how certain that is."""
    text = candidate.decode("ascii")
    regions: tuple[str | None, ...]
    if text.startswith("+"):
        regions, score = (None,), 0.95
    elif announced:
        regions, score = _REGIONS, 0.9
    else:
        regions, score = ("GB", "FR") if text.startswith("0") else ("US",), 0.75
    # A number that follows ("+1 415 555 2671 5 items") is taken off group by group.
    for _ in range(3):
        if any(_valid_phone(text, region) for region in regions):
            return len(text), score
        text = text.rstrip("0123456789").rstrip(" ().-/")
        if len(text) < 7:
            break
    # Announced numbers need not be in use: 555 numbers, or ranges newer than the library.
    return len(candidate) if announced and _PHONE_FORM.fullmatch(candidate) else 0, 0.6


def _valid_phone(text: str, region: str | None) -> bool:
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return False
    return bool(phonenumbers.is_valid_number(number))


# --- domain names ---------------------------------------------------------------------------

_SUFFIXES = PublicSuffixList(accept_unknown=False, only_icann=True)
_HOST = r"[A-Za-z0-9](?:[A-Za-z0-9.\-]*[A-Za-z0-9])?"
# Bare names are taken under suffixes that are hardly ever an attribute or a file extension.
_PLAIN = (
    r"(?:com|org|net|edu|gov|mil|"
    r"(?:co|com|org|net|ac|gov|edu|ne|or|go)\.[A-Za-z]{2})"
)
_ANNOUNCED = r"(?:[a-z]{2}|info|biz|dev|app|xyz|cloud|online|site|shop|store|tech|blog)"
_DOMAIN = re2.compile(
    (
        rf"(?i:https?|ftps?|wss?)://(?:[A-Za-z0-9._~%!$&'*+,;=:\-]*@)?{_HOST}"
        rf"|\b(?i:www)\.{_HOST}"
        rf"|\b(?i:visit|website|web site|domain|homepage|hostname|url)"
        rf"(?: is|:|=)? ?[A-Za-z0-9][A-Za-z0-9.\-]*\.{_ANNOUNCED}\b"
        rf"|\b[A-Za-z0-9][A-Za-z0-9.\-]*\.(?i:{_PLAIN})\b"
    ).encode()
)
# A URL whose path is bare is reported whole; a longer path is not part of the name.
_ROOT_PATH = re.compile(rb"(?::[0-9]{1,5})?(?:/(?=[\s\"'<>),;]|\Z))?")
_LEAD_IN = re.compile(rb"(?:.*[ :=])?", re.DOTALL)
_DOMAIN_BAD_BEFORE = b"@_.\\$}-"
_DOMAIN_BAD_AFTER = re.compile(rb"\.?[A-Za-z0-9_]|-|\.\(|\(|\[|@| ?\+?=|::")
_BAD_LABEL = re.compile(rb"^[.\-]|[.\-][.\-]*\.|\.-|[.\-]$")
_OBJECTS = frozenset((b"self", b"this", b"cls", b"com", b"org", b"net", b"edu", b"gov"))


def _domains(text: bytes) -> Iterator[_Span]:
    if b"." not in text:
        return
    for match in _DOMAIN.finditer(text):
        start, end = match.span()
        candidate = text[start:end]
        scheme = candidate.find(b"://", 0, 8)
        explicit = scheme > 0 or candidate[:4].lower() == b"www."
        host = candidate
        if scheme > 0:
            host = candidate[max(scheme + 3, candidate.rfind(b"@") + 1) :]
            end = _ROOT_PATH.match(text, end).end()  # type: ignore[union-attr]
        elif not explicit:
            start += _LEAD_IN.match(candidate).end()  # type: ignore[union-attr]
            if start > 0 and text[start - 1] in _DOMAIN_BAD_BEFORE:
                continue
            if _DOMAIN_BAD_AFTER.match(text, end):
                continue
            host = text[start:end]
        if not explicit and host.partition(b".")[0].lower() in _OBJECTS:
            continue
        if len(host) <= 253 and _registered(host):
            yield _Span(start, end, 0.85 if explicit else 0.8)


def _registered(host: bytes) -> bool:
    """Whether ``host`` is a well-formed name under a registered top-level domain."""
    name, _, tld = host.rpartition(b".")
    if not name or not (tld.islower() or tld.isupper() or tld[1:].islower()):
        return False
    if _BAD_LABEL.search(host) or len(max(host.split(b"."), key=len)) > 63:
        return False
    # Some countries register names on the second level alone: co.za, but not za.
    return _is_suffix(tld) or _is_suffix(b".".join(host.split(b".")[-2:]))


@lru_cache(maxsize=4096)
def _is_suffix(labels: bytes) -> bool:
    return _SUFFIXES.publicsuffix("x." + labels.lower().decode("ascii")) is not None


# More certain forms first: what they cover is closed to the ones after.
_DETECTORS: tuple[tuple[str, Any, Callable[[bytes], Iterator[_Span]]], ...] = (
    ("EMAIL_ADDRESS", _EMAIL, _emails),
    ("IBAN_CODE", _IBAN_HEAD, _ibans),
    ("CREDIT_CARD", _CARD, _cards),
    ("US_SSN", _SSN, _ssns),
    ("IP_ADDRESS", _IPV6, _ipv6s),  # before IPv4, in which it may end
    ("IP_ADDRESS", _IPV4, _ipv4s),
    ("PHONE_NUMBER", _PHONE, _phones),
    ("DOMAIN_NAME", _DOMAIN, _domains),
)


class _Forms:
    """The patterns of all detectors but one, in one automaton: a single pass tells which match.

    That of phone numbers is left out: together with the others it has states without number, and
    where an automaton for many patterns runs out of memory it goes on slowly.
    """

    def __init__(self) -> None:
        self._always = [nth for nth, (_, form, _) in enumerate(_DETECTORS) if form is _PHONE]
        self._together = [nth for nth in range(len(_DETECTORS)) if nth not in self._always]
        self._set = re2.Set.SearchSet()
        for nth in self._together:
            self._set.Add(_DETECTORS[nth][1].pattern)
        self._anything = self._set.Add(b"(?s:.)")
        self._set.Compile()

    def in_text(self, text: bytes) -> set[int]:
        """Which detectors may find something in a text that is not empty, by their indices."""
        matched = self._set.Match(text) or ()
        if self._anything not in matched:  # it gave up, which it does not tell in another way
            return set(range(len(_DETECTORS)))
        found = (self._together[nth] for nth in matched if nth != self._anything)
        return {*self._always, *found}


_FORMS = _Forms()
