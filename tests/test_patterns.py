"""The pattern scan: what it finds, what it leaves alone, its offsets and its time."""

from __future__ import annotations

import ipaddress
import random
import string
import time
from itertools import pairwise

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from stdnum import iban, luhn
from stdnum.us import ssn

from pointsman_backends import patterns
from pointsman_backends.patterns import Finding, scan


def found(text: str) -> list[tuple[str, str]]:
    """Type and text of each finding."""
    return [(hit.type, text[hit.start : hit.end]) for hit in scan(text.encode())]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # e-mail
        ("Write to jane.doe@example.com.", [("EMAIL_ADDRESS", "jane.doe@example.com")]),
        ("<mailto:a_b+c@sub.example.co.uk>", [("EMAIL_ADDRESS", "a_b+c@sub.example.co.uk")]),
        ("mail=joe@corp.de&x=1", [("EMAIL_ADDRESS", "joe@corp.de")]),
        ("'joe@corp.de'", [("EMAIL_ADDRESS", "joe@corp.de")]),
        ("Jörg: jörg.müller@example.de", [("EMAIL_ADDRESS", "jörg.müller@example.de")]),
        ("邮箱foo@bar.com。", [("EMAIL_ADDRESS", "foo@bar.com")]),
        ("root@localhost, a@b.invalidtld, @handle, x@", []),
        ("git@github.com:org/repo.git", []),
        ("y = x@w.to(device) + q@k.mT", []),
        # cards
        ("4111 1111 1111 1111", [("CREDIT_CARD", "4111 1111 1111 1111")]),
        ("4111-1111-1111-1111 123", [("CREDIT_CARD", "4111-1111-1111-1111")]),
        ("pay 4111 1111 1111 1111 123 now", [("CREDIT_CARD", "4111 1111 1111 1111")]),
        ("12 4111 1111 1111 1111", [("CREDIT_CARD", "4111 1111 1111 1111")]),
        ("1234 4111 1111 1111 1111", [("CREDIT_CARD", "4111 1111 1111 1111")]),
        ("amex 3782 822463 10005", [("CREDIT_CARD", "3782 822463 10005")]),
        ("diners 3056 930902 5904.", [("CREDIT_CARD", "3056 930902 5904")]),
        ("5555555555554444", [("CREDIT_CARD", "5555555555554444")]),
        ("4111 1111 1111 1112", []),
        ("4111-1111 1111-1111", []),
        ("0.4111111111111111", []),
        ("a4111111111111111 4111111111111111b", []),
        ("1234567812345670", []),  # passes Luhn, but no scheme issues it
        # IBAN
        ("DE89 3704 0044 0532 0130 00 EUR", [("IBAN_CODE", "DE89 3704 0044 0532 0130 00")]),
        ("(GB82WEST12345698765432)", [("IBAN_CODE", "GB82WEST12345698765432")]),
        ("gb82 west 1234 5698 7654 32", [("IBAN_CODE", "gb82 west 1234 5698 7654 32")]),
        ("AD12 DE89370400440532013000", [("IBAN_CODE", "DE89370400440532013000")]),
        ("DE88 3704 0044 0532 0130 00", []),
        ("DE8937040044053201300", []),
        # SSN
        ("SSN 536-90-4399", [("US_SSN", "536-90-4399")]),
        ("My social security number is 536904399.", [("US_SSN", "536904399")]),
        ("SSN: 536 90 4399", [("US_SSN", "536 90 4399")]),
        ("000-12-3456 666-12-3456 912-12-3456 123-00-4567 123-45-0000 078-05-1120", []),
        ("536904399, 1536-90-4399, 536-90-43991, 536-90-4399-1", []),
        # IP
        ("from 192.168.1.44:8080", [("IP_ADDRESS", "192.168.1.44")]),
        ("https://10.1.2.3/x", [("IP_ADDRESS", "10.1.2.3")]),
        ("net 203.0.113.0/24.", [("IP_ADDRESS", "203.0.113.0")]),
        ("8.8.8.8 - - [10/Oct/2000]", [("IP_ADDRESS", "8.8.8.8")]),
        ("[2001:db8::8a2e:370:7334]:443", [("IP_ADDRESS", "2001:db8::8a2e:370:7334")]),
        ("fe80::1%eth0", [("IP_ADDRESS", "fe80::1")]),
        ("at ::ffff:203.0.113.9.", [("IP_ADDRESS", "::ffff:203.0.113.9")]),
        (
            "2001:0db8:85a3:0000:0000:8a2e:0370:7334",
            [("IP_ADDRESS", "2001:0db8:85a3:0000:0000:8a2e:0370:7334")],
        ),
        ("version 1.2.3.4, v1.2.3.4, release: 1.2.3.4, numpy==1.2.3.4", []),
        ("Chrome/120.0.0.0 1.2.3 1.2.3.4.5 package-1.2.3.4.tar.gz", []),
        ("1.2.3.4 Scope\nsee section 4.1.2.3 and § 1.2.3.4", []),
        ("127.0.0.1 0.0.0.0 255.255.255.0 ::1 ::", []),
        ("256.1.1.1 1.2.3.04", []),
        ("std::vector<a::b> x[1::2] dead::beef 12:34:56 00:1a:2b:3c:4d:5e", []),
        ("00:11:22:33:44:55:66:77 and Time 10:20:30.400", []),
        # phone
        ("call +44 20 7946 0958 now", [("PHONE_NUMBER", "+44 20 7946 0958")]),
        ("+14155552671", [("PHONE_NUMBER", "+14155552671")]),
        ("+1 415 555 2671 5 items", [("PHONE_NUMBER", "+1 415 555 2671")]),
        ("+49 (0)30 901820", [("PHONE_NUMBER", "+49 (0)30 901820")]),
        ("(212) 555-0123", [("PHONE_NUMBER", "(212) 555-0123")]),
        ("415-555-2671", [("PHONE_NUMBER", "415-555-2671")]),
        ("my mobile is 07700 900123", [("PHONE_NUMBER", "07700 900123")]),
        ("Tel.: 030 12345678", [("PHONE_NUMBER", "030 12345678")]),
        ("06 12 34 56 78", [("PHONE_NUMBER", "06 12 34 56 78")]),
        ("电话：13812345678", [("PHONE_NUMBER", "13812345678")]),
        ("+1-415-555-2671x624, hi", [("PHONE_NUMBER", "+1-415-555-2671x624")]),
        ("(212) 555-0123 ext. 12", [("PHONE_NUMBER", "(212) 555-0123 ext. 12")]),
        ("089 72 63 41 office", [("PHONE_NUMBER", "089 72 63 41")]),
        ("001-748-088-2851x818-Fax", [("PHONE_NUMBER", "001-748-088-2851x818")]),
        ("no one answering at (88) 684-334", [("PHONE_NUMBER", "(88) 684-334")]),
        ("phone call on 2024-01-02, fax of 01/02/2024", []),
        ("call a taxi to 03 2657 Hill Street", []),
        ("call me at 555-123-4567", [("PHONE_NUMBER", "555-123-4567")]),
        ("text.replace(sep, '123456789'), exit code -9876543, call 20", []),
        ("Decimal('+35236450.6') 1+1234567 +1 +1 +1", []),
        ("2024-01-02 03:04:05, 1700000000, order 123-456-7890-12", []),
        # domain
        ("see https://foo.example.io/x?y", [("DOMAIN_NAME", "https://foo.example.io")]),
        ("my site is http://Example.de/", [("DOMAIN_NAME", "http://Example.de/")]),
        ("https://user:pw@example.org:8443/", [("DOMAIN_NAME", "https://user:pw@example.org:8443/")]),
        ("at www.example.de!", [("DOMAIN_NAME", "www.example.de")]),
        ("Example.com.", [("DOMAIN_NAME", "Example.com")]),
        ("visit mistral.ai now", [("DOMAIN_NAME", "mistral.ai")]),
        ("http://example.co.za/", [("DOMAIN_NAME", "http://example.co.za/")]),
        ("shop.example.co.uk!", [("DOMAIN_NAME", "shop.example.co.uk")]),
        ("main.py README.md setup.sh foo.rs a.so lib.pl index.html e.g. i.e.", []),
        ("self.net(x); this.org = 1; os.path.join; com.example.net.Socket; np.int", []),
        ("http://localhost:8000 https://x.invalidtld", []),
    ],
)  # fmt: skip
def test_finds_this_and_no_more(text: str, expected: list[tuple[str, str]]) -> None:
    assert found(text) == expected


