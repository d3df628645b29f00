"""Words that the values of the PII training set are made of: plain data."""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split("|"))


PREFIXES = _words("Mr.|Mrs.|Ms.|Miss|Dr.|Mr|Mrs|Ms|Dr|Prof.|Professor|Sir|Herr|Frau|Madame|Señor")
SUFFIXES = _words("Jr.|Sr.|II|III|MD|PhD|DDS|DVM")
RELIGIONS = _words(
    "Christian|Muslim|Jewish|Hindu|Buddhist|Sikh|Catholic|Protestant|atheist|Lutheran|Mormon|"
    "Orthodox|Sunni|Shia|Baptist|Quaker|Republican|Democrat|socialist|communist|conservative"
)
NATIONALITIES = _words(
    "American|British|English|Scottish|Welsh|Irish|Canadian|Australian|Indian|Pakistani|"
    "Chinese|Japanese|Korean|Vietnamese|Thai|Indonesian|Filipino|German|Austrian|Swiss|"
    "French|Belgian|Dutch|Spanish|Portuguese|Italian|Greek|Turkish|Polish|Czech|Slovak|"
    "Hungarian|Romanian|Bulgarian|Croatian|Serbian|Slovenian|Ukrainian|Russian|Finnish|"
    "Swedish|Norwegian|Danish|Icelandic|Estonian|Latvian|Lithuanian|Egyptian|Moroccan|"
    "Algerian|Tunisian|Nigerian|Kenyan|Ethiopian|Ghanaian|Mexican|Brazilian|Argentinian|"
    "Chilean|Peruvian|Colombian|Cuban|Jamaican|Israeli|Iranian|Iraqi|Syrian|Lebanese|Saudi|"
    "Afghan|Nepalese|Kurdish|Arab|Hispanic|Latino|Asian|African|European"
)
CITIES = _words(
    "New York|London|Paris|Berlin|Madrid|Rome|Vienna|Zurich|Amsterdam|Brussels|Copenhagen|"
    "Oslo|Stockholm|Helsinki|Warsaw|Prague|Budapest|Lisbon|Athens|Istanbul|Moscow|Kyiv|Tokyo|"
    "Osaka|Kyoto|Seoul|Beijing|Shanghai|Hong Kong|Singapore|Bangkok|Hanoi|Jakarta|Manila|"
    "Mumbai|Delhi|Bangalore|Chennai|Karachi|Lahore|Dhaka|Dubai|Tehran|Baghdad|Cairo|Nairobi|"
    "Lagos|Accra|Cape Town|Johannesburg|Casablanca|Sydney|Melbourne|Auckland|Toronto|"
    "Montreal|Vancouver|Chicago|Boston|Seattle|Denver|Austin|Houston|Dallas|Miami|Atlanta|"
    "Phoenix|Portland|San Diego|San Francisco|Los Angeles|Las Vegas|Philadelphia|Washington|"
    "Mexico City|Bogotá|Lima|Santiago|Buenos Aires|São Paulo|Rio de Janeiro|Munich|Hamburg|"
    "Cologne|Lyon|Marseille|Milan|Naples|Barcelona|Valencia|Porto|Manchester|Liverpool|"
    "Edinburgh|Dublin|Geneva|Kraków|Springfield"
)
COUNTRIES = _words(
    "USA|U.S.|US|United States|UK|United Kingdom|England|Scotland|Germany|France|Spain|Italy|"
    "Portugal|Netherlands|Belgium|Switzerland|Austria|Poland|Sweden|Norway|Denmark|Finland|"
    "Ireland|Greece|Turkey|Russia|Ukraine|China|Japan|South Korea|India|Pakistan|Australia|"
    "Canada|Mexico|Brazil|Argentina|Chile|Egypt|Kenya|Nigeria|South Africa|Israel|Iran|"
    "Taiwan|Vietnam|Thailand|Czech Republic|New Zealand|Saudi Arabia"
)
STATES = _words(
    "Alabama|Alaska|Arizona|Arkansas|California|Colorado|Connecticut|Delaware|Florida|"
    "Georgia|Hawaii|Idaho|Illinois|Indiana|Iowa|Kansas|Kentucky|Louisiana|Maine|Maryland|"
    "Massachusetts|Michigan|Minnesota|Mississippi|Missouri|Montana|Nebraska|Nevada|Ohio|"
    "Oklahoma|Oregon|Pennsylvania|Tennessee|Texas|Utah|Vermont|Virginia|Wisconsin|Wyoming|"
    "Ontario|Quebec|Bavaria"
)
STATE_CODES = _words(
    "AL|AK|AZ|AR|CA|CO|CT|DE|FL|GA|HI|ID|IL|IN|IA|KS|KY|LA|ME|MD|MA|MI|MN|MS|MO|MT|NE|NV|NH|"
    "NJ|NM|NY|NC|ND|OH|OK|OR|PA|RI|SC|SD|TN|TX|UT|VT|VA|WA|WV|WI|WY"
)
DAYS = _words("Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday")
ROMAN_NAMES = _words(
    "Wei Zhang|Li Na Wang|Xiaoming Liu|Fang Chen|Yuki Tanaka|Haruto Sato|Min-jun Kim|"
    "Seo-yeon Lee|Dmitri Ivanov|Olga Smirnova|Aleksei Volkov|Natalya Petrova|Yevgeny Sokolov|"
    "Mohammed Al-Sayed|Fatima Hassan|Youssef Haddad|Layla Nasser|Abdul Rahman|Omar Farouk|"
    "Amina Khoury|Arjun Patel|Priya Sharma|Rohan Mehta|Ananya Gupta|Nguyen Van Anh|"
    "Tran Thi Mai|Ngozi Okafor|Chidi Eze|Kwame Mensah|Amara Diallo|Tesfaye Bekele|"
    "Siddharth Iyer|Hamid Rezaei|Shirin Karimi"
)
MAIL_HOSTS = _words(
    "gmail.com|outlook.com|yahoo.com|icloud.com|proton.me|hotmail.co.uk|gmx.de|web.de|"
    "orange.fr|mail.ru|qq.com|example.com|example.org|live.nl|wp.pl|libero.it|fastmail.com"
)
TLDS = _words("com|org|net|io|de|fr|co.uk|nl|es|it|se|pl|pt|ch|at|be|ca|com.au|co.nz|cz|hu|eu|info")
HOST_WORDS = _words(
    "blue|green|red|north|south|river|stone|cloud|data|light|smart|open|home|kitchen|garden|"
    "travel|photo|music|film|health|legal|bank|trade|auto|bike|book|market|shop|design|"
    "studio|lab|works|planet|daily|first|next|urban|alpine|harbor|forest|summit|maple|cedar|"
    "rocket|panda|falcon"
)
DATE_FORMATS = _words(
    "%m/%d/%Y|%d/%m/%Y|%Y-%m-%d|%d.%m.%Y|%B %d, %Y|%d %B %Y|%b %d, %Y|%d %b %Y|%B %Y|"
    "%d-%b-%Y|%m/%d/%y|%Y/%m/%d|%B %d|%d %B|%A, %B %d, %Y|%d-%m-%Y"
)
DATE_TIME_FORMATS = _words(
    "%Y-%m-%d %H:%M:%S|%Y-%m-%dT%H:%M:%SZ|%d/%b/%Y:%H:%M:%S +0000|%B %d, %Y at %I:%M %p|"
    "%d %B %Y, %H:%M|%Y-%m-%d %H:%M|%a, %d %b %Y %H:%M:%S +0000|%m/%d/%Y %H:%M|"
    "%Y-%m-%dT%H:%M:%S.%fZ"
)
PHONES = _words(
    "###-###-####|(###) ###-####|(###)###-####|###.###.####|##########|+1-###-###-####|"
    "+1 ### ### ####|001-###-###-####|###-###-####x###|(###)###-####x####|###.###.####x####|"
    "+44 7### ######|07### ######|020 #### ####|+49 ### #######|0### ########|"
    "+33 6 ## ## ## ##|0# ## ## ## ##|+34 6## ### ###|### ### ###|## ### ## ##|## ## ## ##|"
    "#### ####|### ## ###|+91##########|+91 ##### #####|(##) ####-####|(###) ####-###|"
    "(##) ###-###|### #### ####|0### ### ## ##|### ### ####|## ######|##-########|"
    "+55 (##) #####-####|+81 ##-####-####|+86 1## #### ####|+61 4## ### ###|(0##) #### ####|"
    "06-########|0### ## ## ##"
)
LICENSES = _words(
    "#######|########|#########|?#######|?########|?############|?##############|??######|"
    "?###-####-####|##-###-####|???######?|######|??#######|?##-##-####|?###-###-##-###-#"
)
ORG_SHAPES = _words(
    "University of {city}|{city} University|{city} General Hospital|Bank of {city}|"
    "{last} & Sons|{last}, {last2} and {last3}|{last}-{last2}|{last} Group|{last} LLC|"
    "{last} Inc|{last} GmbH|{last} Ltd|{last} Technologies|{city} City Council|"
    "{city} Airlines|{last} Foundation|{city} School District|{word} Systems|{word}{word2}|"
    "{word} Labs Inc.|{word} Energy|Ministry of Health|{last} Consulting|{last} Pharma|"
    "{city} FC|{word} Insurance|{word}"
)
JOBS_LOWER = _words(
    "software engineer|data analyst|teacher|nurse|lawyer|historian|travel guide|"
    "personal trainer|chef|journalist|philosopher|accountant|gardener|electrician|"
    "project manager|translator"
)
TECH = _words(
    "Python|JavaScript|TypeScript|Rust|Go|Java|Kotlin|Swift|C++|C#|PHP|Ruby|Scala|Haskell|"
    "Perl|Lua|SQL|PostgreSQL|MySQL|SQLite|MongoDB|Redis|Kafka|RabbitMQ|Docker|Kubernetes|"
    "Terraform|Ansible|Git|Linux|Ubuntu|Debian|Windows|macOS|Android|iOS|Bash|PowerShell|"
    "Excel|Word|LaTeX|Markdown|HTML|CSS|React|Vue|Angular|Svelte|Django|Flask|FastAPI|Rails|"
    "Spring|Laravel|Node.js|NumPy|pandas|PyTorch|TensorFlow|scikit-learn|Jupyter|Photoshop|"
    "Blender|Unity|Figma|Notion|Jira|Slack|GraphQL|REST|gRPC|OAuth|JWT|YAML|JSON|XML|CSV|PDF|"
    "Bitcoin|Ethereum|Wi-Fi|Bluetooth|USB|HDMI|CUDA|OpenCL|Vulkan|nginx|Apache|Jenkins|"
    "Grafana|Prometheus|Elasticsearch|Spark|Hadoop"
)
TOPICS = _words(
    "machine learning|photosynthesis|compound interest|supply and demand|the water cycle|"
    "gradient descent|binary search trees|the second law of thermodynamics|plate tectonics|"
    "black holes|quantum entanglement|contract law|negligence in tort law|"
    "classical conditioning|cognitive dissonance|the immune system|antibiotic resistance|"
    "organic chemistry|linear algebra|prime numbers|game theory|inflation|"
    "double-entry bookkeeping|marketing funnels|time management|meal prep|home gardening|"
    "sourdough bread|yoga for beginners|strength training|chess openings|road trips|"
    "job interviews|remote work|public speaking|autumn leaves|a robot who learns to paint|"
    "a lonely lighthouse|stoic philosophy|utilitarian ethics|the industrial revolution|"
    "ancient trade routes|medieval castles|renewable energy|electric cars|climate change|"
    "data privacy|two-factor authentication|load balancing|unit tests|regular expressions|"
    "recursion|dependency injection|message queues|vector databases|"
    "attention in transformers|protein folding|gene editing|blood pressure|vitamin d|"
    "migraine|type 2 diabetes|sleep hygiene|bridge design|fluid dynamics|control theory|"
    "signal processing|orbital mechanics|semiconductors|patent law"
)
