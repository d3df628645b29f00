"""Words that the values of the PII training set are made of: plain data."""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split("|"))


PREFIXES = _words(
    "Mr.|Mrs.|Ms.|Miss|Dr.|Mr.|Mrs.|Ms.|Dr.|Mr|Mrs|Ms|Dr|Prof.|Professor|Sir|Herr|Frau|Madame|"
    "Señor|Señora|Monsieur|Mme|M.|Dott.|Ing.|Sr.|Sra.|Rev.|Fr.|Judge|Captain|Capt.|Col.|Sgt.|Lt.|"
    "General|Senator|Rabbi|Imam|Sister|Father|Lady|Lord|Dame|Mx.|Hon.|Officer|Detective|Coach|"
    "President|Chancellor|Pan|Pani|Shri|Smt.|Sheikh"
)
SUFFIXES = _words("Jr.|Sr.|II|III|IV|MD|PhD|DDS|DVM|Esq.|M.D.|Ph.D.|CPA|RN|MBA|Jr|Sr")
RELIGIONS = _words(
    "Christian|Muslim|Jewish|Hindu|Buddhist|Sikh|Catholic|Protestant|atheist|Lutheran|Mormon|"
    "Orthodox|Sunni|Shia|Baptist|Quaker|Methodist|Anglican|Presbyterian|Pentecostal|Evangelical|"
    "Jain|Taoist|Zoroastrian|agnostic|Shiite|Sufi|Druze|Coptic|Islamic|Hasidic|Amish|"
    "Jehovah's Witness|Roman Catholic|Greek Orthodox|Seventh-day Adventist|Baha'i|Wiccan|Shinto"
)
POLITICS = _words(
    "Republican|Democrat|socialist|communist|conservative|liberal|Labour|Tory|libertarian|"
    "Green Party|Marxist|anarchist|social democrat|Christian Democrat|Social Democratic|"
    "Liberal Democrat|nationalist|monarchist|Democratic|Peronist|Zionist|Maoist|Trotskyist"
)
NATIONALITIES = _words(
    "American|British|English|Scottish|Welsh|Irish|Canadian|Australian|Indian|Pakistani|Chinese|"
    "Japanese|Korean|Vietnamese|Thai|Indonesian|Filipino|German|Austrian|Swiss|French|Belgian|"
    "Dutch|Spanish|Portuguese|Italian|Greek|Turkish|Polish|Czech|Slovak|Hungarian|Romanian|"
    "Bulgarian|Croatian|Serbian|Slovenian|Ukrainian|Russian|Finnish|Swedish|Norwegian|Danish|"
    "Icelandic|Estonian|Latvian|Lithuanian|Egyptian|Moroccan|Algerian|Tunisian|Nigerian|Kenyan|"
    "Ethiopian|Ghanaian|Mexican|Brazilian|Argentinian|Chilean|Peruvian|Colombian|Cuban|Jamaican|"
    "Israeli|Iranian|Iraqi|Syrian|Lebanese|Saudi|Afghan|Nepalese|Kurdish|Arab|Hispanic|Latino|"
    "Asian|African|European|Albanian|Andorran|Angolan|Armenian|Azerbaijani|Bahamian|Bahraini|"
    "Bangladeshi|Barbadian|Belarusian|Bolivian|Bosnian|Burmese|Cambodian|Cameroonian|Congolese|"
    "Costa Rican|Cypriot|Dominican|Ecuadorian|Eritrean|Fijian|Georgian|Greenlandic|Guatemalan|"
    "Guyanese|Haitian|Honduran|Ivorian|Jordanian|Kazakh|Kosovan|Kuwaiti|Kyrgyz|Laotian|Liberian|"
    "Libyan|Luxembourgish|Macedonian|Malagasy|Malaysian|Malian|Maltese|Moldovan|Mongolian|"
    "Montenegrin|Mozambican|Namibian|Nicaraguan|Omani|Palestinian|Panamanian|Paraguayan|"
    "Puerto Rican|Qatari|Rwandan|Salvadoran|Samoan|Senegalese|Sierra Leonean|Singaporean|Somali|"
    "South African|South Korean|North Korean|Sri Lankan|Sudanese|Surinamese|Taiwanese|Tajik|"
    "Tanzanian|Tibetan|Togolese|Tongan|Trinidadian|Turkmen|Ugandan|Emirati|Uruguayan|Uzbek|"
    "Venezuelan|Yemeni|Zambian|Zimbabwean|Basque|Catalan|Breton|Bavarian|Sicilian|Cherokee|"
    "Navajo|Maori|Inuit|Roma|Sami|Punjabi|Bengali|Tamil|Igbo|Yoruba|Zulu|Hausa|Pashtun|Uyghur|"
    "Afro-Caribbean|African American|Mexican-American|Irish-American|Scandinavian|Latin American|"
    "Middle Eastern|Caucasian|Native American"
)
CITIES = _words(
    "New York|London|Paris|Berlin|Madrid|Rome|Vienna|Zurich|Amsterdam|Brussels|Copenhagen|Oslo|"
    "Stockholm|Helsinki|Warsaw|Prague|Budapest|Lisbon|Athens|Istanbul|Moscow|Kyiv|Tokyo|Osaka|"
    "Kyoto|Seoul|Beijing|Shanghai|Hong Kong|Singapore|Bangkok|Hanoi|Jakarta|Manila|Mumbai|Delhi|"
    "Bangalore|Chennai|Karachi|Lahore|Dhaka|Dubai|Tehran|Baghdad|Cairo|Nairobi|Lagos|Accra|"
    "Cape Town|Johannesburg|Casablanca|Sydney|Melbourne|Auckland|Toronto|Montreal|Vancouver|"
    "Chicago|Boston|Seattle|Denver|Austin|Houston|Dallas|Miami|Atlanta|Phoenix|Portland|"
    "San Diego|San Francisco|Los Angeles|Las Vegas|Philadelphia|Washington|Mexico City|Bogotá|"
    "Lima|Santiago|Buenos Aires|São Paulo|Rio de Janeiro|Munich|Hamburg|Cologne|Lyon|Marseille|"
    "Milan|Naples|Barcelona|Valencia|Porto|Manchester|Liverpool|Edinburgh|Dublin|Geneva|Kraków|"
    "Springfield|Birmingham|Leeds|Glasgow|Bristol|Sheffield|Cardiff|Belfast|Cork|Galway|"
    "Frankfurt|Stuttgart|Leipzig|Dresden|Bonn|Salzburg|Graz|Basel|Bern|Lausanne|Bordeaux|"
    "Toulouse|Nice|Lille|Strasbourg|Nantes|Seville|Bilbao|Málaga|Granada|Turin|Bologna|Florence|"
    "Venice|Palermo|Genoa|Rotterdam|Utrecht|Eindhoven|Ghent|Antwerp|Bruges|Gothenburg|Malmö|"
    "Bergen|Trondheim|Reykjavik|Gdańsk|Wrocław|Poznań|Brno|Zagreb|Split|Ljubljana|Belgrade|"
    "Sarajevo|Sofia|Skopje|Tirana|Thessaloniki|Ankara|Izmir|Odessa|Lviv|Minsk|Vilnius|Riga|"
    "Tbilisi|Yerevan|Baku|Almaty|Tashkent|Samarkand|Kabul|Islamabad|Peshawar|Kolkata|Hyderabad|"
    "Pune|Jaipur|Lucknow|Kathmandu|Colombo|Yangon|Phnom Penh|Saigon|Kuala Lumpur|Penang|Bali|"
    "Surabaya|Cebu|Taipei|Guangzhou|Shenzhen|Chengdu|Wuhan|Xi'an|Nanjing|Sapporo|Nagoya|Fukuoka|"
    "Busan|Incheon|Ulaanbaatar|Perth|Brisbane|Adelaide|Canberra|Hobart|Wellington|Christchurch|"
    "Suva|Honolulu|Anchorage|Boise|Salt Lake City|Albuquerque|Santa Fe|El Paso|San Antonio|"
    "Oklahoma City|Kansas City|St. Louis|Minneapolis|Milwaukee|Detroit|Cleveland|Columbus|"
    "Pittsburgh|Buffalo|Newark|Baltimore|Richmond|Charlotte|Raleigh|Nashville|Memphis|"
    "New Orleans|Tampa|Orlando|Jacksonville|Sacramento|Oakland|San Jose|Fresno|Long Beach|"
    "Anaheim|Spokane|Eugene|Tucson|Reno|Omaha|Des Moines|Madison|Ann Arbor|Ottawa|Calgary|"
    "Edmonton|Winnipeg|Halifax|Quebec City|Guadalajara|Monterrey|Cancún|Havana|San Juan|Kingston|"
    "Panama City|San José|Managua|Guatemala City|Caracas|Medellín|Cali|Quito|Guayaquil|Cusco|"
    "La Paz|Asunción|Montevideo|Córdoba|Rosario|Brasília|Salvador|Recife|Fortaleza|Curitiba|"
    "Dakar|Abidjan|Bamako|Kumasi|Abuja|Ibadan|Kano|Kampala|Kigali|Addis Ababa|Mombasa|"
    "Dar es Salaam|Lusaka|Harare|Maputo|Windhoek|Durban|Pretoria|Luanda|Kinshasa|Algiers|Oran|"
    "Tunis|Tripoli|Rabat|Marrakesh|Alexandria|Khartoum|Beirut|Damascus|Amman|Jerusalem|Tel Aviv|"
    "Haifa|Riyadh|Jeddah|Doha|Muscat|Kuwait City|Manama|Abu Dhabi|Isfahan|Shiraz|Erbil|Basra|NYC|"
    "LA|SF|D.C.|Washington, D.C."
)
COUNTRIES = _words(
    "USA|U.S.|US|United States|UK|United Kingdom|England|Scotland|Germany|France|Spain|Italy|"
    "Portugal|Netherlands|Belgium|Switzerland|Austria|Poland|Sweden|Norway|Denmark|Finland|"
    "Ireland|Greece|Turkey|Russia|Ukraine|China|Japan|South Korea|India|Pakistan|Australia|"
    "Canada|Mexico|Brazil|Argentina|Chile|Egypt|Kenya|Nigeria|South Africa|Israel|Iran|Taiwan|"
    "Vietnam|Thailand|Czech Republic|New Zealand|Saudi Arabia|Wales|Northern Ireland|U.K.|U.S.A.|"
    "America|Czechia|Hungary|Romania|Bulgaria|Serbia|Croatia|Slovenia|Slovakia|Estonia|Latvia|"
    "Lithuania|Belarus|Moldova|Georgia|Armenia|Azerbaijan|Kazakhstan|Afghanistan|Nepal|"
    "Bangladesh|Sri Lanka|Indonesia|Malaysia|Singapore|Philippines|North Korea|Mongolia|Iraq|"
    "Syria|Lebanon|Jordan|Yemen|Oman|Qatar|Kuwait|UAE|United Arab Emirates|Morocco|Algeria|"
    "Tunisia|Libya|Sudan|Ethiopia|Somalia|Uganda|Tanzania|Rwanda|Ghana|Senegal|Ivory Coast|"
    "Cameroon|Congo|Angola|Zambia|Zimbabwe|Mozambique|Namibia|Botswana|Madagascar|Peru|Colombia|"
    "Venezuela|Ecuador|Bolivia|Paraguay|Uruguay|Cuba|Haiti|Jamaica|Dominican Republic|Guatemala|"
    "Honduras|El Salvador|Nicaragua|Costa Rica|Panama|Iceland|Luxembourg|Malta|Cyprus|Monaco|"
    "Vatican City|Hong Kong|Burma|Cambodia"
)
STATES = _words(
    "Alabama|Alaska|Arizona|Arkansas|California|Colorado|Connecticut|Delaware|Florida|Georgia|"
    "Hawaii|Idaho|Illinois|Indiana|Iowa|Kansas|Kentucky|Louisiana|Maine|Maryland|Massachusetts|"
    "Michigan|Minnesota|Mississippi|Missouri|Montana|Nebraska|Nevada|Ohio|Oklahoma|Oregon|"
    "Pennsylvania|Tennessee|Texas|Utah|Vermont|Virginia|Wisconsin|Wyoming|Ontario|Quebec|Bavaria|"
    "British Columbia|Alberta|Manitoba|Nova Scotia|New South Wales|Queensland|Tasmania|Saxony|"
    "Hesse|Tyrol|Brittany|Normandy|Provence|Catalonia|Andalusia|Galicia|Tuscany|Lombardy|Sicily|"
    "Flanders|Wallonia|Zeeland|Kent|Sussex|Cornwall|Yorkshire|Ulster|Maharashtra|Kerala|Punjab|"
    "Gujarat|Tamil Nadu|Sindh|Jalisco|Oaxaca|Yucatán|Minas Gerais|Bahia|Hokkaido|Okinawa|Sichuan|"
    "Guangdong|Gauteng|New York|New Jersey|New Mexico|New Hampshire|North Carolina|"
    "South Carolina|North Dakota|South Dakota|Rhode Island|West Virginia|Wyoming|Puerto Rico|Guam"
)
STATE_CODES = _words(
    "AL|AK|AZ|AR|CA|CO|CT|DE|FL|GA|HI|ID|IL|IN|IA|KS|KY|LA|ME|MD|MA|MI|MN|MS|MO|MT|NE|NV|NH|NJ|"
    "NM|NY|NC|ND|OH|OK|OR|PA|RI|SC|SD|TN|TX|UT|VT|VA|WA|WV|WI|WY"
)
DAYS = _words(
    "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday|Monday|Tuesday|Wednesday|Thursday|"
    "Friday|Saturday|Sunday|Mon|Tue|Wed|Thurs|Fri|Sat|Sun"
)
ROMAN_NAMES = _words(
    "Wei Zhang|Li Na Wang|Xiaoming Liu|Fang Chen|Yuki Tanaka|Haruto Sato|Min-jun Kim|"
    "Seo-yeon Lee|Dmitri Ivanov|Olga Smirnova|Aleksei Volkov|Natalya Petrova|Yevgeny Sokolov|"
    "Mohammed Al-Sayed|Fatima Hassan|Youssef Haddad|Layla Nasser|Abdul Rahman|Omar Farouk|"
    "Amina Khoury|Arjun Patel|Priya Sharma|Rohan Mehta|Ananya Gupta|Nguyen Van Anh|Tran Thi Mai|"
    "Ngozi Okafor|Chidi Eze|Kwame Mensah|Amara Diallo|Tesfaye Bekele|Siddharth Iyer|Hamid Rezaei|"
    "Shirin Karimi|Muhammad bin Salman|Khalid ibn Walid|Abdullah al-Rashid|Zainab Al-Zahrawi|"
    "Hussein Abdel Fattah|Nour El-Din Mansour|Yasmin Aziz|Ibrahim Traoré|Mariam Keita|"
    "Ousmane Ndiaye|Fatou Sow|Haile Gebre|Selam Tadesse|Juma Otieno|Wanjiru Kamau|Thabo Nkosi|"
    "Lerato Dlamini|Sipho Khumalo|Adebayo Ogunlesi|Yetunde Balogun|Ravi Shankar Prasad|"
    "Lakshmi Narayanan|Venkatesh Subramanian|Gurpreet Singh|Harjit Kaur|Deepika Reddy|"
    "Sanjay Kulkarni|Meera Krishnamurthy|Mohan Das|Nasreen Akhtar|Farhan Qureshi|"
    "Bilal Ahmed Khan|Ayesha Siddiqui|Tenzin Dorje|Aung Kyaw|Thiri Win|Somchai Boonmee|"
    "Siti Nurhaliza|Ahmad Fauzi|Budi Santoso|Dewi Lestari|Jose Rizal Santos|Maria Clara Reyes|"
    "Park Ji-hoon|Choi Soo-jin|Jung Hye-rin|Kobayashi Kenji|Suzuki Akiko|Nakamura Daichi|"
    "Chen Wei-ting|Lin Mei-hua|Wong Kar Fai|Lee Kuan Ming|Ho Chi Thanh|Le Thi Hong|"
    "Pham Quang Huy|Moshe Levi|Shira Cohen|Avraham Ben-David|Yael Shapiro|Noa Mizrahi|"
    "Eitan Peretz|Davit Gelashvili|Ani Petrosyan|Aram Sargsyan|Rustam Karimov|Gulnara Akhmetova|"
    "Timur Beketov|Aigul Nurlanova|Reza Pahlavan|Parisa Tehrani|Dariush Ahmadi|Emre Yıldız|"
    "Ayşe Demir|Mehmet Öztürk|João da Silva|Ana Beatriz dos Santos|Luiz Inácio Pereira|"
    "María José García Márquez|Juan Carlos de la Fuente|Guadalupe Hernández|Kalani Kahale|"
    "Tane Ngata|Sione Taufa|Nanuk Olsen"
)
WORDS_THAT_ARE_FIRST_NAMES = _words(
    "will|mark|may|rose|grace|hope|faith|joy|art|bill|frank|chase|hunter|summer|april|june|"
    "august|dawn|eve|ivy|lily|daisy|iris|violet|jasmine|olive|holly|heather|ginger|rosemary|"
    "basil|sage|jay|robin|wren|phoenix|ruby|pearl|amber|jade|opal|crystal|gene|rob|sue|pat|jack|"
    "grant|drew|miles|dean|guy|max|harmony|melody|destiny|angel|star|sky|skye|rain|river|ocean|"
    "brook|glen|cliff|clay|sandy|rocky|stone|christian|earnest|ernest|rich|victor|major|duke|"
    "earl|prince|king|queen|bishop|pierce|wade|lance|chip|buddy|sunny|candy|honey|cherry|"
    "clementine|penny|dollar|mercy|charity|patience|prudence|constance|justice|liberty|trinity|"
    "genesis|nova|luna|aurora|autumn|winter|wednesday|paris|london|sydney|madison|austin|dallas|"
    "jackson|lincoln|carter|mason|tyler|taylor|cooper|parker|hunter|archer|reed|heath|forest|"
    "dale|ray|ford|jordan|israel|chad|georgia|china|india|virginia|carolina|florence|vienna|"
    "verona|roman|german|francis|scout|ace|blaze|colt|dash|fox|hawk|wolf|bear|gage|jett|kit|ward|"
    "rusty|woody|randy|dick|peter|john|nick|mike|josh|bob|carol|gay|merry|sunshine|sharon|"
    "tiffany|mercedes|porsche|lexus|alexa|siri|rust"
)
WORDS_THAT_ARE_LAST_NAMES = _words(
    "smith|baker|cook|carter|mason|fisher|hunter|butler|page|knight|king|pope|bishop|abbot|"
    "prince|brown|black|white|green|gray|grey|gold|silver|stone|wood|woods|hill|hills|brook|"
    "brooks|lane|field|fields|forest|marsh|moore|lake|rivers|ford|bridge|street|house|hall|"
    "church|temple|castle|rice|bush|rose|berry|flowers|root|branch|reed|fox|wolf|bird|swan|crane|"
    "drake|finch|partridge|bass|pike|salmon|lamb|bull|hogg|lyon|day|may|weeks|winter|summers|"
    "frost|snow|storm|gale|rain|west|east|north|south|young|old|long|short|small|little|strong|"
    "swift|sharp|wise|good|best|price|cash|money|banks|sale|bond|mills|barber|taylor|potter|"
    "tanner|weaver|miller|glover|shepherd|farmer|gardner|porter|cooper|turner|walker|wright|"
    "cross|noble|love|hope|power|pride|english|french|german|holland|ireland|scott|welsh|"
    "washington|lincoln|clinton|trump|gates|jobs|case|ball|bell|horn|drum|pipe|trout|waters|"
    "wells|poole|banks|booth|park|parks|rhodes|read|wade|chase|hunt|grant|pierce|dodge|bacon|"
    "pepper|salt|sugar|olive|beer|wine|coffey|cotton|silk"
)
PARTICLES = _words(
    "van |de |Mc|O'|von |Al-|Di |van der |van den |de la |del |dos |da |Mac|Fitz|Le |La |al-|el-|"
    "bin |ben |ibn |Abu |St. |ter |zu |von der |D'|de' |den |af |Ó |Ní "
)
NICKNAMES = _words(
    "Bill|Bob|Mike|Liz|Kate|Tony|Ace|Doc|Red|Skip|Buddy|Tex|Duke|Mo|Jay|CJ|DJ|Lucky|Smiley|Sparky"
)
PINYIN = _words(
    "wei|xin|ming|hua|jun|jie|li|na|fang|ying|yan|xiao|hui|mei|ling|tao|lei|bin|bo|chen|dan|feng|"
    "gang|guo|hai|hao|hong|jia|jian|jing|juan|kai|lan|long|min|ning|peng|ping|qi|qiang|qing|rong|"
    "shan|shu|ting|wen|xia|xue|yang|yi|yong|yu|yuan|yun|zhen|zhi|ji|hyun|soo|hee|young|woo|eun|"
    "seok|kyung|jae|hye|sung|tae|dong"
)
CHINESE_SURNAMES = _words(
    "Wang|Li|Zhang|Liu|Chen|Yang|Huang|Zhao|Wu|Zhou|Xu|Sun|Ma|Zhu|Hu|Guo|He|Lin|Gao|Luo|Zheng|"
    "Liang|Xie|Tang|Deng|Feng|Cao|Peng|Zeng|Xiao|Tian|Dong|Pan|Yuan|Cai|Jiang|Yu|Du|Ye|Cheng|Wei|"
    "Su|Kim|Lee|Park|Choi|Jung|Kang|Cho|Yoon|Jang|Lim|Han|Shin|Seo|Kwon|Hwang|Ahn|Song|Hong|Chan|"
    "Wong|Cheung|Leung|Ng|Lau|Kwok|Tsai|Hsu|Tseng"
)
SMALL_PLACES = _words(
    "Little Rock|Green Bay|Grand Rapids|Iron Mountain|Cedar Falls|Salem|Troy|Athens|Rome|Cairo|"
    "Mount Pleasant|Stratford-upon-Avon|Newcastle upon Tyne|Bad Homburg|Saint-Denis|"
    "San Luis Obispo|Santa Cruz|Las Palmas|Villanueva|Castel del Monte|Reading|Bath|Nice|Mobile|"
    "Hell|Enterprise|Independence|Normal|Truth or Consequences|Walnut Creek|Palo Alto|"
    "Mountain View|Ban Phe|Ho Chi Minh City|Frankfurt am Main|Rio Grande do Sul|Port-au-Prince|"
    "Aix-en-Provence|'s-Hertogenbosch|Den Haag|L'Aquila|São José dos Campos|Nový Jičín|"
    "Zielona Góra|Székesfehérvár|Šibenik|Bielsko-Biała"
)
STREETS = _words(
    "{} Street|{} St|{} St.|{} Road|{} Rd|{} Rd.|{} Avenue|{} Ave|{} Ave.|{} Lane|{} Ln|{} Drive|"
    "{} Dr|{} Boulevard|{} Blvd|{} Court|{} Ct|{} Place|{} Square|{} Terrace|{} Way|{} Close|"
    "{} Crescent|{} Parkway|{} Highway|{} Hill|{} Gardens|{} Mews|{} Row|{} Circle|{} Trail|"
    "{} Loop|{} Alley|Rue {}|rue de {}|Rue du {}|Avenue {}|Boulevard {}|Place {}|Chemin de {}|"
    "Quai {}|Impasse {}|{}straße|{}strasse|{}str.|{}-Straße|{}weg|{}allee|{}platz|{}gasse|Am {}|"
    "{}ring|{}damm|Calle {}|Calle de {}|C/ {}|Avenida {}|Av. {}|Paseo de {}|Plaza {}|Carrera {}|"
    "Camino {}|Via {}|Viale {}|Piazza {}|Corso {}|Vicolo {}|Largo {}|{}straat|{}laan|{}weg|"
    "{}gracht|{}plein|Rua {}|Rua do {}|Travessa {}|Praça {}|Alameda {}|ul. {}|ulica {}|al. {}|"
    "{}gatan|{}vägen|{} gate|{}veien|{} Sokak|{} Caddesi|{} Cd.|{} u.|{} utca|{} út|{} ulice|"
    "{} tér|ulitsa {}|ul. {}|prospekt {}|{} Marg|{} Nagar|{} Chowk|Jalan {}|Jl. {}|Jln {}|{} Lu|"
    "{} Road|{}-ro|{}-gil|{}-dori|Lorong {}|Odos {}|Leoforos {}|Trg {}|Bulevar {}|Vicolo {}|"
    "County Road {}|Old {} Road"
)
STREET_WORDS = _words(
    "Main|High|Church|Station|Park|Mill|School|Oak|Elm|Maple|Cedar|Pine|Walnut|Chestnut|Birch|"
    "Willow|Lake|River|Spring|Ridge|Meadow|Sunset|Washington|Lincoln|Jefferson|King|Queen|"
    "Victoria|Market|Bridge|Canal|Garden|Bahnhof|Haupt|Schul|Kirch|Garten|Linden|Mühl|Kerk|Dorp|"
    "Molen|Stor|Kyrko|Gare|Église|Liberté|République|Mayor|Real|Sol|San Juan|Roma|Garibaldi|"
    "Mazzini|Dante|Flores|Liberdade|Gandhi|Nehru|Sudirman|Merdeka|Atatürk|Cumhuriyet|Lenina|"
    "Sadovaya|Kossuth|Petőfi"
)
FLATS = _words(
    "Apt. ###|Suite ###|Apt. ##|Unit #|Flat #|Floor #|Apt ##|Apartment ##|Suite ##|#?|Ste ###|"
    "Unit ##|Room ###|Building #|Bldg. ?|Apt. #?|Apt ##|Flat ##|No. ##|Stiege #|# OG|Piso #|"
    "Dept. ###|Bât. ?|Lot ##|Block ?|Wing ?|Tower #|PO Box ###|#"
)
POSTCODES = _words(
    "#####-####|?# #??|??# #??|??## #??|?#? #?#|#### ??|####|## ###|### ##|##-###|#####-###|"
    "###-####|######|### ###|L-####|CH-####|D-#####|F-#####|A-####|##.###-###|?## ?#??"
)
ADDRESSES = _words(
    "{street} {flat} {city} {long}|{street}\n {flat}\n {city}\n {country}|"
    "{street}\n {flat}\n {city}\n {country} {code}|{street}, {city}, {country}|"
    "{street} {flat}, {city}, {country} {code}|{street}\n{city}, {short} {code}|"
    "{street}\n{city}\n, {short}\n {code}|{street}\n{city}\n, {short}\n {country} {code}|"
    "{street}, {city}, {short} {code}|{street}, {flat}, {city}|{street}, {city}|"
    "{street}\n{city}, {short} {code}|{street}\n{city}\n, {short}\n {code}|"
    "{street}, {flat}, {city}, {short} {code}|{street}, {code} {city}|"
    "{street}, {code} {city}, {country}|{street}\n{code} {city}|"
    "{street}\n{code} {city}\n{country}|{street} {code} {city}|{street}, {city} {code}|"
    "{street}, {city} {code}, {country}|{street}, {city}, {long}|{street}\n{flat}\n{city} {code}|"
    "{flat}, {street}, {city} {code}|{flat}/{street}, {city}|{street} - {city}|{street} ({city})|"
    "{street}, {city}, {country}|{country}, {city}, {street}|{code} {city}, {street}|"
    "{street}; {code} {city}|{street}\n{city}\n{code}|{street}, {flat}, {code} {city}, {country}|"
    "{street}, {city} - {code}|{street}, {city}, {long} - {code}"
)
CARDS = tuple(
    (prefix, int(length))
    for prefix, length in (
        entry.split(":")
        for entry in [
            "4:16",
            "4:16",
            "4:16",
            "4539:16",
            "4716:16",
            "4532:16",
            "51:16",
            "52:16",
            "53:16",
            "54:16",
            "55:16",
            "2221:16",
            "34:15",
            "37:15",
            "6011:16",
            "65:16",
            "3528:16",
            "36:14",
            "4:13",
            "5018:16",
            "62:16",
        ]
    )
)
FIELDS = _words(
    "Health|Education|Transport|Labor|Justice|Energy|Agriculture|Defense|Finance|Culture|"
    "Commerce|Housing|Science|Tourism|Environmental Protection|Public Works|Food Safety|"
    "Human Rights|Aviation|Cancer Research|Wildlife|Statistics|Immigration|Fisheries|Space|"
    "Standards|Music|Fine Arts|Engineering|Chess|Rowing|Mental Health|Refugees|Open Data|Physics|"
    "Digital Services"
)
LEGAL_FORMS = _words(
    "Inc|Inc.|LLC|Ltd|Ltd.|Limited|Corp|Corp.|Corporation|Co.|Company|PLC|plc|LLP|LP|GmbH|AG|KG|"
    "SE|GmbH & Co. KG|e.V.|S.A.|SA|SARL|SAS|S.A.S.|S.L.|S.p.A.|S.r.l.|B.V.|BV|N.V.|AB|AS|ASA|"
    "Kft.|Zrt.|Sp. z o.o.|a.s.|s.r.o.|d.o.o.|Ltda|S/A|Lda|Pty Ltd|Pvt. Ltd.|K.K.|Co., Ltd.|OOO|"
    "PJSC|A.Ş.|Bhd|Pte. Ltd.|Incorporated|S.A. de C.V.|EOOD|SIA|UAB"
)
ORG_SHAPES = _words(
    "University of {city}|{city} University|{city} General Hospital|Bank of {city}|{last} & Sons|"
    "{last}, {last2} and {last3}|{last}-{last2}|{last} Group|{last} {form}|{last} {form}|"
    "{coined} {form}|{word} {form}|{last} & {last2}|{last} & {last2} {form}|{last} and {last2}|"
    "{last}, {last2} & {last3} LLP|{last} Technologies|{city} City Council|{city} Airlines|"
    "{last} Foundation|{city} School District|{word} Systems|{word}{word2}|{word} Labs Inc.|"
    "{word} Energy|Ministry of {field}|Department of {field}|{country} Ministry of {field}|"
    "National Institute of {field}|Bureau of {field}|{field} Agency|{last} Consulting|"
    "{last} Pharma|{city} FC|FC {city}|{city} United|{city} {word}s|{word} Insurance|{word}|"
    "{word} {word2}|{word} & {word2}|{word} and {word2} {form}|St. {first}'s Hospital|"
    "St. {first} School|{last} Elementary School|{city} High School|{last} College|"
    "{city} Institute of Technology|Technical University of {city}|Universität {city}|"
    "Université de {city}|Universidad de {city}|{city} Medical Center|{last} Clinic|"
    "{first}'s Diner|{first}'s Bakery|{last}'s Garage|Casa {last}|Café {first}|The {city} Times|"
    "{city} Gazette|Radio {city}|{city} Chamber of Commerce|{city} Rotary Club|"
    "{city} Police Department|{city} Public Library|Museum of {field}|{city} Symphony Orchestra|"
    "Friends of {city}|{last} Family Trust|Save the {word}s|{field} Without Borders|"
    "International {field} Council|{word} Capital Partners|{last} Ventures|{word} Holdings|"
    "{last} Brothers|{last} Bros.|{city} Water Board|{word} Airways|{word} Credit Union|"
    "First National Bank of {city}|{city} Savings Bank|{last} Motors|{last} Logistics|"
    "{word} Software|{word} Robotics|{coined} Labs|{coined} AI|{coined}.io|{coined} Health|"
    "{word}soft|{word}works|{word} Telecom|{word} Media Group|{last} Architects|"
    "Law Offices of {first} {last}|{last} Real Estate|{city} Housing Association|"
    "{state} Department of {field}|{state} State University|{first} {last} Foundation|"
    "{country} Red Cross|{country} Football Association|{word} Hotels & Resorts|{city} Tigers|"
    "{word} Theatre Company|{word} Pharmacy|{last} Orthodontics|Stadtwerke {city}|"
    "Banco de {city}|Grupo {last}|Groupe {last}|{last} Construction Co.|{word} Street Church|"
    "Church of {word} {word2}|Order of {word}|{field} Workers Union|{word} Party"
)
BRAND_ENDINGS = _words(
    "ly|ify|io|ora|ix|za|vo|tech|soft|net|hub|lab|zen|pay|lia|mart|con|tek|data|care|va|ra|ster|"
    "nix|gen|dyne|cor|vant|bit|flow|base|wise|eo|on|is|um|ana"
)
MAIL_SHAPES = _words(
    "{0}.{1}|{0}{1}|{0}_{1}|{2}{1}|{0}{3}|{1}.{0}|{0}-{1}|{2}.{1}|{1}{3}|{0}.{1}{3}|{0}|{1}|{0}+{1}"
)
MAILBOXES = _words(
    "info|support|sales|admin|office|hr|billing|contact|no-reply|jobs|press|team|helpdesk|accounts"
)
NUMBERS = _words(
    "zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|"
    "fifteen|sixteen|seventeen|eighteen|nineteen"
)
TENS = _words("||twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety")
MAIL_HOSTS = _words(
    "gmail.com|outlook.com|yahoo.com|icloud.com|proton.me|hotmail.co.uk|gmx.de|web.de|orange.fr|"
    "mail.ru|qq.com|example.com|example.org|live.nl|wp.pl|libero.it|fastmail.com|hotmail.com|"
    "aol.com|googlemail.com|yahoo.co.in|163.com|uol.com.br|seznam.cz|t-online.de|free.fr|"
    "btinternet.com|rediffmail.com|yandex.ru|naver.com|comcast.net|me.com|gmx.net"
)
TLDS = _words(
    "com|com|com|org|net|io|de|fr|co.uk|nl|es|it|se|pl|pt|ch|at|be|ca|com.au|co.nz|cz|hu|eu|info|"
    "dev|app|ai|co|us|jp|co.jp|com.br|in|co.in|ru|no|gr|ie|edu|gov|shop|online|cloud|me|tv|biz|"
    "za|co.za|mx|com.mx|tr|com.tr|kr|cn|si|uy|tn|is|lu"
)
HOST_WORDS = _words(
    "blue|green|red|north|south|river|stone|cloud|data|light|smart|open|home|kitchen|garden|"
    "travel|photo|music|film|health|legal|bank|trade|auto|bike|book|market|shop|design|studio|"
    "lab|works|planet|daily|first|next|urban|alpine|harbor|forest|summit|maple|cedar|rocket|"
    "panda|falcon|atlas|apex|delta|omega|vertex|pixel|quantum|orbit|vector|nimbus|ember|cobalt|"
    "onyx|prism|beacon|anchor|compass|horizon|pioneer|liberty|heritage|premier|royal|crown|"
    "golden|silver|iron|steel|copper|crystal|diamond|eagle|lion|tiger|wolf|bear|fox|hawk|raven|"
    "swan|dolphin|coral|ocean|pacific|atlantic|nordic|baltic|lunar|solar|stellar|cosmic|global|"
    "metro|central|allied|united|general|modern|future|fusion|synergy|dynamic|agile|rapid|swift|"
    "bright|clear|pure|fresh|wild|happy|lucky|magic|wonder|dream|vision|insight|logic|code|byte|"
    "cyber|digital|mobile|social|media|press|print|paper|fabric|leather|timber|concrete|energy|"
    "power|water|wind|fire|earth|spring|summer|winter|harvest|farm|bakery|coffee|tea|wine|pizza|"
    "sushi|fitness|yoga|dental|vet|pharma|bio|gene|neuro|cardio|capital|equity|credit|tax|audit|"
    "law"
)
DATE_FORMATS = _words(
    "%m/%d/%Y|%d/%m/%Y|%Y-%m-%d|%d.%m.%Y|%B %d, %Y|%d %B %Y|%b %d, %Y|%d %b %Y|%B %Y|%d-%b-%Y|"
    "%m/%d/%y|%Y/%m/%d|%B %d|%d %B|%A, %B %d, %Y|%d-%m-%Y|%d.%m.%y|%m-%d-%Y|%b %Y|%Y%m%d|%d %b|"
    "%b %d|%a %d %b|%A %d %B|%d/%m/%y|%Y.%m.%d|%d-%b-%y|%A, %d %B %Y|%b. %d, %Y|%d%b%Y|%m/%Y"
)
DATE_PHRASES = _words(
    "{m} {d}{th}|{d}{th} {m}|{d}{th} of {m}|the {d}{th} of {m}|the {d}{th} of {m}, {y}|"
    "{d}{th} of {m} {y}|{m} {d}{th}, {y}|{d}/{n}/{y}|{n}/{d}/{y}|{n}/{d}/{yy}|{d}.{n}.{y}|"
    "{d}. {m} {y}|{w} {d}{th} {m}|{w}, {m} {d}|{ww} {d} {b}|{b} {d} {y}|{d} {b} '{yy}|"
    "{w} the {d}{th}|{m} of {y}|{n}-{d}-{yy}|{y} {b} {d}"
)
MONTHS = tuple(
    tuple(names.split(","))
    for names in (
        "Januar,Februar,März,April,Mai,Juni,Juli,August,September,Oktober,November,Dezember",
        "janvier,février,mars,avril,mai,juin,juillet,août,septembre,octobre,novembre,décembre",
        "enero,febrero,marzo,abril,mayo,junio,julio,agosto,septiembre,octubre,noviembre,diciembre",
        "gennaio,febbraio,marzo,aprile,maggio,giugno,luglio,agosto,settembre,ottobre,novembre",
        "janeiro,fevereiro,março,abril,maio,junho,julho,agosto,setembro,outubro,novembro,dezembro",
        "januari,februari,maart,april,mei,juni,juli,augustus,september,oktober,november,december",
        "stycznia,lutego,marca,kwietnia,maja,czerwca,lipca,sierpnia,września,października",
        "Ocak,Şubat,Mart,Nisan,Mayıs,Haziran,Temmuz,Ağustos,Eylül,Ekim,Kasım,Aralık",
    )
)
FOREIGN_DATES = _words(
    "{d}. {m} {y}|{d} {m} {y}|{d} de {m} de {y}|{d} {m}|{m} {y}|{d}. {m}|le {d} {m} {y}"
)
DATE_RANGES = _words(
    "{a}-{b} {m} {y}|{m} {a}-{b}, {y}|{a} to {b} {m}|{m} {a} to {b}|{a}–{b} {m} {y}|"
    "{m} {a} – {b}|{m} {a} through {b}, {y}|the {a}th to the {b}th of {m}"
)
DATE_TIME_FORMATS = _words(
    "%Y-%m-%d %H:%M:%S|%Y-%m-%dT%H:%M:%SZ|%d/%b/%Y:%H:%M:%S +0000|%B %d, %Y at %I:%M %p|"
    "%d %B %Y, %H:%M|%Y-%m-%d %H:%M|%a, %d %b %Y %H:%M:%S +0000|%m/%d/%Y %H:%M|"
    "%Y-%m-%dT%H:%M:%S.%fZ|%Y-%m-%dT%H:%M:%S+02:00|%b %d %H:%M:%S|%Y/%m/%d %H:%M:%S|"
    "%d.%m.%Y %H:%M|%Y%m%dT%H%M%SZ|%Y-%m-%d %H:%M:%S,%f|%a %b %d %H:%M:%S %Y|%A %d %B at %H:%M"
)
PHONES = _words(
    "###-###-####|(###) ###-####|(###)###-####|###.###.####|##########|+1-###-###-####|"
    "+1 ### ### ####|001-###-###-####|###-###-####x###|(###)###-####x####|###.###.####x####|"
    "+44 7### ######|07### ######|020 #### ####|+49 ### #######|0### ########|+33 6 ## ## ## ##|"
    "0# ## ## ## ##|+34 6## ### ###|### ### ###|## ### ## ##|## ## ## ##|#### ####|### ## ###|"
    "+91##########|+91 ##### #####|(##) ####-####|(###) ####-###|(##) ###-###|### #### ####|"
    "0### ### ## ##|### ### ####|## ######|##-########|+55 (##) #####-####|+81 ##-####-####|"
    "+86 1## #### ####|+61 4## ### ###|(0##) #### ####|06-########|0### ## ## ##"
)
LICENSES = _words(
    "#######|########|#########|?#######|?########|?############|?##############|??######|"
    "?###-####-####|##-###-####|???######?|######|??#######|?##-##-####|?###-###-##-###-#"
)
ORG_SHAPES = _words(
    "University of {city}|{city} University|{city} General Hospital|Bank of {city}|{last} & Sons|"
    "{last}, {last2} and {last3}|{last}-{last2}|{last} Group|{last} LLC|{last} Inc|{last} GmbH|"
    "{last} Ltd|{last} Technologies|{city} City Council|{city} Airlines|{last} Foundation|"
    "{city} School District|{word} Systems|{word}{word2}|{word} Labs Inc.|{word} Energy|"
    "Ministry of Health|{last} Consulting|{last} Pharma|{city} FC|{word} Insurance|{word}"
)
JOBS_LOWER = _words(
    "software engineer|data analyst|teacher|nurse|lawyer|historian|travel guide|personal trainer|"
    "chef|journalist|philosopher|accountant|gardener|electrician|project manager|translator"
)
TECH = _words(
    "Python|JavaScript|TypeScript|Rust|Go|Java|Kotlin|Swift|C++|C#|PHP|Ruby|Scala|Haskell|Perl|"
    "Lua|SQL|PostgreSQL|MySQL|SQLite|MongoDB|Redis|Kafka|RabbitMQ|Docker|Kubernetes|Terraform|"
    "Ansible|Git|Linux|Ubuntu|Debian|Windows|macOS|Android|iOS|Bash|PowerShell|Excel|Word|LaTeX|"
    "Markdown|HTML|CSS|React|Vue|Angular|Svelte|Django|Flask|FastAPI|Rails|Spring|Laravel|"
    "Node.js|NumPy|pandas|PyTorch|TensorFlow|scikit-learn|Jupyter|Photoshop|Blender|Unity|Figma|"
    "Notion|Jira|Slack|GraphQL|REST|gRPC|OAuth|JWT|YAML|JSON|XML|CSV|PDF|Bitcoin|Ethereum|Wi-Fi|"
    "Bluetooth|USB|HDMI|CUDA|OpenCL|Vulkan|nginx|Apache|Jenkins|Grafana|Prometheus|Elasticsearch|"
    "Spark|Hadoop"
)
TOPICS = _words(
    "machine learning|photosynthesis|compound interest|supply and demand|the water cycle|"
    "gradient descent|binary search trees|the second law of thermodynamics|plate tectonics|"
    "black holes|quantum entanglement|contract law|negligence in tort law|classical conditioning|"
    "cognitive dissonance|the immune system|antibiotic resistance|organic chemistry|"
    "linear algebra|prime numbers|game theory|inflation|double-entry bookkeeping|"
    "marketing funnels|time management|meal prep|home gardening|sourdough bread|"
    "yoga for beginners|strength training|chess openings|road trips|job interviews|remote work|"
    "public speaking|autumn leaves|a robot who learns to paint|a lonely lighthouse|"
    "stoic philosophy|utilitarian ethics|the industrial revolution|ancient trade routes|"
    "medieval castles|renewable energy|electric cars|climate change|data privacy|"
    "two-factor authentication|load balancing|unit tests|regular expressions|recursion|"
    "dependency injection|message queues|vector databases|attention in transformers|"
    "protein folding|gene editing|blood pressure|vitamin d|migraine|type 2 diabetes|"
    "sleep hygiene|bridge design|fluid dynamics|control theory|signal processing|"
    "orbital mechanics|semiconductors|patent law"
)