def test_a_finding_is_a_tuple_of_type_start_end_score() -> None:
    assert scan(b"ping 192.168.1.44") == [Finding("IP_ADDRESS", 5, 17, 0.95)]


@pytest.mark.parametrize("text", ["", " ", "\x00", "😀", "no digits here", "@", ":", "+", "1" * 50])
def test_nothing_to_find(text: str) -> None:
    assert scan(text.encode()) == []


def test_lone_surrogates_count_as_one_code_point() -> None:
    text = "\ud800 joe@example.com \udfff"
    hit = scan(text.encode("utf-8", "surrogatepass"))[0]
    assert text[hit.start : hit.end] == "joe@example.com"


digits = st.text("0123456789", min_size=1, max_size=1)


@st.composite
def cards(draw: st.DrawFn) -> str:
    prefix, length = draw(
        st.sampled_from([("4", 16), ("51", 16), ("2720", 16), ("37", 15), ("6011", 16), ("36", 14)])
    )
    body = draw(st.text("0123456789", min_size=length, max_size=length))
    number = prefix + body[len(prefix) : length - 1]
    number += luhn.calc_check_digit(number)
    if draw(st.booleans()):
        separator = draw(st.sampled_from(" -"))
        groups = (4, 4, 4, 4) if length == 16 else (4, 6, length - 10)
        cuts = [sum(groups[:index]) for index in range(len(groups) + 1)]
        pieces = [number[a:b] for a, b in pairwise(cuts)]
        return separator.join(pieces)
    return number


