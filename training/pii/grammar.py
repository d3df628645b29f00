"""Rules of sentences with personal data: plain data, expanded by ``training.pii.types.expand``.

A sentence is put together from small parts (who, what they did, where, when, why), so that the
same template is hardly ever seen twice. ``sentence`` is the rule to begin with.
"""

from __future__ import annotations


def rule(lines: str) -> tuple[str, ...]:
    r"""One alternative a line; a line indented further continues the one before, \n is a break."""
    joined = lines.replace("\n" + " " * 12, "").splitlines()[1:-1]
    return tuple(line.strip().replace("\\n", "\n") for line in joined)


GRAMMAR: dict[str, tuple[str, ...]] = {
    # Parts.
    "p": rule("""
        {{person}}
        {{person}}
        {{person}}
        {{person}}
        {{full_name}}
        {{full_name}}
        {{first_name}}
        {{first_name}}
        {{prefix}} {{last_name}}
        {{prefix}} {{person}}
    """),
    "who": rule("""
        ((p))
        ((p))
        ((p))
        ((p)), ((role)),
        ((p)) ({{age}})
        ((p)), {{age}},
        ((p)) of {{organization}}
        ((p)) from {{place}}
        ((p)), {{job}} at {{organization}},
        ((p)) and ((p))
        ((kin)) {{first_name}}
        ((kin)) {{person}}
        my colleague ((p))
        our {{job}} ((p))
        the {{nrp}} {{job}} {{person}}
        a certain ((p))
        someone called ((p))
    """),
    "kin": rule("""
        my <<wife|husband|partner|ex|fiancé|girlfriend|boyfriend|spouse>>
        my <<son|daughter|mother|father|mum|dad|brother|sister|aunt|uncle|cousin|nephew|niece>>
        my <<grandmother|grandfather|mother-in-law|stepson|godson|twin sister|best friend|roommate>>
        my <<boss|neighbour|neighbor|landlord|supervisor|flatmate|client|colleague|lodger>>
        our <<son|daughter|neighbour|dog walker|nanny|cleaner|new hire|supplier|tenant>>
        <<his|her|their>> <<wife|husband|son|daughter|mother|father|brother|friend|guests>>
    """),
    "role": rule("""
        who <<lives|works|studies|grew up>> in {{place}}
        who <<turned|turns>> {{age}}
        a {{nrp}} citizen
        a {{job}}
        our {{job}}
        {{job}} at {{organization}}
        <<the defendant|the tenant|the witness|the applicant|the new owner|the account holder>>
        <<one of our customers|a friend of mine|a member of the board|the youngest of them>>
    """),
    "did": rule("""
        <<called|phoned|rang>> <<to complain|twice|and hung up|about the invoice|again>>
        <<has not paid|refused to pay|paid only half of>> <<the rent|the fee|the bill|the deposit>>
        <<moved|relocated|is moving>> <<from {{place}} |>>to {{place}}
        <<joined|left|quit|founded|sued|bought|runs|advises|works for>> {{organization}}
        <<was|got>> <<promoted|fired|hired|appointed|elected>><< as {{job}}| by {{organization}}|>>
        <<was born|died|got married>> on {{date}}
        <<wants|needs|asked|would like>> to <<cancel|renew|change|dispute>> the <<order|contract>>
        <<forgot|left>> <<the keys|a blue jacket|an umbrella>> at {{organization}}
        <<never showed up|arrived late|left early|stayed until the end>>
        <<won|lost>> the <<race|case|match|election|bet>> <<against ((p))|in {{place}}|on {{day}}>>
        <<wrote|translated|edited|reviewed>> <<the report|a novel|most of the code|this poem>>
        <<studied|teaches|read>> <<law|chemistry|history|economics>> at {{organization}}
        <<met|married|divorced|interviewed|accused|thanked|introduced>> ((p))
        <<lives|used to live|owns a house|rents a flat>> at {{address}}
        <<can be reached|is available|answers>> at <<{{phone_number}}|{{email}}>>
        <<travelled|flew|drove|commutes>> <<from {{place}} |>>to {{place}}<< with ((p))|>>
        <<is|was>> <<allergic to nuts|on sick leave|pregnant|diabetic|in hospital|out of office>>
        <<is|was>> {{nrp}}<< and speaks little English| by birth|>>
        <<said|claimed|insisted|admitted|denied>> that <<the door was open|nothing had changed>>
        <<signed|witnessed|drafted|lost>> the <<contract|lease|will|agreement>><< on {{date}}|>>
        <<will|may|should|must>> <<bring|send|return|collect>> the <<parcel|documents|car>>
        <<kept|keeps>> <<two cats|a diary|bees|the books>> <<in {{place}}|at home|>>
        <<borrowed|lent|owes>> <<me|us|him>> {{n_money}}
        <<appeared|testified|spoke>> <<before the committee|in court|
            on television>> <<in {{place}}|>>
        <<is|was>> <<the author of|the voice behind|responsible for>> <<the song|the plan|
            the error>>
        <<loves|hates|paints|collects>> <<jazz|old maps|orchids|trains|the sea>>
        <<received|got>> <<an award|a letter|a fine|a refund>> from {{organization}}
    """),
    "when": rule("""
        on {{date}}
        on {{day}}
        by {{date}}
        since {{date}}
        until {{date}}
        on {{day}} morning
        on {{day}} at {{n_time}}
        in {{n_year}}
        yesterday
        last week
        a few weeks ago
        at {{n_time}}
        from {{date_range}}
        before {{date}}
        two years later
    """),
    "reason": rule("""
        because the <<heating|elevator|printer|app|website>> <<broke|was down|failed>>
        to <<discuss|sign|review|cancel>> the <<lease|budget|contract|offer|policy>>
        after <<a long argument|the accident|the merger|surgery|the flood>>
        although <<nobody asked|it was late|the office was closed|the price had doubled>>
        with <<two friends|a heavy heart|the whole team|a lawyer>>
        for <<the third time|a new job|health reasons|no reason at all|tax purposes>>
    """),
    "ask": rule("""
        <<please|can you|could you|would you>>
        <<I need you to|I want you to|help me|I'd like to>>
        <<how do I|is it possible to|what's the best way to>>
    """),
    "do": rule("""
        <<write|draft|compose>> <<an e-mail|a letter|a message|a toast|a eulogy|a poem>>
        <<rewrite|shorten|proofread|translate|summarise>> <<this note|this letter|the text below>>
        <<prepare|plan|organise>> <<a meeting|a dinner|a surprise party|a trip>>
        <<write|give me>> <<a reference|a short bio|a LinkedIn summary|interview questions>>
    """),
    "chat": rule("""
        ((ask)) ((do)) for ((who))
        ((ask)) ((do)) to ((p)) <<about|regarding>> <<the delay|rent|our trip|the invoice>>
        ((ask)) ((do)), the <<recipient|client|guest>> is ((p)) <<of|from|at>> {{organization}}
        ((ask)) <<tell me|find out|remember>> <<who|what kind of person>> ((p)) <<is|was>>
        ((ask)) <<book|find|reserve>> a <<table|hotel|flight|room>> <<in|near|for>> {{place}}
        <<who is|tell me about|what do you know about|have you heard of>> ((p))<<?|, please|>>
        <<what is|tell me about|explain>> {{organization}}'s <<strategy|business model|
            return policy>>
        does {{organization}} <<ship to|operate in|have an office in>> {{place}}?
        is {{organization}} <<hiring|closing|a good employer|publicly traded>> <<in {{place}}|>>?
        <<hi|hello|hey|good evening|dear all>>, <<I'm|my name is|this is|it's>> ((p))<<.|!|, >>
        <<my name is|I'm called|they call me|I am>> ((p)) and I <<live|work|study>> in {{place}}
        <<call me|you can call me|everyone calls me|people know me as>> {{first_name}}
        <<it's|the account is|the booking is|it should be>> under <<the name |>>{{person}}
        ((kin)) <<is called|is named|goes by>> {{first_name}}, what <<gift|
            nickname>> would you suggest
        <<yes|no|sure|ok|sorry>>, {{first_name}}<<.|!|, I did.|, that is right.|, not yet.>>
        <<thanks|thx|cheers|goodnight|welcome back>><<,|>> {{first_name}}
        <<ask|tell|remind|text|email>> {{first_name}} to <<bring milk|call back|sign the form>>
        <<was|is|did>> {{first_name}} <<there|at the party|coming|late again|invited>>?
        where <<did|does>> ((p)) <<live|work|go to school|come from>>?
        <<i|we>> <<met|saw|miss|trust|blame>> {{first_name}} <<in {{place}}|at {{organization}}|>>
    """),
    "contact": rule("""
        <<my|his|her|the office>> <<number|phone|mobile|cell|telephone>> is {{phone_number}}
        <<reach|call|ring|text|fax|whatsapp>> <<me|us|him|her>> <<on|at>> {{phone_number}} ((when))
        <<tel|phone|mob|fax|t|m|cell|ph>><<:|.| -|>> {{phone_number}}
        <<missed call|voicemail|sms>> from {{phone_number}}<< ((when))|>>
        <<email|mail|write to|contact|ping|cc>> {{email}} <<for details|asap|with questions|>>
        <<send|forward>> <<it|the file|a copy|the contract>> to {{email}}<< and {{email}}|>>
        <<my|his|the>> <<e-mail|email|mail|address>> is {{email}}
        {{email}} <<bounced|never replied|is on the list twice|unsubscribed>>
        ((p)) (<<{{email}}|{{phone_number}}>>) <<is on call|has the keys|takes over>>
        <<call|contact|email>> ((p)) <<at|on|via|:>> <<{{phone_number}}|{{email}}>>
        <<more|details|tickets|the menu|photos>> <<at|on|under>> <<{{url}}|{{domain}}>>
        {{domain}} <<is down|expires on {{date}}|points to {{ip_address}}|
            belongs to {{organization}}>>
        <<follow the link|see|open|visit>> {{url}}
        my <<website|blog|portfolio|store|homepage>> is <<{{url}}|{{domain}}>>
    """),
    "address": rule("""
        <<I|we|they>> <<live|stay|work>> at {{address}}
        <<send|ship|deliver|mail|post>> <<it|the parcel|everything|the keys>> to {{address}}
        <<my|our|his|the new|the billing>> address is {{address}}
        <<((p)) lives|the office is|the party is|the fire was>> at {{address}}
        <<meet|find|join>> <<me|us>> at <<{{address}}|{{street}}|the corner of {{street_name}}>>
        <<pick|drop>> <<me|us|him>> <<up |off >>at <<{{street}}|{{address}}>>
        <<turn left|the bus stops|the accident happened|there is roadwork>> on {{street_name}}
        the <<shop|clinic|school|venue|warehouse>> <<on|in|at>> {{street}} <<closed|is open|moved>>
        <<from|between>> {{street_name}} <<to|and>> {{street_name}}
        {{organization}} has <<moved|its office|a branch>> at {{address}}
        <<ZIP|zip code|postcode|postal code|PLZ|code postal>><<:| is| =|>> {{zipcode}}
        <<houses|rent|restaurants|schools|pizza delivery|weather>> <<in|near|around>> {{zipcode}}
        the <<storm|outage|delivery area>> covers zip codes {{zipcode}} and {{zipcode}}
        <<born|raised|stationed|stranded|based>> in {{place}}
        <<what to see|best food|hotels|the weather|things to do|jobs>> in {{place}}<<?|>>
        <<the road|a train|flights|a bus>> from {{city}} to {{city}} <<via {{city}}|>>
        {{city}}, {{state}}
        {{city}}, {{country}}
        the <<government|president|economy|army|flag|king>> of {{country}}
        {{country}} <<won|lost|declared war|signed the treaty|borders {{country}}|exports oil>>
        <<mayor|people|museum|airport|port|city>> of {{city}}
        {{city}}'s <<mayor|old town|airport|nightlife|metro>> <<is famous|was closed|impressed us>>
    """),
    "money": rule("""
        <<my|the>> <<card|credit card|visa|mastercard|amex>> <<number |no. |
            >>is {{credit_card_number}}
        <<charge|use|block|cancel|refund>> <<card|my card|>> {{credit_card_number}}
        {{credit_card_number}} <<was declined|has expired|exp {{n_expiry}}|, cvv 123|is lost>>
        <<pay|paid|transfer|wire|send>> {{n_money}} <<to|from|into>> {{iban}}
        <<my|the|our>> IBAN <<is|:|has changed to>> {{iban}}
        IBAN {{iban}}, <<holder|name|in favour of>> ((p))
        <<account|acct|bank account>> {{iban}} <<at {{organization}}|>>
        <<my|his|her|the applicant's>> <<SSN|social security number|social>><< is|:|>> {{ssn}}
        SSN {{ssn}}, <<born|dob>> {{date}}
        <<taxpayer|employee>> ((p)), SSN {{ssn}}
        <<driver's license|DL|driving licence|license number>><< is|:| no.|>> {{us_driver_license}}
        the officer <<noted|ran|asked for>> <<licence|license|
            DL>> {{us_driver_license}} <<({{state}})|>>
        <<my license|the license of ((p))>>, {{us_driver_license}}, <<expires on {{date}}|was lost>>
    """),
    "net": rule("""
        <<login|request|traffic|ping|attack|connection>> from {{ip_address}} <<failed|was blocked|>>
        {{ip_address}} <<is unreachable|keeps scanning us|belongs to {{organization}}|timed out>>
        <<block|whitelist|trace|geolocate|ssh into>> {{ip_address}}
        the <<server|router|printer|camera>> <<has|got|is at>> {{ip_address}}
        <<route|tunnel|packets>> from {{ip_address}} to {{ip_address}}
        <<user|account>> {{email}} <<logged in|signed up|
            was banned>> from {{ip_address}} on {{date_time}}
    """),
    "dates": rule("""
        <<born|b.|dob|date of birth|birthday>><<:| on|>> {{date_of_birth}}
        <<the meeting|the exam|our flight|the hearing|surgery|the wedding>> is on {{date}}
        <<due|expires|valid until|deadline|effective>><<:|>> {{date}}
        <<see you|let's meet|dinner|I'm free|rehearsal>> <<on {{day}}|{{day}}|
            on {{date}}>><< at {{n_time}}|>>
        <<signed|filed|issued|dated|updated>> <<on|:|>> {{date}}
        <<away|on holiday|closed|booked|in {{place}}>> <<from {{date}} to {{date}}|{{date_range}}>>
        <<every|each>> {{day}} <<at {{n_time}}|morning|evening|>>
        <<it|the backup|the job>> <<ran|started|crashed>> at {{date_time}}
        between {{date}} and {{date}} <<nobody called|sales fell|she was in {{place}}>>
        <<not|either|maybe>> {{day}}, <<rather|or|maybe>> {{day}}
        {{date}}: <<arrived in {{place}}|met ((p))|rain all day|paid the rent|
            called {{organization}}>>
    """),
    "ages": rule("""
        a {{age}}-year-old <<man|woman|girl|boy|patient|driver|student|male|female|widow>> ((did))
        a {{age}} <<year old|yr old|y/o|yo|years old>> <<man|woman|male|female|
            child>> <<with ((ill))|>>
        ((p)), aged {{age}}, ((did))
        ((p)) (age {{age}}) ((did))
        <<I'm|I am|he is|she's|they're both>> {{age}} <<years old|yrs old|y/o|now|years of age|>>
        <<he|she|((p))>> <<turned|turns|just turned|will be|died at|retired at>> {{age}}
        at <<the age of|age>> {{age}}, ((p)) ((did))
        <<aged|age|age:>> {{age}}
        <<I'm|she is|he was>> {{age_words}} <<years old|and single|when it happened|years of age>>
        a {{age_words}}<<-year-old| year old>> <<boy|girl|man|woman>> from {{place}}
        {{age}}M, <<presents with ((ill))|>>
        <<patient|pt>> is {{age}}, <<c/o|complains of|denies>> ((ill))
        <<children|kids|siblings>> aged {{age}}, {{age}} and {{age}}
        <<under|over>> the influence: driver, {{age}}, of {{street}}
        {{first_name}} is {{age}} and {{first_name}} is {{age}}
        ((kin)), {{age}}, ((did))
    """),
    "ill": rule("""
        <<chest pain|a dry cough|lower back pain|migraine|shortness of breath|a rash|high fever>>
        <<type 2 diabetes|asthma|hypertension|a broken wrist|anxiety|insomnia|pneumonia>>
    """),
    "nrps": rule("""
        <<he|she|my wife|((p))>> is {{nrp}}<< and {{nrp}}|, not {{nrp}}|>>
        <<a|the>> {{nrp}} <<man|woman|couple|family|student|soldier|community|minority|pastor|
            author>>
        {{nation_plural}} and {{nation_plural}} <<celebrate together|voted against it|live here>>
        <<traditional|authentic|modern|fluent>> {{nationality}} <<food|music|wedding|poetry|
            speaker>>
        <<the|our>> {{nationality}} <<government|embassy|branch|team|navy|parliament|minister>>
        <<as|being>> <<a|an>> {{nrp}} <<in|living in>> {{country}}
        <<raised|baptised|registered|identifies as>> {{nrp}}
        <<nationality|citizenship|religion|ethnicity|party>><<:| is|>> {{nrp}}
        <<half|part>> {{nationality}}, <<half|part>> {{nationality}}
        {{politics}} <<voters|candidates|lawmakers>> in {{state}} <<disagreed|won|protested>>
        the {{religion}} <<faith|holiday|cemetery|school|tradition>> in {{city}}
        {{nationality}}-{{nationality}} <<relations|border|trade|war>>
    """),
    "orgs": rule("""
        {{organization}} <<announced|reported|denied|confirmed>> <<a merger|record profits|layoffs|
            it>>
        {{organization}} <<sued|acquired|hired|partnered with|competes with>> {{organization}}
        <<shares|stock|employees|customers|the fall|a friend>> of {{organization}} ((did_org))
        <<I|we|she>> <<work|worked|applied|interned|banked|studied>> <<at|for|
            with>> {{organization}}
        <<I|we>> <<bought it from|ordered from|cancelled with|complained to>> {{organization}}
        <<the|a new>> {{organization}} <<office|store|app|branch|campus|card|employee|contract>>
        {{organization}}, <<a|the>> <<{{nationality}} |>><<bank|retailer|startup|charity|airline|
            insurer>>
        {{organization}}'s <<profit|new boss|server|newsletter|lawyers|product>> ((did_org))
        <<according to|says|in a report by|funded by|sponsored by>> {{organization}}
        {{organization}} ({{city}}) <<and|vs.|,>> {{organization}} ({{city}})
        <<clients|members|sponsors>> include {{organization}}, {{organization}} and {{organization}}
        <<employer|company|bank|insurer|school|firm|supplier>><<:| is|>> {{organization}}
        <<a|my>> <<degree|internship|scholarship|diploma>> from {{organization}}
        <<treated|admitted|operated>> at {{organization}} ((when))
        {{organization}} <<beat|lost to|drew with>> {{organization}} {{n_small}}-{{n_small}}
        ((p)), {{job}} of {{organization}}, ((did))
        ((p)) <<joins|leaves|chairs>> {{organization}} <<as {{job}}|after {{n_small}} years|>>
        {{organization}} <<based|founded|headquartered>> in {{place}}
        <<my|his|her>> <<old|last|current>> <<employer|school|
            landlord>>, {{organization}}, ((did_org))
        <<fly|flew|flying>> <<with |>>{{organization}} to {{place}}
    """),
    "did_org": rule("""
        <<rose|fell|collapsed|doubled>> <<by {{n_percent}}|in Q{{n_quarter}}|overnight|>>
        <<went offline|was delayed|came as a surprise|never answered|moved to {{place}}>>
        <<resigned|apologised|declined to comment|blamed ((p))>>
    """),
    "jobs": rule("""
        <<I|she|he|my father>> <<work|works|worked>> as <<a |an |the |>>{{job}} <<in|at|for>> ((at))
        ((p)), {{job}}, ((did))
        {{job}} ((p)) ((did))
        <<she|he|((p))>> was <<appointed|promoted to|named>> {{job}} ((when))
        <<position|occupation|job title|role|profession>><<:| is|>> {{job}}
        <<former|ex->> {{job}} ((p)) ((did))
        ((p)) - {{job}}<<, {{organization}}|>>
        <<ask for|speak to|meet>> ((p)), our {{job}}
        <<I'm|she is|he's>> <<a|an|the>> {{job}} <<from|at|for>> ((at))
        {{prefix}} {{last_name}} <<will see you|is not in|signed it>> ((when))
        <<dear|good morning|thank you,>> {{prefix}} {{last_name}}<<,|>>
    """),
    "at": ("{{organization}}", "{{organization}}", "{{place}}", "{{organization}} in {{city}}"),
    "wordy": rule("""
        {{wordy_name}} <<said|thinks|told me|promised|forgot>> <<it|that it works|to call>>
        <<ask|tell|call|text|meet|thank|blame>> {{wordy_name}} ((when))
        <<my|our>> <<son|daughter|friend|boss|cousin>> {{wordy_name}} ((did))
        {{wordy_name}} and {{wordy_name}} ((did))
        <<hi|hey|dear|thanks|bye|sorry>> {{wordy_name}}<<,|!|>>
        {{wordy_name}}'s <<car|mother|birthday|desk|laptop|idea>> <<is|was>> <<late|blue|gone|
            great>>
        {{wordy_name}} {{last_name}} ((did))
        <<will|can|did|does|has>> {{wordy_name}} <<come|know|agree|paid|help>><<?| ((when))?>>
        <<is|was>> {{wordy_name}} <<home|there|your sister|in the office>>?
        <<i|we>> <<love|miss|met|saw>> {{wordy_name}}
    """),
    "culture": rule("""
        <<a|the>> <<film|play|biography|documentary|remake>> <<by|about|directed by>> {{person}}
        <<starring|featuring|produced by|with music by>> {{person}} and {{person}}
        <<the|a>> <<novel|song|album|essay|poem>> by {{person}}, <<written|released>> in {{n_year}}
        {{last_name}}'s <<first|best|lost|unfinished>> <<novel|symphony|film|painting|
            single>> ((did_art))
        {{person}} <<plays|sings|voices|portrays>> {{first_name}} in <<the film|season two|
            the musical>>
        <<unlike|like|after>> {{last_name}}, {{last_name}} <<never|always>> <<toured|rhymed|
            improvised>>
        {{person}} <<scored|assisted|was injured|was sent off>> in the {{n_small}}th minute
        <<goals|points|wickets>> by {{last_name}}, {{last_name}} and {{last_name}}
        {{first_name}}: "<<who is it|where were you|I told you so|go home|not again>>?"
        "<<we did our best|this changes nothing|I am sorry|it was close>>," <<said|says>> ((who))
        <<said|says>> {{last_name}}: "<<we had no choice|it's a start|ask me tomorrow>>"
        {{last_name}} <<et al.|and {{last_name}}>> <<({{n_year}})|showed this|found no effect>>
    """),
    "foreign": rule("""
        <<Ich bin|Ich heiße|Mein Name ist|Hier ist|
            Hallo, ich bin>> {{person}} <<und wohne in {{city}}|>>
        <<Meine|Seine|Ihre>> <<Nummer|Handynummer|Telefonnummer>> <<ist|lautet>> {{phone_number}}
        {{prefix}} {{last_name}} <<kommt|fliegt|zieht>> am {{date}} nach {{city}}
        <<Geboren am|Seit dem|Bis zum|Ab>> {{date}} <<in {{city}}|>>
        Ich arbeite bei {{organization}} <<in {{city}}|seit {{n_year}}|>>
        <<Bitte|Können Sie>> <<überweisen Sie|die Miete>> auf {{iban}} <<überweisen|>>
        Die <<Lieferung|Rechnung|Post>> geht an {{address}}
        Wir sind {{n_small}} Leute aus {{country}}, {{first_name}} ist {{age}} Jahre alt
        <<Je suis|Je m'appelle|Moi c'est|C'est>> {{person}}<<, j'habite à {{city}}| de {{city}}|>>
        <<Mon|Son>> <<numéro|portable|téléphone>> est le {{phone_number}}
        <<Mon adresse est|J'habite au|Livrez au>> {{address}}
        Je travaille chez {{organization}} depuis {{n_year}}
        {{first_name}} a {{age}} ans et <<vient de|vit à|part pour>> {{city}}
        <<Rendez-vous|La réunion est>> <<le {{date}}|avec {{person}}>>
        {{prefix}} {{last_name}} <<ne peut pas venir|a signé|remercie {{organization}}>>
        <<Soy|Me llamo|Mi nombre es|Habla>> {{person}} <<y vivo en {{city}}|de {{city}}|>>
        <<Mi|Su>> <<teléfono|número|móvil>> es <<el |>>{{phone_number}}
        <<Vivo en|Envíelo a|La oficina está en>> {{address}}
        Trabajo en {{organization}}<< desde {{n_year}}|, {{city}}|>>
        {{first_name}} tiene {{age}} años y <<es de|viaja a>> {{city}}
        {{prefix}} {{last_name}} <<llega|nació|firma>> el {{date}}
        <<Mi chiamo|Sono|Il mio nome è>> {{person}}<< e vivo a {{city}}|>>
        <<Il mio numero è|Chiamami al|Tel.>> {{phone_number}}
        <<Abito in|Spedire a|L'ufficio è in>> {{address}}
        Lavoro per {{organization}}, {{first_name}} ha {{age}} anni
        <<Meu nome é|Sou|Chamo-me|Aqui é>> {{person}}<<, moro em {{city}}|>>
        <<Meu telefone é|Ligue para>> {{phone_number}}<< ou escreva para {{email}}|>>
        Trabalho na {{organization}} em {{city}} desde {{date}}
        <<Ik ben|Mijn naam is|Ik heet>> {{person}}<< en woon in {{city}}|>>
        <<Mijn nummer is|Bel mij op>> {{phone_number}}, <<groetjes {{first_name}}|
            adres: {{address}}>>
        Ik werk bij {{organization}} en {{first_name}} is {{age}} jaar
        <<Nazywam się|Jestem>> {{person}}<<, mieszkam w {{city}}|>>
        <<Mój numer to|Proszę dzwonić:>> {{phone_number}}, pracuję w {{organization}}
        <<Jag heter|Jag är|Mitt namn är>> {{person}}<< och bor i {{city}}|>>
        <<Mitt nummer är|Ring>> {{phone_number}}, jag jobbar på {{organization}}
        <<Jeg heter|Mitt navn er>> {{person}}<<, jeg bor i {{city}}|, {{age}} år>>
        <<Benim adım|Ben|İsmim>> {{person}}<<, {{city}} doğumluyum|, {{organization}} çalışanı>>
        <<Jmenuji se|Jsem>> {{person}}<< a bydlím v {{city}}|>>, tel. {{phone_number}}
        <<A nevem|Én>> {{person}}<<, {{city}} városában élek|>>, {{email}}
        <<Nama saya|Saya>> {{person}}<< dari {{city}}|, umur {{age}} tahun>>
        <<Tên tôi là|Tôi là>> {{person}}<<, sống ở {{city}}|>>
        <<Меня зовут|Я>> {{person}}<<, живу в {{city}}|, тел. {{phone_number}}>>
        <<我叫|我是>>{{person}}，<<电话|手机>>{{phone_number}}
        <<私は|名前は>>{{person}}です。<<電話|住所>>: {{phone_number}}
        <<Με λένε|Είμαι ο>> {{person}}<< και μένω στην {{city}}|>>
    """),
    "did_art": rule("""
        <<sold well|was banned in {{country}}|moved me to tears|flopped|is set in {{place}}>>
        <<was recorded in {{city}}|won a prize|deserves more praise|bored the critics>>
    """),
    "news": rule("""
        {{city}} - ((who)) ((did)) ((when))
        ((p)) ((did)), <<police|officials|witnesses|relatives>> said ((when))
        <<police|firefighters|doctors>> in {{place}} <<arrested|rescued|identified>> ((p)), {{age}}
        {{country}} and {{country}} <<agreed|failed to agree>> on <<trade|borders|
            a ceasefire>> ((when))
        {{prefix}} {{last_name}} <<met|called|
            visited>> {{prefix}} {{last_name}} in {{city}} ((when))
        {{organization}} {{job}} ((p)) ((did))
        {{prefix}} {{last_name}} ((did)) ((when))
    """),
    "legal": rule("""
        <<the|this>> <<lease|contract|will>> between ((p)) and {{organization}} <<ends on|
            dated>> {{date}}
        {{last_name}} v. {{last_name}}, <<heard|decided>> <<in {{place}}|on {{date}}>>
        ((p)), <<residing|domiciled>> at {{address}}, <<sues|appeals|consents>>
        <<plaintiff|defendant|witness|counsel|executor>> ((p)) ((did))
        <<I|We>>, <<the undersigned |>>((p)), <<born on {{date}}|of {{address}}>>, <<declare|
            authorise>>
    """),
    "core": tuple(
        f"(({name}))"
        for name in [
            "chat",
            "chat",
            "contact",
            "contact",
            "address",
            "address",
            "money",
            "net",
            "dates",
            "ages",
            "nrps",
            "orgs",
            "orgs",
            "orgs",
            "jobs",
            "jobs",
            "wordy",
            "culture",
            "news",
            "legal",
            "event",
            "event",
            "event",
        ]
    ),
    "event": rule("""
        ((who)) ((did))
        ((who)) ((did)) ((when))
        ((who)) ((did)) ((reason))
        ((who)) ((did)) ((when)) ((reason))
        ((when)), ((who)) ((did))
        ((who)) ((did)), <<but|and|so>> ((p)) ((did))
        <<I heard|it seems|they say|apparently|I'm afraid|the note says>> <<that |>>((who)) ((did))
        <<when|if|because|since|while>> ((p)) ((did)), <<we should call|nobody noticed|I left>>
        <<did you know that|is it true that|why do you think>> ((p)) ((did))?
        it was ((p)) who ((did))
        <<the one who|whoever>> ((did)) was ((p))
        ((p))'s <<sister|car|phone|laptop|appointment|dog|passport|team>> <<was stolen|is ready|
            is here>>
        <<a photo|the signature|a friend|the house|the email>> of ((p))<<'s|>> <<is missing|
            was found>>
        <<with|without|thanks to|except|besides>> ((p)), <<we would be lost|the plan works|
            all agreed>>
        <<gave|sent|showed|sold>> ((p)) <<the keys|a card|the draft|her bike>>
        <<team|present|cc|invited|on duty>>: {{first_name}}, {{first_name}}, {{first_name}}
        <<participants|authors|speakers>> - {{person}}, {{person}} and {{person}}
    """),
    "lead": rule("""
        <<hi|hello|hey|hi there|good morning|dear team|hello again>><<,|.|!| ->>
        <<quick question:|fyi,|update:|note:|reminder:|by the way,|ps:|urgent!|as discussed,|btw>>
        <<so,|well,|ok so|anyway,|listen,|look,|honestly,|sorry, but|I forgot:|also,>>
    """),
    "tail": rule("""
        <<thanks|thank you|cheers|please help|any ideas|what should I do|is that ok>><<.|?|!|>>
        <<let me know|please confirm|keep this private|reply soon|no rush|it's urgent>>.
        <<what does that mean|how should I answer|is this legal|can you check>>?
        <<I have tried everything.|Nothing else has changed.|That is all I know.|It was raining.>>
    """),
    "sentence": rule("""
        ((core))
        ((core))
        ((core)).
        ((core)).
        ((core))<<?|!|...|;|>>
        ((lead)) ((core))
        ((lead)) ((core)).
        ((core)). ((tail))
        ((core)), ((tail))
        ((lead)) ((core)). ((tail))
        ((core)). ((core)).
        ((core)) and ((core))
        ((core)) - ((core))
        "((core))"
        (((core)))
        ((plain)) ((core)).
        ((core)). ((plain))
        ((plain)) ((core)). ((plain))
    """),
    "plain": rule("""
        <<The|This|That|Our>> <<meeting|report|order|trip|game|idea|price>> <<was|is|
            will be>> ((fine)).
        <<I|We|They|You>> <<need|want|have|like|miss>> <<more time|a new plan|coffee|
            the old version>>.
        <<Nothing|Everything|Something>> <<changed|broke|helped|is ready>> <<yesterday|so far|
            again>>.
        <<It|This>> <<will|may|might>> <<mark|bill|rain|help|take an hour|not matter>>.
        <<Please|Kindly>> <<check|attach|read|ignore>> the <<file|form|draft|log|picture>>.
        <<What|How|Why|When>> <<should we|can I|did they>> <<fix it|pay|start|know>>?
    """),
    "subject": rule("""
        <<urgent|quick question|offer|documents|next steps|holiday plans|((p))|{{organization}}>>
        <<invoice|complaint|application|visit|thank you>> <<((p))|{{place}}|{{date}}|>>
    """),
    "chatter": rule("""
        <<ok|sure|yes|no problem|one moment please|thanks|I see|hmm|great|sorry to hear that>><<.|
            !|>>
        <<can you confirm your|what is your|may I have your>> <<name|address|date of birth|number>>?
        <<anything else|how can I help you today|is that all|could you repeat that>>?
        ((plain))
    """),
    "answer": rule("""
        {{person}}
        {{first_name}}
        {{last_name}}
        {{address}}
        {{street}}
        {{phone_number}}
        {{email}}
        {{date}}
        {{age}}
        {{city}}
        {{country}}
        {{zipcode}}
        {{ssn}}
        {{credit_card_number}}
        {{iban}}
        {{organization}}
        {{nrp}}
        {{job}}
        {{us_driver_license}}
        <<sure, |it's |yes, |that's |>><<{{person}}|{{address}}|{{phone_number}}|{{date}}|{{city}}>>
    """),
    "fine": (
        "fine",
        "too long",
        "about money",
        "cancelled",
        "the best so far",
        "not what we wanted",
    ),
}
"""Alternatives of each rule."""
