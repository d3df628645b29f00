"""Records with personal data in the formats of machines and forms, as templates.

A record is a random choice of fields under random names, written as JSON, YAML, XML, CSV, SQL, a
Markdown table, log lines, HL7, an e-mail head, source code and so on. What comes back is a
template for ``training.pii.types.fill``; fields without personal data are in all of them, and
whole records can be made of those alone.
"""

from __future__ import annotations

import random
from collections.abc import Callable


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split("|"))


def _slots(lines: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Slots and the names that a field with such a value may have; deeper lines continue."""
    entries = (line.split(": ", 1) for line in lines.replace("\n" + " " * 8, "").splitlines()[1:])
    return tuple((slot.strip(), _names(names)) for slot, names in entries)


_PERSONAL = _slots("""
    person: name|full_name|Name|customer|client|patient|employee|owner|user|contact|author|
        holder|Insured|tenant|guest|reporter|assignee|Full name|passenger|beneficiary|signed by
    full_name: name|displayName|fullName|Ansprechpartner|nom|nombre|student|driver|doctor
    name_last_first: name|Name (last, first)|Patient Name|Employee|author|student
    first_name: first_name|firstName|first|given|given_name|Vorname|prénom|fname|nickname
    last_name: last_name|lastName|last|surname|family_name|Nachname|apellido|lname|maiden name
    email: email|e-mail|mail|Email|contact_email|username|to|reply_to|E-Mail-Adresse|login
    phone_number: phone|tel|mobile|Telephone|cell|phone_number|fax|Phone (home)|contact|msisdn
    address: address|Address|home address|shipping_address|billing|location|Anschrift|addr
    street: street|address1|line1|street_address|Straße|rue|calle|addressLine1|road
    secondary_address: address2|line2|unit|apt|suite
    city: city|town|Ort|ville|ciudad|place|birthplace|origin|destination|branch|from|to
    zipcode: zip|postcode|postal_code|PLZ|zipcode|zip_code|ZIP|code_postal|CEP|pincode
    state: state|region|province|Bundesland
    state_abbr: state|st|region
    country: country|Country|nation|land|pays|country_of_birth|residence
    date_of_birth: dob|date_of_birth|birthDate|birthday|Born|Geburtsdatum|DOB|born_on
    date: date|created|joined|hired|expires|due|visit|admission|discharge|start|end|signed|Date
    date_time: timestamp|created_at|updated|ts|last_login|time|when|datetime|modified
    age: age|Age|years|Alter|edad|patient_age
    ssn: ssn|SSN|social_security|tax_id|social security number|SSN#|national_id
    credit_card_number: card|card_number|pan|credit_card|cc|Card no.|account|visa|cardNumber
    iban: iban|IBAN|account|bank_account|Konto|payee_account|acct
    us_driver_license: license|dl|driver_license|DL#|licence_no|drivers_license|license number
    ip_address: ip|ip_address|client_ip|remote_addr|src|host|server|source_ip|addr|gateway
    url: url|website|homepage|link|site|blog|Website
    domain: domain|host|hostname|server|site|fqdn|vhost
    organization: company|employer|organization|org|bank|school|vendor|hospital|supplier|client|
        Firma|insurer|agency|team|university|publisher|merchant|payee|facility
    job: job|title|position|role|occupation|profession|Beruf|job_title|designation
    prefix: title|prefix|salutation|Anrede|honorific
    nrp: nationality|religion|ethnicity|citizenship|race|party|political affiliation|faith
""")
_PLAIN = _slots("""
    n_order: order|order_id|invoice|ref|Order no.|tracking|case|policy no.
    n_id: id|ID|uid|mrn|MRN|ticket|employee_id|customer_no|badge|batch
    n_code: code|sku|SKU|part|model|coupon|serial|booking|key
    n_int: count|size|qty|bytes|points|port|pid|line|code|duration_ms|views|seq
    n_small: items|quantity|retries|floor|level|score|rank|limit|page|seats
    n_money: total|price|amount|balance|fee|salary|budget|cost|Total
    n_float: score|lat|weight|ratio|loss|rating|temp|latency|x|y|value|bmi
    n_sci: lr|error|tolerance|eps|concentration|p_value|mass
    n_version: version|ver|v|release|schema|firmware|app_version|Version
    n_uuid: uuid|session|request_id|trace|guid|correlation_id|device
    n_hash: hash|sha|checksum|commit|etag|token|md5|digest
    n_hex: addr|offset|pointer|mask|color|flags
    n_percent: share|growth|cpu|discount|margin|humidity|progress
    n_year: year|model_year|vintage|since|edition
    n_isbn: isbn|ISBN|ean|barcode
    n_size: size|dimensions|weight|height|volume|length
    n_time: time|start|opens|closes|eta
    n_geo: coordinates|position|gps|latlon|geo
    n_masked: name|email|phone|password|address|owner|ssn|card|note|contact
    n_tech: language|platform|db|tool|os|stack|skill
    n_topic: topic|subject|tags|category|course|keywords|notes
    n_job: audience|persona|category|level
    n_product: product|item|device|model|article|name
    n_thing: item|title|name|description|dish|exhibit
    n_animal: species|breed|name|animal|pet
    n_ident: function|method|class|event|variable|feature|test
    n_room: room|seat|gate|building|shelf|locker
    n_plate: plate|registration|vehicle|licence plate|car
    n_word: keyword|tag|codename|branch|label|word|answer|brand
""")

Field = tuple[str, str]
"""Name and slot, such as ("dob", "date_of_birth")."""

_BARE = frozenset(("n_int", "n_small", "n_float", "age"))
_HL7_SEX = _names("M|F|U|O")


def fields(rng: random.Random, count: int, personal: bool) -> list[Field]:
    """``count`` fields with different slots; with ``personal``, two thirds hold personal data."""
    some = rng.sample(_PERSONAL, min(count - count // 3, len(_PERSONAL))) if personal else []
    some += rng.sample(_PLAIN, count - len(some))
    rng.shuffle(some)
    return [(rng.choice(names), slot) for slot, names in some]


def _slot(slot: str) -> str:
    return "{{" + slot + "}}"


def _key(name: str) -> str:
    return (
        name.replace(" ", "_").replace(".", "").replace("(", "").replace(")", "").replace(",", "")
    )


def _lines(rng: random.Random, row: list[Field]) -> str:
    mark = rng.choice(
        (": ", ": ", ":", " = ", "=", " - ", ":\t", " : ", "\t", " .... ", ":\n", "  ", " | ")
    )
    lead = rng.choice(("", "", "", "- ", "* ", "• ", "> ", "  ", "☐ ", "[x] ", "// ", "# "))
    style: Callable[[str], str] = rng.choice((str, str, str.title, str.upper, str.lower))
    if rng.random() < 0.1:
        return ", ".join(
            f"{style(name)}{mark if mark.strip() else ': '}{_slot(slot)}" for name, slot in row
        )
    if rng.random() < 0.1:
        return "\n".join(f"{i}. {style(n)}{mark}{_slot(s)}" for i, (n, s) in enumerate(row, 1))
    return "\n".join(f"{lead}{style(name)}{mark}{_slot(slot)}" for name, slot in row)


def _bold(rng: random.Random, row: list[Field]) -> str:
    mark = rng.choice(("**{}:** {}", "**{}**: {}", "__{}__ {}", "*{}*: {}", "<b>{}:</b> {}<br>"))
    return "\n".join(rng.choice(("", "- ")) + mark.format(name, _slot(slot)) for name, slot in row)


def _json_value(rng: random.Random, slot: str) -> str:
    return _slot(slot) if slot in _BARE and rng.random() < 0.8 else f'"{_slot(slot)}"'


def _json(rng: random.Random, row: list[Field]) -> str:
    pairs = [f'"{_key(name)}": {_json_value(rng, slot)}' for name, slot in row]
    shape = rng.randrange(5)
    if shape == 0:
        return "{" + ", ".join(pairs) + "}"
    if shape == 1:
        return "{" + ",".join(p.replace('": ', '":', 1) for p in pairs) + "}"
    if shape == 2:
        return "{\n  " + ",\n  ".join(pairs) + "\n}"
    half = len(pairs) // 2
    outer, inner = (
        rng.choice(("user", "data", "customer", "payload", "patient")),
        ", ".join(pairs[half:]),
    )
    head = "".join(f"{pair}, " for pair in pairs[:half])
    if shape == 3:
        return "{" + head + f'"{outer}": {{{inner}}}' + "}"
    values = ", ".join(f'{{"{_key(name)}": "{_slot(slot)}"}}' for name, slot in row[half:])
    return "{" + head + f'"{outer}s": [{values}]' + "}"


def _json_list(rng: random.Random, row: list[Field]) -> str:
    item = "{" + ", ".join(f'"{_key(n)}": {_json_value(rng, s)}' for n, s in row[:4]) + "}"
    return "[" + rng.choice((",\n ", ", ")).join([item] * rng.randrange(2, 5)) + "]"


def _yaml(rng: random.Random, row: list[Field]) -> str:
    quote = rng.choice(("", "", '"', "'"))
    body = [f"{_key(name)}: {quote}{_slot(slot)}{quote}" for name, slot in row]
    if rng.random() < 0.4:
        head = rng.choice(("user", "contact", "spec", "metadata", "person", "config"))
        return f"{head}:\n" + "\n".join(f"  {line}" for line in body)
    if rng.random() < 0.3:
        return "- " + "\n  ".join(body)
    return "\n".join(body)


def _xml(rng: random.Random, row: list[Field]) -> str:
    tag = rng.choice(("person", "record", "Customer", "entry", "patient", "row"))
    gap = rng.choice(("", "\n  "))
    if rng.random() < 0.3:
        return f"<{tag} " + " ".join(f'{_key(n)}="{_slot(s)}"' for n, s in row) + "/>"
    body = gap.join(f"<{_key(n)}>{_slot(s)}</{_key(n)}>" for n, s in row)
    return f"<{tag}>{gap}{body}{gap.rstrip(' ')}</{tag}>"


def _html(rng: random.Random, row: list[Field]) -> str:
    if rng.random() < 0.5:
        cells = "".join(f"<td>{_slot(slot)}</td>" for _, slot in row)
        return "<table>" + f"<tr>{cells}</tr>" * rng.randrange(1, 4) + "</table>"
    return "<ul>" + "".join(f"<li>{name}: {_slot(slot)}</li>" for name, slot in row) + "</ul>"


def _csv(rng: random.Random, row: list[Field]) -> str:
    mark = rng.choice((",", ",", ",", ";", "\t", "|", ", "))
    quote = '"' if rng.random() < 0.3 else ""
    head = [mark.join(name for name, _ in row)] if rng.random() < 0.8 else []
    line = mark.join(f"{quote}{_slot(slot)}{quote}" for _, slot in row)
    return "\n".join(head + [line] * rng.randrange(1, 7))


def _table(rng: random.Random, row: list[Field]) -> str:
    head = "| " + " | ".join(name for name, _ in row) + " |"
    rule = "|" + "---|" * len(row)
    line = "| " + " | ".join(_slot(slot) for _, slot in row) + " |"
    return "\n".join([head, rule] + [line] * rng.randrange(1, 6))


def _columns(rng: random.Random, row: list[Field]) -> str:
    gap = rng.choice(("  ", "    ", "\t", "   "))
    head = gap.join(name.upper() for name, _ in row)
    return "\n".join([head] + [gap.join(_slot(slot) for _, slot in row)] * rng.randrange(1, 5))


def _sql(rng: random.Random, row: list[Field]) -> str:
    table = rng.choice(("users", "customers", "patients", "orders", "employees", "t1", "accounts"))
    names = [_key(name) for name, _ in row]
    values = ", ".join(f"'{_slot(slot)}'" for _, slot in row)
    shape = rng.randrange(4)
    if shape == 0:
        rows = ", ".join([f"({values})"] * rng.randrange(1, 4))
        return " ".join(("INSERT INTO", table, f"({', '.join(names)})", "VALUES", rows + ";"))
    pairs = [f"{name} = '{_slot(slot)}'" for name, (_, slot) in zip(names, row, strict=True)]
    if shape == 1:
        return " ".join(
            ("UPDATE", table, "SET", ", ".join(pairs[1:]) or pairs[0], "WHERE", pairs[0])
        )
    if shape == 2:
        return " ".join(("SELECT * FROM", table, "WHERE", " AND ".join(pairs[:3]), "LIMIT 10;"))
    return " ".join(("DELETE FROM", table, "WHERE", pairs[0], "OR", pairs[-1]))


def _code(rng: random.Random, row: list[Field]) -> str:
    names = [(_key(name), slot) for name, slot in row]
    call = rng.choice(
        ("User", "create_customer", "Contact.new", "dict", "send", "Person", "api.register")
    )
    shape = rng.randrange(9)
    if shape == 0:
        return f"{call}(" + ", ".join(f'{n}="{_slot(s)}"' for n, s in names) + ")"
    if shape == 1:
        return "{" + ", ".join(f"'{n}': '{_slot(s)}'" for n, s in names) + "}"
    if shape == 2:
        return "\n".join(f'{n} = "{_slot(s)}"' for n, s in names)
    if shape == 3:
        return "const c = { " + ", ".join(f'{n}: "{_slot(s)}"' for n, s in names) + " };"
    if shape == 4:
        return f"new {call}(" + ", ".join(f'"{_slot(s)}"' for _, s in names) + ");"
    if shape == 5:
        body = "\n".join(f'    assert user.{n} == "{_slot(s)}"' for n, s in names)
        return f"def test_{names[0][0]}():\n    user = load()\n{body}"
    if shape == 6:
        return "\n".join(f"export {n.upper()}='{_slot(s)}'" for n, s in names)
    if shape == 7:
        marker = rng.choice(("#", "//", "--", " *", "%"))
        return "\n".join(f"{marker} {n}: {_slot(s)}" for n, s in names) + f"\n{rng.choice(_CODE)}"
    return "\n".join(f"{n.upper()}={_slot(s)}" for n, s in names)


_CODE = (
    "def main():\n    return run()",
    "for i in range({{n_small}}):\n    total += i",
    "import os",
    "if x > {{n_float}}: break",
    "public static void main(String[] args) {}",
    "SELECT 1;",
    "return {{n_ident}}(value)",
)


def _log(rng: random.Random, row: list[Field]) -> str:
    level = rng.choice(("INFO", "WARN", "ERROR", "DEBUG", "[info]", "notice:", "E/", "TRACE"))
    head = rng.choice(("{{timestamp}} ", "[{{timestamp}}] ", "", "{{n_time}} ", "<{{n_small}}>"))
    where = rng.choice(
        ("app", "auth", "worker-3", "sshd[{{n_int}}]", "http", "main", "com.acme.Api")
    )
    quote = rng.choice(("", "", '"'))
    pairs = " ".join(f"{_key(name)}={quote}{_slot(slot)}{quote}" for name, slot in row)
    line = f"{head}{level} {where}: {rng.choice(_EVENTS)} {pairs}"
    return "\n".join([line] * rng.randrange(1, 4))


_EVENTS = _names(
    "request failed|user created|login ok|timeout|payment declined|job finished|cache miss|"
    "retrying|record saved|mail queued|invalid token|session closed|access granted|lookup|sync"
)


def _free_log(rng: random.Random, _: list[Field]) -> str:
    shapes = (
        '{{ip_address}} - - [{{timestamp}}] "GET /{{n_ident}} HTTP/1.1" 200 {{n_int}} "{{url}}"',
        "{{timestamp}} sshd[{{n_int}}]: Failed password for root from {{ip_address}} port 22",
        "{{timestamp}} postfix/smtp: to=<{{email}}>, relay={{domain}}[{{ip_address}}], sent",
        "{{timestamp}} ERROR payment of {{n_money}} by {{person}} failed: code {{n_int}}",
        "commit {{n_hash}}\nAuthor: {{person}} <{{email}}>\nDate: {{timestamp}}\n\n    {{n_ident}}",
        "{{n_time}} <{{first_name}}> anyone seen {{first_name}}?",
        "[{{timestamp}}] {{person}}: can you call {{phone_number}}?",
        "{{timestamp}},{{email}},{{ip_address}},{{n_int}},OK",
        "kernel: DROP IN=eth0 SRC={{ip_address}} DST={{ip_address}} LEN={{n_int}}",
        "Traceback: ValueError: no row for {{person}} ({{email}}) in {{n_ident}}",
        "{{n_hash}} ({{full_name}} {{date}} {{n_int}}) def {{n_ident}}():",
        "dig {{domain}} +short\n{{ip_address}}\n{{ip_address}}",
        "$ ssh root@{{ip_address}}\nLast login: {{timestamp}} from {{ip_address}}",
        "git log --author='{{full_name}}' --since={{date}}",
        "curl -X POST {{url}} -d 'email={{email}}&name={{first_name}}'",
        "# TODO({{first_name}}): handle {{n_ident}}\n# reviewed by {{full_name}} on {{date}}",
        "@author {{full_name}} <{{email}}>\n@version {{n_version}}",
        "Copyright (c) {{n_year}} {{full_name}}. All rights reserved.",
        "Copyright {{n_year}} {{organization}}",
    )
    return "\n".join(rng.choice(shapes) for _ in range(rng.choice((1, 1, 2, 3))))


def _hl7(rng: random.Random, _: list[Field]) -> str:
    sex = rng.choice(_HL7_SEX)
    lines = [
        "MSH|^~\\&|LAB|{{organization}}|EHR|{{organization}}|{{timestamp}}||ADT^A01|{{n_int}}|P|2.5",
        "PID|1||{{n_id}}^^^MRN||{{last_name}}^{{first_name}}||{{date_of_birth}}|" + sex + "|||"
        "{{street}}^^{{city}}^{{state_abbr}}^{{zipcode}}||{{phone_number}}|||S||{{n_id}}|{{ssn}}",
        "NK1|1|{{last_name}}^{{first_name}}|SPO|{{street}}^^{{city}}|{{phone_number}}",
        "PV1|1|I|W^{{n_room}}^{{n_small}}||||{{n_id}}^{{last_name}}^{{first_name}}^^^{{prefix}}|||||||{{date}}",
        "OBX|1|NM|GLU^Glucose||{{n_float}}|mg/dL|70-110|H|||F|||{{timestamp}}",
        "IN1|1|{{n_code}}|{{n_id}}|{{organization}}|{{street}}^^{{city}}^{{state_abbr}}^{{zipcode}}",
        "DG1|1||E11.9^Type 2 diabetes^ICD-10",
    ]
    start = rng.randrange(2)
    chosen = [lines[1], *rng.sample(lines[2:], rng.randrange(1, 4))] if start else lines[:2]
    return "\n".join(chosen)


def _mail(rng: random.Random, _: list[Field]) -> str:
    def box() -> str:
        return rng.choice(
            (
                "{{person}} <{{email}}>",
                '"{{name_last_first}}" <{{email}}>',
                "{{email}}",
                "{{full_name}} <{{email}}>",
                "{{person}}",
                "{{organization}} <{{email}}>",
            )
        )

    head = [f"From: {box()}", f"To: {box()}" + (f", {box()}" if rng.random() < 0.4 else "")]
    if rng.random() < 0.3:
        head.append(f"Cc: {box()}; {box()}")
    if rng.random() < 0.7:
        head.append(rng.choice(("Date: ", "Sent: ")) + rng.choice(("{{date_time}}", "{{date}}")))
    head.append(
        "Subject: "
        + rng.choice(
            (
                "Re: invoice {{n_order}}",
                "lunch on {{day}}?",
                "((subject))",
                "{{organization}} contract",
                "Fwd: {{n_topic}}",
                "Your order {{n_order}}",
                "meeting {{date}}",
            )
        )
    )
    if rng.random() < 0.2:
        head.append("Received: from {{domain}} ({{ip_address}}) by {{domain}}; {{date_time}}")
        head.append("Message-ID: <{{n_uuid}}@mail>")
    body = [
        rng.choice(
            (
                "Hi {{first_name}},",
                "Dear {{prefix}} {{last_name}},",
                "Hello {{person}},",
                "Dear all,",
                "{{first_name}},",
                "Hallo {{first_name}},",
                "Bonjour {{first_name}},",
            )
        )
    ]
    body += [". ".join(["((sentence))"] * rng.randrange(1, 4))]
    return "\n".join(head) + "\n\n" + "\n\n".join(body) + "\n\n" + _signature(rng, [])


def _signature(rng: random.Random, _: list[Field]) -> str:
    close = rng.choice(
        (
            "Best regards,",
            "Kind regards",
            "Cheers,",
            "Thanks!",
            "Sincerely,",
            "BR",
            "--",
            "Mit freundlichen Grüßen",
            "Cordialement,",
            "Saludos,",
            "Yours faithfully,",
            "xx",
        )
    )
    lines = [
        close,
        rng.choice(("{{person}}", "{{full_name}}", "{{first_name}}", "{{prefix}} {{full_name}}")),
    ]
    extra = [
        "{{job}}",
        "{{organization}}",
        "{{job}}, {{organization}}",
        "{{job}} | {{organization}}",
        "{{address}}",
        "{{street}}",
        "T: {{phone_number}}",
        "{{phone_number}} | {{email}}",
        "{{email}}",
        "M {{phone_number}}",
        "{{url}}",
        "{{domain}}",
        "tel {{phone_number}} fax {{phone_number}}",
        "Office: {{phone_number}} ext. {{n_small}}",
        "{{city}}, {{country}}",
        "Sent from my phone",
    ]
    chosen = rng.sample(range(len(extra)), rng.randrange(0, 6))
    return "\n".join(lines + [extra[i] for i in sorted(chosen)])


def _transcript(rng: random.Random, _: list[Field]) -> str:
    one, two = rng.choice(
        (
            ("user", "assistant"),
            ("User", "Bot"),
            ("Customer", "Agent"),
            ("Q", "A"),
            ("{{first_name}}", "{{first_name}}"),
            ("DOCTOR", "PATIENT"),
            ("Me", "{{first_name}}"),
            ("Interviewer", "{{last_name}}"),
            ("[{{n_time}}] {{first_name}}", "[{{n_time}}] {{first_name}}"),
        )
    )
    turns = []
    for i in range(rng.randrange(2, 7)):
        text = rng.choice(("((sentence))", "((sentence))", "((chatter))", "((answer))"))
        turns.append(f"{(one, two)[i % 2]}: {text}")
    return "\n".join(turns)


def _letter(rng: random.Random, _: list[Field]) -> str:
    head = rng.choice(
        (
            "{{person}}\n{{address}}",
            "{{organization}}\n{{address}}",
            "{{prefix}} {{person}}\n{{address}}",
            "{{person}}\n{{job}}\n{{organization}}\n{{address}}",
            "{{person}}\n{{street}}\n{{zipcode}} {{city}}\n{{country}}",
        )
    )
    dear = rng.choice(
        (
            "Dear {{prefix}} {{last_name}}",
            "Dear {{first_name}}",
            "To whom it may concern",
            "Dear {{person}}",
        )
    )
    date = rng.choice(("{{date}}", "{{city}}, {{date}}", "Date: {{date}}", ""))
    return f"{head}\n\n{date}\n\n{dear},\n\n((sentence)). ((sentence))\n\n" + _signature(rng, [])


def _vcard(rng: random.Random, _: list[Field]) -> str:
    if rng.random() < 0.5:
        return (
            "BEGIN:VCARD\nVERSION:3.0\nN:{{last_name}};{{first_name}}\nFN:{{full_name}}\nORG:{{organization}}\n"
            "TEL;TYPE=CELL:{{phone_number}}\nADR:;;{{street}};{{city}};{{state_abbr}};{{zipcode}};{{country}}\n"
            "EMAIL:{{email}}\nBDAY:{{date}}\nEND:VCARD"
        )
    return (
        "BEGIN:VEVENT\nDTSTART:{{timestamp}}\nSUMMARY:Lunch with {{person}}\nLOCATION:{{address}}\n"
        "ORGANIZER;CN={{full_name}}:mailto:{{email}}\nATTENDEE:mailto:{{email}}\nEND:VEVENT"
    )


def _query(_: random.Random, row: list[Field]) -> str:
    return "/search?" + "&".join(f"{_key(name)}={_slot(slot)}" for name, slot in row)


def _listing(rng: random.Random, _: list[Field]) -> str:
    item = rng.choice(
        (
            "{{person}}",
            "{{person}} ({{organization}})",
            "{{person}}, {{job}}",
            "{{person}} - {{phone_number}}",
            "{{city}}",
            "{{organization}}",
            "{{organization}}, {{city}}",
            "{{city}}, {{country}}",
            "{{email}}",
            "{{person}} <{{email}}>",
            "{{date}}: {{n_topic}}",
            "{{person}}: {{n_money}}",
            "{{ip_address}}",
            "{{person}}, {{age}}",
            "{{date}} {{person}}",
            "{{first_name}}",
            "{{person}} ({{date}} - {{date}})",
            "{{country}}",
            "{{person}} {{phone_number}} {{email}}",
            "{{n_small}} {{n_thing}} for {{first_name}}",
        )
    )
    mark = rng.choice(("- ", "* ", "• ", "", "{}. ", "{}) ", "[ ] ", "– "))
    count = rng.randrange(2, 9)
    head = rng.choice(
        ("", "", "Attendees:\n", "List:\n", "Members\n", "TODO\n", "Results:\n", "Contacts\n\n")
    )
    if rng.random() < 0.25:
        return head.replace("\n", " ") + rng.choice((", ", "; ", " / ", " | ")).join([item] * count)
    return head + "\n".join(mark.format(i) + item for i in range(1, count + 1))


_PAIRED = (
    _lines,
    _lines,
    _lines,
    _bold,
    _json,
    _json,
    _json_list,
    _yaml,
    _yaml,
    _xml,
    _html,
    _csv,
    _csv,
    _table,
    _columns,
    _sql,
    _code,
    _code,
    _log,
    _query,
)
_WRITTEN = (
    _free_log,
    _hl7,
    _mail,
    _mail,
    _signature,
    _transcript,
    _transcript,
    _letter,
    _vcard,
    _listing,
    _listing,
)


def record(rng: random.Random) -> str:
    """A template of a record with personal data; may hold rules of ``training.pii.grammar``."""
    make = rng.choice(_PAIRED if rng.random() < 0.55 else _WRITTEN)
    return make(rng, fields(rng, rng.choice((1, 2, 3, 3, 4, 5, 6, 8)), personal=True))


def plain_record(rng: random.Random) -> str:
    """A template of a record without personal data."""
    make: Callable[[random.Random, list[Field]], str] = rng.choice(_PAIRED)
    template = make(rng, fields(rng, rng.choice((1, 2, 3, 4, 5, 7)), personal=False))
    return template.replace("{{timestamp}}", "{{n_time}}")