@st.composite
def ibans(draw: st.DrawFn) -> str:
    country, form = draw(
        st.sampled_from(
            [("DE", "n" * 18), ("GB", "aaaa" + "n" * 14), ("NL", "aaaa" + "n" * 10),
             ("FR", "n" * 10 + "c" * 11 + "nn"), ("NO", "n" * 11),
             ("MT", "aaaa" + "n" * 5 + "c" * 18)]
        )
    )  # fmt: skip
    classes = {"n": string.digits, "a": string.ascii_uppercase}
    classes["c"] = classes["n"] + classes["a"]
    body = "".join(draw(st.sampled_from(classes[kind])) for kind in form)
    number = country + iban.calc_check_digits(f"{country}00{body}") + body
    return iban.format(number) if draw(st.booleans()) else number


@st.composite
def ssns(draw: st.DrawFn) -> str:
    number = draw(st.from_regex(r"[0-8][0-9]{2}-[0-9]{2}-[0-9]{4}", fullmatch=True))
    assume(ssn.is_valid(number))
    return number


@st.composite
def emails(draw: st.DrawFn) -> str:
    local = draw(st.from_regex(r"[a-z0-9]([a-z0-9._%+-]{0,30}[a-z0-9])?", fullmatch=True))
    assume(".." not in local)
    label = draw(st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True))
    return f"{local}@{label}.{draw(st.sampled_from(['com', 'de', 'co.uk', 'io', 'museum']))}"