JOBS = _words(
    "software engineer|data analyst|teacher|nurse|lawyer|historian|travel agent|personal trainer|"
    "chef|journalist|accountant|gardener|electrician|project manager|translator|CEO|CFO|CTO|COO|"
    "Chief Executive Officer|Chief Financial Officer|Head of Marketing|Head of Sales|"
    "VP of Engineering|Vice President of Operations|Director of Human Resources|"
    "Managing Director|HR Manager|Office Manager|Account Manager|Product Manager|"
    "Customer Success Manager|Sales Representative|receptionist|plumber|carpenter|mechanic|"
    "bus driver|truck driver|pilot|flight attendant|police officer|firefighter|paramedic|surgeon|"
    "dentist|pharmacist|veterinarian|psychologist|social worker|librarian|professor of law|"
    "research assistant|postdoctoral researcher|PhD student|lab technician|biologist|chemist|"
    "physicist|geologist|civil engineer|architect|graphic designer|UX designer|web developer|"
    "DevOps engineer|data scientist|system administrator|security analyst|barista|waiter|"
    "bartender|cashier|store manager|farmer|fisherman|baker|butcher|hairdresser|tailor|"
    "photographer|actor|musician|composer|painter|novelist|editor|publisher|real estate agent|"
    "insurance broker|financial advisor|bank teller|tax consultant|notary|judge|prosecutor|"
    "paralegal|mayor|diplomat|translator|interpreter|tour guide|football coach|yoga instructor|"
    "midwife|radiologist|cardiologist|physiotherapist|care worker|cleaner|janitor|security guard|"
    "warehouse worker|forklift operator|welder|machinist|quality inspector"
)
JOB_LEVELS = _words("senior|junior|lead|principal|deputy|assistant|chief|associate|interim|former")
PRODUCTS = _words(
    "iPhone 15|Galaxy S24|Windows 11|Office 365|PlayStation 5|Kindle|Model 3|MacBook Air|"
    "ThinkPad X1|Chromebook|Roomba|AirPods|Surface Pro|GeForce RTX 4090|Ryzen 7|Core i7|"
    "Raspberry Pi 4|Arduino Uno|Google Sheets|Google Maps|Gmail|Alexa|Siri|Nespresso machine|"
    "Corolla|Civic|Golf GTI|Vespa|Boeing 737|Airbus A320|Photoshop|Final Cut|Minecraft|Monopoly|"
    "Lego set|Swiss Army knife|Bluetooth speaker|Ray-Ban frames|Nutella|Coca-Cola|Post-it notes|"
    "Sharpie|Tupperware box|Velcro strap"
)
ANIMALS = _words(
    "jaguar|puma|robin|jay|cardinal|martin|swift|crane|drake|fox terrier|German shepherd|"
    "Great Dane|Siamese cat|Persian cat|Maine Coon|Jack Russell|Saint Bernard|Labrador|Dalmatian|"
    "Welsh corgi|Scottish fold|Irish setter|Afghan hound|tiger|panda|turkey|china pheasant|"
    "Guinea pig|monarch butterfly|Canada goose|Adelie penguin|Thomson's gazelle|"
    "Przewalski's horse|bishop fish|lark|wren|Amazon parrot"
)
THINGS = _words(
    "china plate|turkey sandwich|apple pie|amazon rainforest|french fries|danish pastry|"
    "swiss cheese|greek yogurt|brussels sprouts|bermuda shorts|cologne|hamburger|frankfurter|"
    "polish remover|roman numerals|arabic numerals|morse code|caesar salad|earl grey tea|"
    "bloody mary|martini|bunsen burner|petri dish|newton's third law|ohm's law|pascal's triangle|"
    "fourier transform|bayes' theorem|turing machine|gaussian distribution|nash equilibrium|"
    "doppler effect|alzheimer's disease|parkinson's disease|hodgkin lymphoma|down syndrome|"
    "celsius scale|kelvin|watt|hertz|volt|joule|jack of spades|queen of hearts|king size bed|"
    "rose garden|lily pond|ivy league essay|sandy beach|rocky road ice cream|hazel nuts|"
    "bay leaves|olive oil|ginger tea|basil leaves|rosemary bread|sage stuffing|holly wreath|"
    "jasmine rice|iris scanner|amber light|ruby gem|pearl necklace|opal ring|crystal glass|"
    "penny stock|dollar bill|duck bill|major scale|dean's list|guy rope|miles per gallon|"
    "max value|mean value|gene therapy|art class|grant proposal|mark scheme|pat on the back|"
    "jack plug|chase scene|hunter gatherer|mason jar|cooper barrel|march madness|may fly|"
    "april shower|june bug|august company|summer dress|winter coat|autumn leaves"
)
IDENTIFIERS = _words(
    "get_user_name|parseDate|send_email|UserService|first_name|lastName|phone_number|ip_address|"
    "customer_id|address_line_1|zip_code|city_name|isValidEmail|CreditCardForm|ssn_hash|"
    "birth_date|handleClick|MainActivity|MarkdownRenderer|JohnsonTrotter|DijkstraSolver|"
    "knuth_shuffle|BellmanFord|kruskal_mst|HuffmanTree|levenshtein|fisher_yates|newton_raphson|"
    "gaussBlur|org_chart|company_name|person_count|name_to_index|jordan_form|hilbert_curve|"
    "AdamOptimizer|xavier_init|kaiming_normal_|LondonStyleTDD|parisTheme|vienna_config|"
    "springBoot|Jenkinsfile|maven"
)
MASKED = _words(
    "N/A|n/a|null|None|unknown|-|***|XXXX|xxx-xx-xxxx|[REDACTED]|[NAME]|<EMAIL>|<name>|{email}|"
    "$NAME|${USER}|%s|your_name|YOUR_EMAIL|TBD|not provided|anonymous|(none)|?|[PHONE]|"
    "(withheld)|**** **** ****|true|false|default|test|foo|admin|root|same as above|see file|"
    "pending|YYYY-MM-DD"
)
BRANDS = _words(
    "Google|Microsoft|Apple|Amazon|Meta|Facebook|Netflix|Tesla|IBM|Intel|Nvidia|AMD|Oracle|SAP|"
    "Cisco|Adobe|Salesforce|Siemens|Bosch|BMW|Volkswagen|Mercedes-Benz|Audi|Porsche|Toyota|Honda|"
    "Nissan|Hyundai|Samsung|LG|Sony|Panasonic|Hitachi|Huawei|Xiaomi|Alibaba|Tencent|Baidu|TikTok|"
    "Nestlé|Novartis|Roche|UBS|Credit Suisse|Allianz|Deutsche Bank|Commerzbank|BASF|Bayer|"
    "Lufthansa|Adidas|Puma|Nike|Zara|H&M|IKEA|Ericsson|Volvo|Spotify|Klarna|Equinor|Shell|BP|"
    "ExxonMobil|Chevron|Total|Danone|L'Oréal|Renault|Peugeot|Airbus|Boeing|Lockheed Martin|"
    "General Electric|General Motors|Ford|Walmart|Target|Costco|Starbucks|McDonald's|Burger King|"
    "Subway|Coca-Cola|Pepsi|Unilever|Procter & Gamble|Johnson & Johnson|Pfizer|Moderna|"
    "AstraZeneca|GSK|HSBC|Barclays|Lloyds|JPMorgan|Goldman Sachs|Morgan Stanley|Citibank|"
    "Bank of America|Wells Fargo|Visa|Mastercard|PayPal|Stripe|Uber|Lyft|Airbnb|Booking.com|"
    "Expedia|Ryanair|easyJet|Emirates|Qatar Airways|Air France|KLM|Delta|FedEx|UPS|DHL|USPS|"
    "Vodafone|T-Mobile|AT&T|Verizon|Orange|Telefónica|BBC|CNN|Reuters|The New York Times|"
    "The Guardian|Disney|Warner Bros|Harvard|Stanford|MIT|Oxford|Cambridge|Yale|Princeton|"
    "Berkeley|ETH Zurich|NASA|ESA|CERN|FBI|CIA|NSA|NATO|UNICEF|UNESCO|WHO|IMF|World Bank|"
    "Red Cross|Greenpeace|Amnesty International|Oxfam|Médecins Sans Frontières|FIFA|UEFA|NBA|NFL|"
    "Real Madrid|Barcelona FC|Manchester United|Bayern Munich|Juventus|OpenAI|Anthropic|DeepMind|"
    "Hugging Face|GitHub|GitLab|Mozilla|Red Hat|Canonical|Tata|Infosys|Wipro|Reliance|Petrobras|"
    "Embraer|Bimbo|Cemex|Falabella|Mercado Libre|Sberbank|Gazprom|Yandex|Aeroflot|eBay|Etsy|"
    "Shopify|Dropbox|Zoom|Slack|Twitter|LinkedIn|Reddit|Pinterest|Snapchat|WhatsApp|Nintendo|"
    "Sega|Ubisoft|Blizzard"
)
SENTENCE_STARTS = _words(
    "The|It|This|In|These|A|An|Some|They|Many|Most|There|As|For|With|When|If|While|Although|However|"
    "Such|Other|Both|Each|All|Its|One|Two|By|At|From|On|After|Before|During|Because"
)
