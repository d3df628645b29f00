"""Rules of sentences without personal data that look as if they had some: plain data.

Words that are also names, used as words; things and animals named after people and places;
numbers in the form of phone numbers, dates, addresses of machines. ``clean`` is the rule to begin
with; none of the rules may hold a slot with a type.
"""

from __future__ import annotations

from training.pii.grammar import rule

LOOKALIKES: dict[str, tuple[str, ...]] = {
    "clean": rule("""
        ((word_use))<<.|?|>>
        ((word_use))<<.|!|>>
        ((thing_use))<<.|?|>>
        ((number_use))<<.|?|>>
        ((code_use))
        ((request))<<.|?|>>
        ((everyday))<<.|>>
        ((lead)) ((everyday)).
        ((lead)) ((word_use)). ((plain))
        ((plain)) ((number_use)). ((plain))
        ((everyday)). ((word_use)). ((number_use))
        ((request)). ((everyday)).
        - ((everyday))\\n- ((number_use))\\n- ((word_use))
        user: ((request))\\nassistant: ((everyday)).
    """),
    "word_use": rule("""
        it will <<rain|cost more|be fine|take a while|not matter>> <<tomorrow|next week|anyway>>
        <<will|may|can>> the <<printer|plan|new version|experiment>> work <<next month|after all>>?
        please mark <<the correct answer|it as done|the essay|all errors>> <<in red|below>>
        the <<mark|bill|grant|deal|bond>> was <<too high|approved|late|worth it>>
        who pays the <<bill|rent|tax|toll>> when the <<grant|loan>> ends?
        sales rose <<in may|in march|by a tenth|over the summer|again>>
        you may <<leave|sit down|use a calculator|ignore this>>
        a <<rose|lily|daisy|violet|iris|heather|jasmine>> in <<the garden|a vase|full bloom>>
        <<add|chop|mix>> <<basil|ginger|rosemary|sage|olive oil|pepper>> and <<salt|rice|sugar>>
        have <<faith|hope|mercy|patience|grace>> and <<joy|hope|honor|charity>>
        <<a man of honor|an act of grace|a leap of faith|a ray of hope|a work of art|true love>>
        to be frank, the <<idea|plan|joke>> was <<bad|old|not mine|a bit rich>>
        an art <<class|dealer|gallery|form>> near the <<hill|church|lake|park|bridge>>
        <<cook|bake|grill>> the <<rice|salmon|bass|lamb|bacon>> for {{n_small}} minutes
        the <<baker|carpenter|smith|mason|miller|potter|fisher>> <<left|is new|fixed it>>
        a <<black|white|green|brown|gray|golden>> <<fox|wolf|bird|swan|stone|house>>
        <<chase|hunt|follow>> the <<fox|drake|wolf|hare>> through the <<woods|marsh|fields>>
        <<sue|rob|pat|nick|jack|bob|wade|drew>> is also a <<verb|word in the dictionary>>
        they <<drew a map|rob banks in films|wade through the river|sue for damages|pat the dog>>
        <<dawn|eve|summer|winter|autumn>> is the best <<time|season>> for a walk
        the <<king|queen|bishop|knight|pope|duke|prince>> <<moves first|lives in a castle|waved>>
        <<the sky is gray|the river is wide|the cliff is steep|the clay is wet|the lane is narrow>>
        <<jack up|rob|grant|pierce|reed|heath|glen|dale|ray>> - define the word
        a <<cash|price|banks|sale|money|bond>> <<crisis|report|question>>
        <<turkey|china|jersey|java|chile|jordan>> is also <<food|crockery|a fabric|coffee|a shoe>>
        the <<apple|orange|amazon|shell|target|gap|visa|meta|delta>> is <<ripe|wide|broken|ok>>
        <<apple trees|orange juice|shell scripts|target values|visa rules|delta waves|oracle bones>>
        <<french fries|danish pastry|turkish delight|swiss cheese|english muffins|polish the floor>>
        <<brussels sprouts|bermuda shorts|cologne for men|a hamburger|vienna sausage|a panama hat>>
        the paris hilton hotel <<review|lobby|pool>> <<is on page {{n_small}}|had mold|is closed>>
        <<manila folder|berlin wall paint colour|london fog tea|oxford shoes|cambridge blue>>
        he said, she said, <<nobody knows|who cares|and so on>>
        <<the victor|the major|the dean|the guy|the earl|the page|the guest>> <<left|spoke|won>>
        <<sunny|sandy|rocky|rusty|stormy|misty>> <<weather|beaches|paths|pipes>> <<all week|ahead>>
        <<max|mean|min|mode|norm|rank|ward|ace>> of the <<values|list|matrix|deck>>
        <<christian|german|english|french>> is a <<word with many meanings|common adjective>>
        <<olive|amber|ruby|jade|coral|violet|hazel>> <<is a colour|goes well with blue>>
        word of the day: {{n_word}}
        rhymes with {{n_word}}: {{n_thing}}
        the <<password|answer|keyword|codename>> is {{n_word}}
        what does {{n_word}} mean?
    """),
    "thing_use": rule("""
        <<how do I|can you>> <<clean|repair|cook|buy|draw>> <<a|the>> {{n_thing}}
        <<how long does|where does>> <<a|the>> {{n_animal}} <<live|sleep|eat>>
        <<the|a>> {{n_animal}} and <<a|the>> {{n_animal}} <<crossed the road|are related|played>>
        my {{n_product}} <<won't start|is slow|broke|needs an update|overheats>>
        {{n_product}} or {{n_product}}, which is better for <<travel|students|gaming>>
        <<install|update|sell|return|unbox>> <<the|my>> {{n_product}}
        explain <<the|a>> {{n_thing}} <<to a child|in two lines|briefly>>
        <<what is|who invented|why is it called>> {{n_thing}}
        the {{n_animal}} <<weighs|is>> {{n_size}}
        a recipe with {{n_thing}} and {{n_thing}}
        {{n_tech}} <<vs|versus|and|or>> {{n_tech}} for {{n_topic}}
        {{n_tech}} and {{n_product}} <<do not sync|work together>>
    """),
    "number_use": rule("""
        version {{n_version}} <<fixes|breaks|replaces>> {{n_version}}
        <<order|ticket|invoice|case|claim|booking>> <<no.|number|#|id>> {{n_order}} <<is late|>>
        the <<part|serial|model|article>> number is {{n_code}}<< or {{n_id}}|>>
        it <<weighs|measures|costs|holds|lasts>> <<{{n_size}}|{{n_money}}>>
        <<between|from>> {{n_year}} <<and|to>> {{n_year}} <<prices doubled|it was used daily|>>
        in <<{{n_year}}|the {{n_year}}s|early {{n_year}}>> <<it was banned|nobody cared|
            demand fell>>
        the class of {{n_year}} has {{n_small}} students
        <<section|chapter|article|clause|figure>> {{n_small}}.{{n_small}}.{{n_small}}
        coordinates {{n_geo}}
        <<at|by|until|around>> {{n_time}} <<the bus leaves|it was dark|we eat>>
        <<the score was|they won|it ended>> {{n_small}}-{{n_small}}
        <<hash|commit|checksum|etag>> {{n_hash}}
        <<session|trace|request|device>> {{n_uuid}} <<ended|failed|>>
        ISBN {{n_isbn}}
        {{n_float}} <<times|plus|divided by|minus>> {{n_float}} <<is|equals>> {{n_float}}
        a rate of {{n_sci}} <<per second|mol|with p = {{n_float}}|>>
        <<page|line|room|gate|seat|bus|channel|level>> <<{{n_small}}|{{n_room}}>>
        the <<stock|index|yield|rate>> <<rose|fell>> {{n_percent}} to {{n_float}}
        <<population|budget|distance|bandwidth>>: {{n_int}}
        {{n_small}} <<out of|of>> {{n_small}} <<people|votes|tests|items>>
        <<warranty|loan|lease|course>> of {{n_small}} <<months|years|days|weeks>>
        the <<building|wine|car|bridge|tree|company>> is {{n_small}} years old
        <<a {{n_small}}-year|the {{n_small}}-day|a {{n_small}}-hour>> <<plan|trip|warranty|fast>>
        the code is {{n_int}}, <<valid for {{n_small}} minutes|do not share it>>
        <<dial|press|enter>> {{n_small}} <<to continue|for help>>
        flight {{n_code}}, <<gate|seat>> {{n_room}}, boarding {{n_time}}
        plate {{n_plate}}
        <<a|the>> {{n_size}} <<box|pipe|room|screen|cable>>
        save {{n_percent}} with code {{n_code}}, <<now|only>> {{n_money}}
        {{n_int}} {{n_int}} {{n_int}} {{n_int}}
        2^{{n_small}} mod {{n_small}} = {{n_small}}
    """),
    "code_use": rule("""
        {{n_ident}}({{n_small}}, "{{n_word}}")
        import {{n_ident}} from './{{n_ident}}'
        def {{n_ident}}(self, {{n_ident}}=None):
        if ({{n_ident}} > {{n_float}}) { return {{n_ident}}; }
        const {{n_ident}} = new Map();
        user.{{n_ident}} = "{{n_masked}}"
        {{n_ident}}: {{n_masked}}
        name: {{n_masked}}, email: {{n_masked}}, phone: {{n_masked}}
        test("{{n_ident}} returns {{n_small}}", () => {});
        v{{n_version}} <<deprecates|adds|renames>> {{n_ident}}
        `{{n_ident}}` <<raises|returns|calls>> `{{n_ident}}` <<in|since>> {{n_version}}
        {{n_hex}} {{n_ident}}+{{n_hex}}
        rename {{n_ident}} to {{n_ident}}
        fix: {{n_ident}} ignored {{n_ident}} (#{{n_int}})
        SELECT {{n_ident}}, count(*) FROM logs GROUP BY {{n_ident}}
        docker run -p {{n_int}}:{{n_int}} image:{{n_version}}
        127.0.0.1:{{n_int}} <<refused|ok|>>
        <<pip|npm|cargo|apt>> install {{n_ident}}@{{n_version}}
    """),
    "request": rule("""
        <<write|give me|suggest>> <<a poem|a story|a joke|ideas|a song>> about {{n_topic}}
        <<summarise|translate|explain|proofread>> <<this|the article|the paragraph|it>> <<briefly|>>
        <<how|why|when>> <<do|should|would>> <<people|I|companies|cats>> <<learn|fear|
            use>> {{n_topic}}
        <<what|which>> <<books|tools|habits|courses>> help with {{n_topic}}
        act as a {{n_job}} and <<review my plan|teach me {{n_topic}}|ask me questions>>
        <<debug|optimise|refactor|document>> this {{n_tech}} <<function|query|script>>
        <<compare|rank>> {{n_tech}} and {{n_tech}} by <<speed|price|ease of use>>
        <<invent|give me>> <<a name|a slogan|a title>> for <<a cat|a bakery|an app|a blog>>
        write a letter to <<my landlord|the editor|a friend|our customers>> <<without names|>>
        who <<invented|discovered|wrote>> <<it|this|the law|the first program>>
        <<role play|pretend>>: you are a {{n_job}}
        what time is it <<now|there|in summer>>
    """),
    "everyday": rule("""
        <<my|our|the>> <<neighbour|teacher|doctor|boss|landlord|sister|dog|team>> <<is late|agreed>>
        <<the|a>> {{n_job}} <<earns well|called back|gave advice|was on strike>>
        <<the customer|someone|everybody|no one|a stranger>> <<asked|complained|waved|forgot it>>
        <<the city|the country|the state|our town|the capital>> <<is large|votes|has a port>>
        <<the company|the bank|a startup|the school|the court>> <<closed|ruled|hired|paid>> <<it|>>
        <<my|the>> <<phone|address|email|password|card|name>> <<has changed|is wrong|is private>>
        <<what is|please enter|confirm>> your <<name|age|address|date of birth|zip code|email>>?
        <<tomorrow|yesterday|today|last week|next month|this evening>> <<we rest|it snowed|is fine>>
        <<children|adults|tourists|voters|old people>> <<like|dislike|need>> <<it|that|sleep|tea>>
        <<the train|the parcel|dinner|the meeting>> is <<delayed|cancelled|at noon|on time>>
        <<breakfast|lunch|homework|yoga>> <<first|then|after>> <<work|school|a nap>>
        I <<think|feel|hope|doubt>> <<it's fair|that helps|we are lost|so|not>>
        <<the weather|the game|the food|traffic>> was <<great|awful|as expected|strange>>
        <<thanks|sorry|hello|good night|well done|no worries|see you later>>
        the <<old|new|small|red|broken|northern>> <<street|bridge|road|house|island|
            river>> <<is long|>>
        <<north|south|east|west>> of the <<river|border|station|old town>>
    """),
}
"""Alternatives of each rule; ``lead`` and ``plain`` are those of ``training.pii.grammar``."""