def reportable(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return not (address.is_loopback or address.is_unspecified)


ipv4s = (
    st.ip_addresses(v=4)
    .filter(lambda a: reportable(a) and a.packed[0] not in (0, 255) and max(a.packed) > 9)
    .map(str)
)
ipv6s = (
    st.ip_addresses(v=6, network="2000::/3")
    .filter(reportable)
    .flatmap(lambda a: st.sampled_from([str(a), a.exploded]))
)
# Text whose own content cannot be taken for a version word before the value.
surroundings = st.text(
    st.characters(
        exclude_categories=["Cs"], exclude_characters=string.ascii_letters + "§=/^~<>!.+"
    ),
    max_size=40,
)
values = st.one_of(
    cards().map(lambda value: ("CREDIT_CARD", value)),
    ibans().map(lambda value: ("IBAN_CODE", value)),
    ssns().map(lambda value: ("US_SSN", value)),
    emails().map(lambda value: ("EMAIL_ADDRESS", value)),
    ipv4s.map(lambda value: ("IP_ADDRESS", value)),
    ipv6s.map(lambda value: ("IP_ADDRESS", value)),
)
spaces = st.sampled_from([" ", "\n", "\t", "\u00a0", "\u3000"])


@given(surroundings, spaces, values, spaces, surroundings)
@example("😀", " ", ("CREDIT_CARD", "4111 1111 1111 1111"), " ", "é")
def test_a_value_between_spaces_is_found_at_its_offsets(
    before: str, left: str, value: tuple[str, str], right: str, after: str
) -> None:
    kind, text = value
    # Digits next to a spaced value may belong to it: the reading is open.
    before, after = before.rstrip("0123456789-"), after.lstrip("0123456789-")
    whole = before + left + text + right + after
    start = len(before) + 1
    assert (kind, start, start + len(text)) in [tuple(hit[:3]) for hit in scan(whole.encode())]


@given(st.one_of(cards(), ibans()), st.data())
def test_a_wrong_digit_is_no_match(value: str, data: st.DataObject) -> None:
    places = [index for index, character in enumerate(value) if character.isdigit()]
    place = data.draw(st.sampled_from(places[-8:]))
    other = str((int(value[place]) + data.draw(st.integers(1, 9))) % 10)
    wrong = value[:place] + other + value[place + 1 :]
    hits = [text for kind, text in found(f"x {wrong} x") if kind in ("CREDIT_CARD", "IBAN_CODE")]
    assert wrong not in hits


@given(
    st.lists(st.one_of(surroundings, st.text(max_size=20), values.map(lambda v: v[1])), max_size=8)
)
def test_findings_are_sorted_disjoint_and_inside(parts: list[str]) -> None:
    text = "".join(part.encode("utf-8", "ignore").decode() for part in parts)
    hits = scan(text.encode())
    ends = [0]
    for hit in hits:
        assert ends[-1] <= hit.start < hit.end <= len(text)
        assert 0 < hit.score <= 1
        ends.append(hit.end)


@given(st.binary(max_size=200))
def test_bytes_that_are_no_text_raise_nothing(data: bytes) -> None:
    scan(data)


@given(st.text(string.digits + " -", min_size=12, max_size=30))
def test_cards_agree_with_the_library(text: str) -> None:
    for kind, value in found(text):
        if kind == "CREDIT_CARD":
            assert luhn.is_valid(value.replace(" ", "").replace("-", ""))
        if kind == "US_SSN":
            assert ssn.is_valid(value)


def test_identifiers_timestamps_and_measurements_are_left_alone() -> None:
    rng = random.Random(7)
    lines = []
    for _ in range(300):
        lines.append(f"{rng.getrandbits(128):032x} {rng.getrandbits(160):040x}")
        lines.append(f"{rng.getrandbits(64):016x} 0x{rng.getrandbits(32):08x}")
        lines.append(
            f"2024-{rng.randint(1, 12):02}-03T12:{rng.randint(0, 59):02}:01.{rng.random():.6f}Z"
        )
        lines.append(f"{rng.uniform(-1e9, 1e9)!r} {rng.random():.17e} {rng.randint(0, 10**6)}")
        lines.append(
            f"ORD-{rng.randint(10**5, 10**9)} #{rng.randint(1, 10**6)} "
            f"{rng.randint(1, 9)}.{rng.randint(0, 20)}.{rng.randint(0, 99)}"
        )
        lines.append(f"{rng.randint(10**9, 2 * 10**9)} {rng.randint(10**12, 2 * 10**12)}")
    assert found("\n".join(lines)) == []


def test_code_is_left_alone() -> None:
    code = """
    import numpy as np, torch.nn as nn
    from package.module.name import thing  # noqa: E501
    class Net(nn.Module):
        def forward(self, x):
            y = self.net(x) @ self.w.t() + x[1::2, ::-1]
            print(f"{y.shape[0]:>10.4f} {1.5e-10} {self.info.name}")
            return super().forward(y).to(self.device), os.path.join(a.b, c.d)
    assert version == "1.2.3.4"; x = 0.1234567890123456; t = 1_700_000_000
    std::map<std::string, int> m; foo::bar(); a::b::c d; fd00::x
    #include <boost/asio.hpp>
    git clone git@github.com:org/repo.git && cd repo && ./configure --prefix=/usr
    obj.method(arg).another().io.read(); df.info(); module.exports = app.dev;
    """
    assert found(code) == []


def test_more_findings_than_a_decision_can_list_are_refused() -> None:
    emails = b"a@b.co " * patterns.MAX_FINDINGS
    assert len(scan(emails)) == patterns.MAX_FINDINGS
    with pytest.raises(patterns.TooManyFindingsError, match="50,000"):
        scan(emails + b"10.1.2.3")


def seconds(data: bytes) -> float:
    start = time.process_time()
    scan(data)
    return time.process_time() - start


@pytest.mark.parametrize(
    "unit",
    ["a", "1", "1.1.", "a@", "a@a", "+1 ", "::", "a:", "a.", "a.com.", "http://", "4111 ",
     "4111111111111111 ", "AD12 ", "AD12", "1-", "call 1", "tel ", "www.", "é", " ", "123-45-"],
)  # fmt: skip
def test_time_is_linear_in_hostile_text(unit: str) -> None:
    small, large = (unit.encode() * (size // len(unit)) for size in (20_000, 320_000))
    seconds(small)
    # 16 times the text; a quadratic scan would take 256 times as long.
    assert seconds(large) < 64 * max(seconds(small), 0.0005)
