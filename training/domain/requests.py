"""Everyday requests of every subject as a grammar, written for this project (Apache-2.0).

Each subject has a table of slots (see ``training.spintax``); ``request`` is its root. People ask
about their own affairs in words that examination questions lack, so the tables are about cases,
objects, amounts and annoyances rather than about notions. The borders between subjects follow
MMLU-Pro where it has one: nutrition is health, geography and politics are ``other``.
"""

from __future__ import annotations

import random
from collections.abc import Mapping

from training.spintax import expand, sentence_case, table, tidy

_COMMON = """
advice:
what can I do? | what should I do? | what are my options? | any advice? | can you help me?
what would you do? | where do I start? | how do I deal with this? | ~ | ~ | help! | is that normal?
explain:
explain | can you explain | please explain | help me understand | I don't get | tell me about
describe | walk me through | give me a short explanation of | what's the idea behind
write:
write | draft | please write | can you write | I need | prepare | help me write | compose | create
list_of:
give me five | list some | what are | suggest some | I'm looking for | name three | any ideas for
who:
my mother | my father | my sister | my son | my daughter | my wife | my husband | my friend
my roommate | my grandmother | my colleague | my girlfriend | my boyfriend | my brother
number:
2 | 3 | 4 | 5 | 6 | 7 | 8 | 10 | 12 | 15 | 18 | 20 | 24 | 25 | 30 | 40 | 45 | 50 | 60 | 75 | 80
money:
40 | 75 | 120 | 250 | 300 | 450 | 800 | 1,200 | 2,500 | 4,000 | 9,500 | 15,000 | 30,000
currency:
euros | dollars | pounds | $ | €
time:
two days | three weeks | a month | six months | a year | ten days | two years | a few hours
day:
Monday | Tuesday | Wednesday | Thursday | Friday | Saturday | the first of next month
"""

_TABLES = {
    "biology": """
request:
why do {animal} {animal_does}? | how do {animal} {animal_can}? | what do {animal} eat in the wild?
how long do {animal} live, and why? | are {animal} related to {animal}? | do {animal} feel pain?
{explain} how {process} works | what happens in the cell during {process}?
where in the cell does {process} happen?
what is the difference between {pair}? | which organelle is responsible for {process}?
my biology {teacher|class|homework} is about {process}, {help_study}
I saw {sighting} in {place}, what {species|animal|plant|insect} could it be?
how did {animal} evolve? | why did evolution give {animal} {feature}?
{write} a lab report on {experiment} | how do I set up {experiment}?
what is a good control for {experiment}?
I'm crossing {cross}. What ratio do I expect in the offspring?
both parents have {trait}, can the child have {trait}?
is {trait} inherited from the mother or the father?
what would happen to {ecosystem} if {animal} disappeared? | what is the food chain of {ecosystem}?
how do {plant} {plant_does}? | why do {plant} {plant_does}? | which insects pollinate {plant}?
what is {term}? | {explain} {term} | {term} vs {term} | make flashcards on {term}
how does {microbe} reproduce? | what makes {microbe} resistant? | can {microbe} live without oxygen?
animal:
bats | dolphins | bees | spiders | wolves | sharks | penguins | salmon | frogs | cats | crows | ants
chameleons | elephants | whales | owls | jellyfish | squirrels | hummingbirds | crocodiles | moths
animal_does:
hibernate | migrate every year | sleep upside down | shed their skin | live in groups | glow
sing at dawn | change their sex | build nests | store fat in autumn | have stripes | molt
animal_can:
see in the dark | find their way home | breathe under water | survive the winter | communicate
digest bones | fly without getting tired | regrow a tail | hunt at night | hear ultrasound
process:
mitosis | meiosis | photosynthesis | glycolysis | transcription | translation | DNA repair | osmosis
cellular respiration | active transport | apoptosis | fermentation | nitrogen fixation | splicing
natural selection | genetic drift | fertilisation | phagocytosis | blood clotting | nerve conduction
pair:
DNA and RNA | plant and animal cells | viruses and bacteria | mitosis and meiosis
genus and species
prokaryotes and eukaryotes | arteries and veins of a fish | xylem and phloem | alleles and genes
innate and adaptive immunity | moths and butterflies | frogs and toads | spores and seeds
help_study:
quiz me | what should I know? | can you make a summary? | draw me a mind map in text | explain it
sighting:
a green beetle with long antennae | a bird with a red throat | a mushroom with white dots
a black and yellow caterpillar | tracks with four toes | a plant with purple leaves
place:
my garden | a forest in Norway | the Alps | a pond near my house | Florida | the beach | my kitchen
feature:
such big eyes | hollow bones | venom | a long tongue | camouflage | webbed feet | feathers
experiment:
an experiment on yeast and sugar | staining onion cells | extracting DNA from a banana
growing bacteria on agar | measuring photosynthesis in pondweed | gel electrophoresis
cross:
two heterozygous pea plants | a white-eyed male fruit fly with a red-eyed female | Aa with aa
two guinea pigs with black fur that both carry white | AaBb with aabb
trait:
blue eyes | red hair | attached earlobes | blood type 0 | freckles | colour blindness
ecosystem:
a coral reef | a pond | the savanna | an oak forest | the tundra | a mangrove swamp | the deep sea
plant:
orchids | cacti | ferns | sunflowers | mosses | oaks | tomatoes | willows | Venus flytraps
plant_does:
turn towards the light | survive the desert | lose their leaves | spread their seeds | absorb water
defend themselves against insects | know when to flower | store starch
term:
homeostasis | an ecological niche | a keystone species | codominance | a karyotype | epigenetics
PCR | a phylogenetic tree | the endoplasmic reticulum | a restriction enzyme | speciation | biomass
a reflex arc | hormones in plants | the lac operon | gene flow | stem cells | the Golgi apparatus
microbe:
E. coli | yeast | a bacteriophage | an amoeba | Staphylococcus | algae | mould on bread
""",
    "business": """
request:
{write} {document} for {company} | {write} {document} | {write} {document}, keep it {tone}
{write} {mail} | {write} {mail} and keep it {tone} | reply to {mail}
how do I {task}? | how can {company} {task}? | what is the best way to {task}?
we {problem}. {advice} | {company} {problems}, how should the management react?
what is meant by {term}? | {explain} {term} to a new employee | how do I calculate {metric}?
our {metric} is {number} %, is that good for {company}? | which KPIs matter for {company}?
{list_of} {ideas} for {company} | compare {term} and {term} for {company}
I want to start {company} with {money} {currency}. {advice} | how do I find investors for {company}?
should I {finance}? | what are the pros and cons if I {finance}?
I earn {money} {currency} a month, can I {finance}?
prepare {meeting} on {day} | {meeting} is on {day}, what do I need to prepare?
role-play {meeting} with me | turn these bullet points into {document}
{company} sells {number} units at {money} {currency}, fixed costs {money}: what is the break-even?
document:
a marketing plan | a business plan | a press release | a job posting for a sales manager | an SOP
a quarterly report | a SWOT analysis | a pricing page | a pitch deck outline | a sales script
a mission statement | a project charter | meeting minutes | a performance review
an invoice template
a status update for stakeholders | an onboarding checklist | a newsletter | a tender
a cash-flow forecast
a LinkedIn post about our new product | product descriptions for our web shop | a customer survey
company:
a bakery | a small hotel | a SaaS start-up | our web shop | a hair salon | a consulting firm | a gym
a food truck | a furniture maker | a logistics company | a clothing brand | a dental practice
a real estate agency | an advertising agency | a craft brewery | a family business | a bookstore
tone:
short | formal | friendly | under 100 words | persuasive | polite but firm | professional
mail:
an e-mail to a supplier who delivers late | a reminder for an unpaid invoice of {money} {currency}
an apology to a customer | a follow-up after a sales call | an answer to a one-star review
a message to the team about the new bonus scheme | a cold e-mail to potential clients
an out-of-office reply | a resignation letter to my manager | a thank-you note to a client
a request to postpone the meeting to {day} | an announcement that our prices rise by {number} %
task:
increase repeat purchases | price a new service | cut costs without layoffs | write off old stock
hire the first employee | motivate the sales team | find a niche | get more leads
enter a new market
reduce customer churn | run an effective meeting | split equity between founders | get reviews
negotiate a lower price | plan the budget for next year | delegate better | forecast demand
problem:
lost our biggest client | missed the sales target two quarters in a row | have too much inventory
get many complaints about delivery | can't find staff | have a conflict between two departments
pay too much for ads | were copied by a competitor | have a supplier who raised prices by {number} %
problems:
has falling margins | grows too fast | lost a key account | wants to rebrand | merges with a rival
term:
B2B | a unique selling proposition | working capital | a balance sheet | EBITDA | cross-selling
a value chain | an NDA in sales talks | the marketing mix | six sigma | a holding company | OKRs
lean management | depreciation | accounts payable | corporate governance | a franchise
dropshipping
metric:
the profit margin | customer lifetime value | return on investment | churn rate | net present value
inventory turnover | the conversion rate | cost per lead | gross margin | employee turnover
ideas:
slogans | names | promotions | ways to win customers | social media posts | loyalty programmes
team-building activities | interview questions | sales arguments | event ideas | blog topics
finance:
lease a car through the company | pay off the loan early | buy an index fund | raise venture capital
take a second mortgage | hire a bookkeeper | become a freelancer | invest in bonds | rent an office
meeting:
a negotiation with the landlord of our shop | the annual review with my boss | a pitch
a job interview
the kick-off meeting | a difficult talk with an employee | the board meeting | a trade fair
""",
    "chemistry": """
request:
balance {equation} | what are the products of {equation_left}? | is {equation} a redox reaction?
what happens when I mix {substance} with {substance}? | does {substance} dissolve in {solvent}?
why is {substance} {property}? | what is the formula of {compound}?
draw the Lewis structure of {compound}
how many grams of {compound} are in {number} mL of a 0.{number} M solution?
how do I prepare {number} mL of 0.1 M {compound}? | calculate the pH of 0.0{number} M {acid}
what is the molar mass of {compound}? | how many moles are {number} g of {compound}?
{explain} {term} | {term}: what do I need for the exam? | what is the difference between {pair}?
my lab report is on {lab}, what should the discussion say? | why did {lab} go wrong?
what is in {product}, chemically? | how does {product} work on the molecular level?
is it dangerous to store {substance} next to {substance}? | how do chemists make {compound}?
which functional groups are in {compound}? | name the IUPAC name of {organic}
what is the oxidation state of {element} in {compound}?
why is {element} more reactive than {element}?
what colour does {element} give in a flame test? | where is {element} in the periodic table and why?
equation:
H2 + O2 -> H2O | Al + HCl -> AlCl3 + H2 | C3H8 + O2 -> CO2 + H2O | KMnO4 + H2O2
Na + H2O -> NaOH + H2
N2 + H2 -> NH3 | Fe2O3 + CO -> Fe + CO2 | AgNO3 + NaCl -> AgCl + NaNO3 | Cu + HNO3
equation_left:
zinc and sulfuric acid | calcium carbonate and hydrochloric acid | sodium and chlorine
ethene and bromine | the combustion of butane | copper sulfate and iron | ethanol and acetic acid
substance:
vinegar | bleach | baking soda | ammonia | salt | sugar | hydrogen peroxide | iron | chalk | acetone
lye | dish soap | iodine | magnesium | copper | sulfur | alcohol | battery acid | lemon juice
solvent:
water | ethanol | hexane | oil | hot water | acetone
property:
blue in solution | a liquid at room temperature | flammable | corrosive | so smelly
a poor conductor
polar | acidic | insoluble | explosive when dry | a catalyst | white
compound:
sodium bicarbonate | NaOH | H2SO4 | calcium chloride | glucose | caffeine | aspirin | K2Cr2O7
NH4NO3
sodium acetate | benzoic acid | copper(II) sulfate | ethyl acetate | CO2 | SO3 | methanol | NaCl
acid:
HCl | acetic acid | NaOH | nitric acid | NH3 | formic acid
term:
electronegativity | a buffer | hybridisation | Le Chatelier | activation energy | Gibbs free energy
chirality | nucleophilic substitution | a galvanic cell | the mole | van der Waals forces | Ksp
resonance | ligands | an exothermic reaction | rate laws | distillation | chromatography | isomers
pair:
ionic and covalent bonds | molarity and molality | an acid and a base | SN1 and SN2 | atoms and ions
oxidation and reduction | an ester and an ether | endothermic and exothermic | alkanes and alkenes
lab:
a titration of vinegar | the synthesis of aspirin | growing copper sulfate crystals | electrolysis
paper chromatography of ink | recrystallisation | measuring the heat of combustion
product:
shampoo | toothpaste | rust remover | super glue | sunscreen | gunpowder | a battery | bath bombs
antifreeze | paint | a hand warmer | washing powder | plastic bags | a glow stick
organic:
CH3CH2CH2OH | (CH3)2CHCH2CH3 | CH3COOCH3 | C6H5NO2 | CH2=CHCl | HCOOH
element:
lithium | potassium | chlorine | manganese | nitrogen | copper | sulfur | barium | chromium | gold
""",
    "computer science": """
request:
{code_verb} {program} in {language} | {code_verb} {program} | {code_verb} {program} with {tool}
fix this {error}: {trace} | I get {error} when I run {thing}, {advice}
{trace} - what does it mean?
why does {thing} {misbehave}? | {thing} {misbehaves} since the last update, {advice}
how do I {task} in {language}? | how do I {task} with {tool}? | {tool}: how to {task}
what is the difference between {pair}? | {explain} {concept}
what's {concept} and when do I need it?
should I learn {language} or {language}? | {language} or {language} for {program}?
convert this {language} code to {language} | review my {language} code
explain this {language} snippet
design {system}, which database and architecture? | how would you scale {system} to a million users?
my {device} {device_problem}, {advice} | how do I {device_task} on {os}?
what is the time complexity of {algorithm}? | implement {algorithm} in {language}
dry-run {algorithm} for me
{write} unit tests for {program} | {write} a README for {program} | {write} the API docs of {system}
how do I train {model} on {data}? | {model} of mine overfits, {advice}
which metric should I use for {model}?
is {system} secure against {attack}? | how does {attack} work and how do I prevent it in {tool}?
code_verb:
write | code | implement | create | build me | make | generate | help me write | I need | refactor
program:
a function that reverses a linked list | a web scraper | a to-do app | a script that renames photos
a REST API for bookings | a Discord bot | a password generator | a CSV parser | a snake game
a CLI tool
a login form | a chat server | a binary search | a cron job that backs up a folder
a regex for phone numbers
a SQL query for the top customers per month | a thread pool | a unit converter | a browser extension
a landing page with a dark mode | a rate limiter | a JSON validator | a calculator | an Excel macro
language:
Python | JavaScript | TypeScript | Java | C++ | C# | Go | Rust | PHP | Kotlin | Swift | Ruby | SQL
Bash
Haskell | R | Scala | C | Perl | MATLAB
tool:
React | Django | Flask | Node.js | Docker | Kubernetes | PostgreSQL | MongoDB | Spring Boot | pandas
Terraform | GitHub Actions | Redis | nginx | PyTorch | Vue | Tailwind | AWS Lambda | Next.js
Selenium
error:
error | exception | stack trace | compiler error | warning | crash | build failure | lint error
trace:
TypeError: 'NoneType' object is not subscriptable | segmentation fault (core dumped)
NullPointerException at com.example.App.main(App.java:{number}) | CORS policy blocked the request
ModuleNotFoundError: No module named 'requests' | undefined is not a function | exit code {number}
IndexError: list index out of range | error[E0502]: cannot borrow as mutable | 502 bad gateway
fatal: refusing to merge unrelated histories | permission denied (publickey)
panic: nil pointer dereference
thing:
my script | the container | our CI pipeline | npm install | my Flask app | the cron job | my query
the login page | the pod | my program | git push | the web socket | the migration | the mobile app
misbehave:
run out of memory | return null | time out | use 100 % CPU | fail only in production | hang
print the result twice | lose data | ignore my environment variables | crash on startup
misbehaves:
is very slow | keeps crashing | returns an empty list | shows the wrong date | can't connect
task:
read a file line by line | parse JSON | merge two dictionaries | sort by two columns | undo a commit
run tasks in parallel | upload a file | join three tables | mock a database in tests
debounce an input
deploy to production | store passwords | send an e-mail | handle errors | paginate results
add an index
center a div | validate a form | format a date | call an API | cache responses
roll back a migration
pair:
TCP and UDP | a process and a thread | a stack and a queue | REST and GraphQL | merge and rebase
SQL and NoSQL | an interface and an abstract class | let and var | authentication and authorisation
supervised and unsupervised learning | RAM and ROM | a compiler and an interpreter | GPU and CPU
concept:
recursion | a hash map | dependency injection | a closure | big O | a mutex | the event loop
a monad
gradient descent | an embedding | a load balancer | a foreign key | garbage collection | DNS
a pointer
a VPN | continuous integration | a blockchain | the transformer architecture | a JWT | polymorphism
system:
a URL shortener | a chat app | a video streaming service | a booking system | an online game server
a payment service | a search engine for documents | a file-sharing site | a news feed
device:
laptop | phone | Wi-Fi | printer | router | browser | PC | tablet | external drive
device_problem:
is very slow | doesn't turn on after the update | shows a blue screen | keeps disconnecting
says the disk is full | got a virus | won't connect to the network | overheats while compiling
device_task:
install drivers | free disk space | change the default browser | set up a VPN | open the terminal
take a screenshot | recover deleted files | add a user | kill a process | check which ports are open
os:
Windows | macOS | Ubuntu | Android | iOS | Linux
algorithm:
quicksort | Dijkstra | binary search | merge sort | BFS | dynamic programming for knapsack | k-means
the Floyd cycle detection | topological sort | A* | insertion sort | union find
model:
a classifier | a CNN | an LSTM | a random forest | a language model | a recommender
an object detector
data:
images of my own | customer reviews | time series | a small CSV | 10 GB of logs | audio files
attack:
SQL injection | cross-site scripting | phishing | a DDoS attack | CSRF | a buffer overflow
ransomware
""",
    "economics": """
request:
why {are} {price} so {high}? | what happens to {price} when {event}?
how does {event} affect {actor}?
{explain} {term} | {explain} {term} with an everyday example | {term} vs {term} | what is {term}?
is {policy} a good idea for {country}? | what would {policy} do to {outcome}?
arguments for and against {policy}
how does the central bank {bank_does}? | why did {country} {country_did}?
who gains and who loses from {policy}?
my economics {homework|exam|essay} is about {term}, {help_study}
{write} an essay on {policy} in {country}
if demand for {good} rises and supply falls, what happens to the price?
is {good} an inferior good?
the price of {good} rises by {number} % and sales fall by {number} %: what is the elasticity?
draw and explain the market for {good} after {event} | what is the opportunity cost of {choice}?
how is {outcome} measured? | what does it mean that {outcome} {moves}?
compare {outcome} in {country} and {country}
are:
are | are | have
price:
rents | food prices | wages | oil prices | house prices | interest rates | energy prices
exchange rates
high:
high | low | volatile | sticky | different between countries
event:
the government prints money | there is a drought | a tariff of {number} % is introduced
a tax is cut
the minimum wage rises | the euro falls | a new competitor enters | people save more
a war breaks out
interest rates go up | a subsidy ends | immigration increases | oil production is cut
actor:
consumers | exporters | small firms | banks | workers | the housing market | the stock market
savers
term:
inflation | stagflation | GDP | comparative advantage | elasticity | a recession | moral hazard
a monopoly
quantitative easing | the multiplier effect | a public good | a price floor | deadweight loss
utility
an externality | the Gini coefficient | Nash equilibrium | the liquidity trap | a trade deficit
the Laffer curve | fiscal stimulus | perfect competition | heteroskedasticity in a regression
a bond yield
policy:
a universal basic income | rent control | a wealth tax | free trade | a carbon tax | austerity
a higher minimum wage | privatising the railways | a sugar tax | price caps on energy
joining the euro
country:
Germany | Japan | Argentina | the US | India | Greece | China | Turkey | Brazil | Nigeria | the UK
outcome:
unemployment | growth | inequality | productivity | inflation | the deficit | consumption | poverty
bank_does:
fight inflation | create money | set interest rates | support the currency | influence unemployment
country_did:
go into recession | devalue its currency | have hyperinflation | grow so fast | default on its debt
help_study:
what should I revise? | give me practice questions | can you outline it? | explain it with a graph
good:
coffee | petrol | public transport | smartphones | bread | flights | cigarettes | electric cars
avocados
choice:
going to university | building a stadium | working overtime | protecting a forest | keeping cash
moves:
rises | falls | is negative | is higher than expected | stays flat
""",
    "engineering": """
request:
which {part} do I need for {project}? | how do I size {part} for {project}?
what {part} fits {project}?
calculate {quantity} of {object} | what is {quantity} of {object} with {spec}?
how do I measure {quantity} of {object}?
my {machine} {fault}, {advice} | the {machine} {fault}: what should I check first?
how do I repair a {machine} that {fault}?
how does a {machine} work? | {explain} how a {machine} works, technically
why are {thing} built like that?
design {project} | help me design {project} with {spec} | what tolerances do I need for {project}?
{explain} {term} | what is {term}? | {term} vs {term} | when is {term} used in practice?
which material should I use for {project}? | is {material} strong enough for {project}?
wire up {part} to {board} | how do I connect {part} to {board}?
{board} resets when {part} switches on, why?
what does the {standard} say about {project}? | {write} a test plan for our {machine}
{write} a maintenance schedule for a {machine}
what safety factor should {object} have? | how deep must the foundation of {building} be?
part:
a gearbox | a fuse | a relay | a stepper motor | a bearing | a heat sink | a pump | a pressure valve
a linear regulator | a spring | a servo | a transformer | a capacitor | a MOSFET | a V-belt | a beam
project:
a solar pump | a CNC router | a pergola | a go-kart | a drone with {number} cm propellers
a lift gate
a battery pack of {number} V | a retaining wall | a greenhouse heater | a robot arm
an audio amplifier
a footbridge of {number} m | a workshop crane | a wind turbine for the roof
a water tank on a tower
a charger for an e-bike | a 3D printer enclosure | a conveyor belt | a rainwater system
quantity:
the bending stress | the torque | the power | the voltage drop | the flow rate | the load
the resistance
the deflection | the efficiency | the cut-off frequency | the heat loss | the pressure drop
the gain
object:
a steel beam | a copper cable | an RC filter | a shaft of {number} mm | a pipe | a pulley system
a transformer | a wooden joist | a DC motor | a hydraulic cylinder | an antenna | a bolt M{number}
spec:
{number} V | {number} kW | a span of {number} m | {number} bar | a load of {number} kN
{number} A | 50 Hz
machine:
car | washing machine | 3D printer | heat pump | lawn mower | diesel generator | e-bike | lathe
inverter
air conditioner | motorcycle | drone | refrigerator | compressor | elevator | boiler | jet engine
fault:
makes a grinding noise | overheats | vibrates at high speed | trips the breaker | leaks oil
won't start
loses pressure | smokes | draws too much current | stalls under load | hums loudly
thing:
suspension bridges | skyscrapers | dams | aircraft wings | railway tracks | high-voltage lines
arches
term:
a PID controller | fatigue | the Nyquist criterion | pulse width modulation | a truss | cavitation
impedance matching | a Bode plot | yield strength | the Reynolds number | a phase-locked loop
heat treatment
modulation | a rectifier | laminar flow | a finite element mesh | galvanic isolation
reinforced concrete
material:
aluminium | plywood | PLA | carbon fibre | mild steel | stainless steel | oak | ABS | brass
concrete
board:
an Arduino | a Raspberry Pi Pico | an ESP32 | a PLC | a breadboard | my motor driver
standard:
building code | IEC standard | datasheet | Eurocode | wiring regulation
building:
a shed | a two-storey house | a garden wall | a carport | a tower of {number} m
""",
    "health": """
request:
I {have} {symptom} for {time}, {advice} | {who} {has} {symptom} and {symptom}, {advice}
is {symptom} a sign of {disease}? | what causes {symptom}?
when should I see a doctor about {symptom}?
can I take {drug} with {drug}? | {drug} while pregnant, is it safe?
what are the side effects of {drug}?
how much {nutrient} do I need a day? | which foods have a lot of {nutrient}? | is {food} healthy?
what should I eat {occasion}? | make a meal plan for someone with {disease}
is {diet} good for {disease}?
how is {disease} treated? | how is {disease} diagnosed? | is {disease} contagious?
can {disease} be cured?
I was diagnosed with {disease}, what does that mean? | what is the life expectancy with {disease}?
my {test} is {number}, is that too high? | what does a low {test} mean?
how do I prepare for {procedure}?
how long does it take to recover from {procedure}? | what are the risks of {procedure}?
what is the first-line treatment for {disease}? | what is the mechanism of action of {drug}?
which {nerve|artery|vein} supplies {organ}? | {organ}: function, blood supply and histology
in which patients is {drug} contraindicated? | most common complication of {disease}
a patient presents with {symptom} and {symptom}: which diagnosis is most likely?
differential diagnosis of {symptom} | which lab test confirms {disease}? | pathology of {disease}
which bacteria cause {infection}? | how is {infection} transmitted?
antibiotic of choice for {infection}
how does {organ} develop in the embryo? | which vitamin deficiency causes {symptom}?
which exercises help against {symptom}? | how do I train for {sport} without an injury?
I pulled {body}, {advice}
{who} {accident}, {advice} | first aid: {who} {accident} | how do I care for {care}?
what is the function of {organ}? | where exactly is {organ}? | how does {drug} act in the body?
how do I {habit}? | does {habit_noun} really harm the body? | how many calories are in {food}?
have:
have had | have | keep getting | am suffering from
has:
has | complains about | wakes up with | has had
symptom:
a headache | back pain | a rash | a dry cough | stomach cramps | dizziness | swollen ankles
a fever
chest pain | numb fingers | diarrhoea | a sore throat | knee pain | itchy eyes | heartburn | fatigue
blurred vision | nosebleeds | hair loss | night sweats | a lump under the skin | constipation
disease:
diabetes | anaemia | gout | asthma | migraine | hypertension | shingles | coeliac disease
arthritis
appendicitis | hypothyroidism | eczema | pneumonia | COVID | kidney stones | IBS | osteoporosis
a slipped disc | Lyme disease | PCOS | a urinary infection | hepatitis | measles | glaucoma | cancer
drug:
ibuprofen | paracetamol | antibiotics | aspirin | the pill | antihistamines | metformin | omeprazole
blood thinners | statins | cortisone | melatonin | insulin | nasal spray | beta blockers
St John's wort
nutrient:
protein | iron | vitamin D | fibre | magnesium | calcium | omega-3 | vitamin B12 | salt | water
food:
oat milk | red meat | avocado | white rice | coffee | dark chocolate | tofu | eggs every day | honey
occasion:
after a marathon | before a workout | when I have the flu | during pregnancy | to lose {number} kg
with high cholesterol | after surgery | to gain muscle | with an upset stomach | before a blood test
diet:
keto | intermittent fasting | a vegan diet | low carb | the Mediterranean diet | a gluten-free diet
test:
TSH | ferritin | cholesterol | blood pressure | CRP | resting heart rate | creatinine | blood sugar
procedure:
a colonoscopy | a hip replacement | an MRI | wisdom tooth surgery | a C-section | a vaccination
laser eye surgery | a root canal | anaesthesia | a blood transfusion | a biopsy
sport:
a half marathon | a triathlon | strength training at {number}0 | climbing | a long hike
body:
a muscle in my calf | my shoulder | my neck | a tendon in my wrist | my groin
accident:
burned a hand | fainted | was stung by a wasp | hit the head | choked on a nut | twisted an ankle
has a deep cut | swallowed soap | got an electric shock | has sunstroke | was bitten by a tick
infection:
pneumonia | cholera | typhoid fever | tuberculosis | meningitis | tetanus | gonorrhoea
a wound infection
care:
an elderly parent with dementia | a newborn | a surgical wound | someone in a wheelchair | a cast
organ:
the spleen | the pancreas | the thyroid | the liver | the vagus nerve | the gallbladder
the diaphragm
the inner ear | the pituitary gland | the kidneys | the lymph nodes | the aorta | the cornea
habit:
fall asleep faster | stop smoking | lower my blood pressure | improve my posture | stop snoring
strengthen my immune system | drink less alcohol | protect my skin from the sun | brush correctly
habit_noun:
vaping | sitting all day | cracking knuckles | sugar | too little sleep | loud music
""",
    "history": """
request:
what caused {event}? | what were the consequences of {event}? | when was {event} and who took part?
who was {person} and why does it matter? | what did {person} do during {era}?
was {person} a good ruler?
what was life like for {people} in {place}? | what did {people} {daily} in {place}?
{write} an essay about {event} | {write} a timeline of {event} | make a quiz on {event}
why did {empire} {fate}? | how did {empire} become so powerful? | how was {empire} governed?
compare {event} and {event} | how did {event} change {place}?
which primary sources are there on {event}?
how old is {artefact} and who made it? | what do archaeologists learn from {artefact}?
who invented {invention}, and in which century? | how did people {daily} before {invention}?
{explain} {event} to a {number}-year-old | what if {event} had never happened?
tell me about the history of {place} | how did {place} change in {era}?
my essay is on {era}, {help_study}
event:
the French Revolution | World War I | World War II | the fall of Constantinople
the American Civil War
the Great Depression | the Boston Tea Party | the Thirty Years' War | the Partition of India | D-Day
the Cuban Missile Crisis | the Haitian Revolution | the Reformation | the Opium Wars
the Black Death
the Russian Revolution | the Spanish Civil War | the Long March | the abolition of slavery
the fall of the Berlin Wall | the Battle of Waterloo | the Korean War | the Congress of Vienna
person:
Napoleon | Julius Caesar | Joan of Arc | Genghis Khan | Cleopatra | Abraham Lincoln | Bismarck
Akbar
Queen Victoria | Saladin | Martin Luther | Churchill | Lenin | Simon Bolivar | Hatshepsut
Rosa Parks
Charlemagne | Gandhi | Marco Polo | Atatürk | Peter the Great | Marie Antoinette
Alexander the Great
era:
the Middle Ages | the Bronze Age | the 1920s | the Victorian era | the Renaissance | the Cold War
the Edo period | the Enlightenment | the colonial period | the Neolithic | the interwar years
people:
peasants | women | soldiers | merchants | slaves | knights | monks | children | factory workers
sailors
place:
ancient Rome | medieval Europe | ancient Egypt | Tudor England | the Ottoman Empire | Mesopotamia
colonial America | Tang China | the Soviet Union | Sparta | the Aztec capital | Victorian London
Prussia | feudal Japan | Viking settlements | Venice | the Kingdom of Mali | the Roman provinces
daily:
eat | wear | trade | cook | believe | travel | treat the sick | keep time | bury the dead
pay taxes
empire:
the Roman Empire | the Mongol Empire | the Ottoman Empire | the Inca Empire | Austria-Hungary
the British Empire | the Persian Empire | Carthage | the Qing dynasty | the Weimar Republic
Byzantium
fate:
collapse | expand so quickly | lose the war | split in two | fall apart | adopt Christianity
artefact:
the Rosetta Stone | Stonehenge | the Terracotta Army | the Lascaux paintings | hand axes
the pyramids
the Dead Sea Scrolls | Viking ships | clay tablets | Machu Picchu | Roman coins | Homo erectus tools
invention:
the printing press | gunpowder | the steam engine | the compass | paper | the wheel | the telegraph
help_study:
which points should I make? | can you outline it? | what sources can I cite? | check my thesis
""",
    "law": """
request:
my {party} {wrong}, {legal_advice} | {party_cap} {wrong}. {legal_advice}
is it legal to {act}? | can I be sued if I {act}? | what is the penalty if you {act} in {state}?
can my {party} {party_act}? | do I have to {duty}? | am I allowed to {act}?
{write} {legal_document} | what should be in {legal_document}?
check {legal_document} for unusual clauses
{explain} {term} | what is {term} in law? | {term} vs {term} | when does {term} apply?
how do I {procedure}? | how long does it take to {procedure}? | do I need a lawyer to {procedure}?
what are my rights when {situation}? | who is liable when {situation}? | {situation}, {legal_advice}
what does this clause mean: {clause} | is this clause valid: {clause}
rewrite this clause in plain English: {clause}
A {sues} B because {case}. Who wins? | what would a court decide if {case}?
which law covers {subject} in {state}? | how is {subject} regulated in {state}?
statute of limitations for {subject} in {state}
party:
landlord | employer | neighbour | ex-wife | insurance company | phone provider | contractor | bank
business partner | tenant | airline | school | gym | former boss | car dealer | online seller
party_cap:
The police | My landlord | The shop | My employer | A collection agency | The car rental
My insurer
wrong:
kept my deposit | fired me while I was sick | refuses to refund me | built a fence on my land
cancelled my contract without notice | used my photos without permission | threatens to evict me
won't pay my last salary | sold me a broken car | changed the locks | shared my personal data
claims I owe {money} {currency} | did not finish the renovation | charged me twice
breached our contract
legal_advice:
what can I do? | is that legal? | what are my rights? | can I sue? | which deadline do I have?
do I need a lawyer?
can I claim damages? | how do I object? | what can I do? | is that allowed? | should I sign?
act:
record a phone call | copy a DVD | carry a knife | fly a drone over a house | quit without notice
film the police | use a song in a video | sublet my flat | work without a contract | refuse a search
scrape a website | resell tickets | drive without insurance | marry a cousin | break a lease
party_act:
read my e-mails | raise the rent by {number} % | enter without asking | make me work on Sundays
cut my holidays | refuse a reference | deduct money from my wages | forbid a pet
end the lease early
duty:
pay the fine | testify in court | give notice in writing | tell the buyer about the damage
accept a change of contract | pay for the accident | return the security deposit | attend jury duty
legal_document:
a rental agreement | a will | a non-disclosure agreement | a cease and desist letter
terms of service
a power of attorney | a prenup | an employment contract | a privacy policy | an objection to a fine
a settlement agreement | a licence for my software | a liability waiver | a complaint to the court
term:
negligence | habeas corpus | consideration | hearsay | force majeure | double jeopardy
strict liability
mens rea | adverse possession | due process | fair use | a class action | an easement | probate
bail
res judicata | an injunction | the parol evidence rule | felony murder | eminent domain
sovereign immunity
procedure:
file for divorce | contest a will | register a trademark | appeal a judgment
get a restraining order
sue in small claims court | change my name | apply for asylum | expunge a record
dispute a parking fine
situation:
I am arrested | a flight is cancelled | my parcel is lost | the product I bought is defective
a guest is hurt on my property | my dog bites someone | a teenager crashes my car
I am fired during pregnancy
the seller lied about the house | the police want to search my phone | my visa expires
clause:
the lessee shall hold the lessor harmless | this agreement renews automatically for {time}
all disputes shall be settled by binding arbitration
the company may change these terms at any time
the employee shall not compete for {time} after termination
liability is limited to {money} {currency}
sues:
sues | accuses | takes to court
case:
B sold the same house twice | B promised a reward and refuses to pay | B's tree fell on A's car
B revoked the offer after A had posted the acceptance | B slandered A in a newspaper | B trespassed
subject:
inheritance | tenancy | unfair dismissal | data protection | copyright | overtime | self-defence
immigration | cannabis | gun ownership | child support | whistle-blowing | defamation
contract fraud
state:
California | Germany | the UK | Texas | New York | Canada | France | India | Florida | Australia
the EU
""",
    "math": """
request:
solve {equation} | solve for x: {equation} | {equation}, what is x?
how many solutions does {equation} have?
what is {number} % of {money}? | what is {number} * {number} + {number}?
{number}/{number} as a decimal
{compute} {function} | plot and discuss {function} | where does {function} have its maximum?
prove that {claim} | is it true that {claim}? | give a counterexample: {claim}
a {thing} costs {money} after a discount of {number} %. What was the original price?
{name} has {number} {objects} and gives away {number}. How many are left?
share {number} {objects} between {number} people
if {number} workers need {number} days, how long do {number} workers need?
a car drives {number} km in {number} minutes, how fast is that?
what is the probability of {chance}? | in how many ways can {count}?
expected number of throws until {chance}
what is the {measure} of {shape} with {length}? | how do I find the {measure} of {shape}?
{explain} {term} | what is {term}? | {term} with an example please | practice problems on {term}
my {kid} has homework on {term}, {help_study} | check my solution: {equation} gives x = {number}
convert {number} {unit} to {unit} | round {money}.{number} to the nearest ten
what comes next: {sequence}
find the mean and the standard deviation of {number}, {number}, {number}, {number}
I save {money} a month at {number} % interest, how much do I have after {number} years?
equation:
{number}x + {number} = {number} | x^2 - {number}x + {number} = 0
2x + 3y = {number}, x - y = {number}
|x - {number}| < {number} | log(x) = {number} | sin(x) = 1/2 | e^(2x) = {number}
{number}/x = {number}
compute:
differentiate | integrate | find the derivative of | find the integral of | simplify | factor
find the roots of
function:
x^{number} ln x | sin(x)/x | e^(-x^2) | x^3 - {number}x | sqrt(x + {number})
(x^2 + 1)/(x - {number}) | tan^2(x)
cos({number}x) | x e^x | 1/(1 + x^2) | ln(x^2 + {number})
claim:
the sum of two odd numbers is even | there are infinitely many primes
every group of prime order is cyclic
the square root of {number} is irrational | a continuous function on a compact set is bounded
n^2 + n is always even | the product of two symmetric matrices is symmetric | 0.999... = 1
thing:
jacket | bicycle | laptop | sofa | phone | ticket | table
name:
Anna | Ben | Carla | Omar | Mia | Jack | a farmer | a baker
objects:
apples | marbles | cookies | stickers | eggs | books | coins | chairs
chance:
rolling two sixes | drawing an ace | getting three heads in five flips
two people sharing a birthday
a false positive | picking {number} red balls out of {number} | a royal flush
count:
{number} people sit in a row | {number} letters be arranged | I choose 3 out of {number} books
measure:
area | volume | perimeter | surface | diagonal | angle sum
shape:
a circle | a cone | a right triangle | a hexagon | a sphere | a trapezoid | a cylinder | a cube
length:
radius {number} | sides {number} and {number} | height {number} cm | base {number} m
term:
logarithms | the chain rule | matrices | vectors | fractions | Bayes' theorem | eigenvalues | limits
the binomial theorem | complex numbers | modular arithmetic | a p-value | confidence intervals
induction
Fourier series | a vector space | long division | percentages | a normal distribution | permutations
ring homomorphisms | partial fractions | the quadratic formula | the law of cosines
Lagrange multipliers
kid:
son | daughter | little brother | student | niece
help_study:
how do I explain it? | can you show the steps? | make three exercises | what is the trick?
unit:
km | miles | litres | ounces | degrees | radians | square metres | hectares | minutes | hours
sequence:
2, 6, 12, 20 | 1, 1, 2, 3, 5 | 3, 9, 27 | 1, 4, 9, 16 | 2, 3, 5, 7, 11 | 100, 50, 25
""",
    "other": """
request:
{small_talk} | {small_talk} | {small_talk}
{write} {creative} about {subject} | {write} {creative} for {who}
make it {style}: {creative} about {subject}
how do I cook {dish}? | {dish} for {number} people, recipe please | what goes well with {dish}?
can I freeze {dish}?
I have {ingredient}, {ingredient} and {ingredient} at home, what can I cook?
substitute for {ingredient} in {dish}?
plan {trip} to {city} | what is there to see in {city}? | best time to visit {city}
where to eat in {city}?
how do I get from the airport to {city}? | is {city} safe for tourists?
packing list for {trip} to {city}
recommend {media} | {media} like {title} | who plays in {title}?
what happens at the end of {title}?
what should I wear to {event}? | gift ideas for {who} | plan {event} for {who}
{write} a toast for {event}
how do I {household}? | how do I get rid of {nuisance}? | what is the best way to {household}?
who won {match}? | what are the rules of {game}? | how do I get better at {game}? | teach me {game}
{language_request} | how do you say "{phrase}" in {language}? | what does "{phrase}" mean?
{text_work} {material} | {text_work} {material}: | please {text_work} {material}
what is the capital of {country}? | how many people live in {country}?
which countries border {country}?
how does the election in {country} work? | which party governs {country}?
what is the climate of {country} like?
my {pet} {pet_does}, {advice} | which {pet} suits a small flat? | name ideas for my {pet}
I want to {hobby}, where do I start? | what do I need to {hobby}? | {hobby} for beginners
who wrote {title}? | which instrument has {number} strings? | what colour is a Smurf? | {trivia}
which flag has {number} stars? | {write} a pub quiz on {subject} | {trivia} | {trivia}
{list_of} {list_thing} | rank your top five {list_thing} | let's brainstorm {list_thing}
{task}: {task_on} | {task} {task_on} | {task_on} - {task} | {task}
{write} an essay on {issue} | {write} an article about {issue} | what is your opinion on {issue}?
{write} a biography of {celebrity} | when did the career of {celebrity} start? | who is {celebrity}?
tell me about {village} | describe the sights, schools and roads of {village}
how do I reach {village}?
review {title} | {write} a plot summary of {title} | compare {title} and {title}
analyse the main character of {title}
describe {scene} | give me a prompt for a picture of {scene} | continue the story: {scene}
act as {role} and talk to me | let's play {game} | ask me riddles | pretend you are {role}
{write} a cover letter for a job as {job} | improve my CV for a job as {job}
interview tips for {job}
task:
classify the sentiment of this sentence | put these words in alphabetical order
find the odd one out
unscramble the letters | count the vowels | find a rhyme for each word
extract the names from this text
rewrite this sentence in the passive voice | make a sentence with these words
find the spelling mistake
sort these items into groups | give a synonym for each word | turn this into a question
change the tone of this sentence | finish the sentence | suggest a title | find the adjectives
task_on:
"the film was long but I loved every minute" | apple, chair, banana, dog | the quick brown fox
"we was happy when she come home" | red, green, loud, blue | it was a dark and stormy night
"I can't wait to see you next week" | elppa, nananab | lion, tiger, spoon | the bus is late again
issue:
the importance of education | living without a car | school uniforms | social media and friendship
tourism in small towns | gender roles in films | homework | fast fashion | public libraries
traditions
immigration and culture | working from home with children | minimalism | youth sports | television
celebrity:
Taylor Swift | Lionel Messi | Serena Williams | Meryl Streep | a local football coach | Bob Dylan
the mayor of our town | my favourite painter | Agatha Christie | a Korean boy band | David Bowie
village:
a village in Normandy | the island of Crete | a suburb of Chicago | a town on the Danube
the Black Forest
a railway station in Wales | a fishing port in Chile | the district where I grew up | Route 66
trivia:
how many players are in a volleyball team? | which wine goes with fish? | who painted the Mona Lisa?
what is the longest river in Asia? | in which city is the Louvre? | which sport uses a shuttlecock?
how many cards are in a deck? | what does a sommelier do? | who sang Bohemian Rhapsody?
what is origami?
which language is spoken in Brazil? | how old is the Queen of Denmark?
what is the population of Spain?
who is the president of {country}? | why do people migrate to {country}? | what is a think tank?
how do social classes differ? | why do sociologists study families? | what does NATO do?
what is safe sex?
which countries have nuclear weapons? | how do journalists work with a press office?
what is a taboo?
small_talk:
hi | hello | hey, how are you? | good morning! | thanks a lot | thank you, that helped | ok
yes please
no, that's all | who made you? | what can you do for me? | tell me a joke | I'm bored | good night
are you there? | can you speak {language}? | what day is it? | sorry, I meant something else | lol
test
what do you think about {subject}? | sing a song | tell me something nice | you're great
never mind
creative:
a poem | a short story | a haiku | a song | a limerick | a fairy tale | a rap | a dialogue
a monologue
a birthday card | a speech | a blog post | a caption | a diary entry | a bedtime story | a scene
subject:
the sea | a lost dog | autumn | first love | a robot who wants to dance | my grandmother's garden
a train at night | two friends | the moon | coffee | a haunted house | summer holidays | a pirate
style:
funny | sad | rhyming | short | dramatic | in the style of a detective novel | for children
dish:
lasagne | pancakes | risotto | a chocolate cake | ramen | paella | banana bread | lentil soup
sushi
roast chicken | pizza dough | goulash | hummus | apple pie | curry | dumplings | tiramisu | tacos
ingredient:
eggs | rice | chickpeas | spinach | butter | tomatoes | cream | leftover chicken | pasta
courgettes
trip:
a weekend trip | a five-day trip | a road trip | a honeymoon | a family holiday | a hike
a city break
city:
Lisbon | Tokyo | Vienna | Marrakesh | New York | Iceland | Bali | Prague | Scotland | Mexico City
Seoul
media:
a thriller | a podcast | an album | a comedy | a board game for two | a fantasy novel | a video game
title:
Harry Potter | Inception | Friends | The Lord of the Rings | Breaking Bad | Star Wars | Zelda
Hamlet
event:
a wedding | a birthday party | a housewarming | a funeral | a christening | a graduation
a barbecue
household:
remove a coffee stain | fold a fitted sheet | descale a kettle | clean an oven | iron a shirt
organise my wardrobe | water orchids | keep bread fresh | hang a picture | pack a suitcase
sharpen a knife
nuisance:
moths | the smell of fish | ants in the kitchen | limescale | a squeaky door | hiccups of my guests
match:
the World Cup in 2014 | the last Super Bowl | Wimbledon last year | the game last night
the Tour de France
game:
chess | poker | Monopoly | cricket | Minecraft | table tennis | hangman | Uno | golf | tic-tac-toe
language_request:
translate "{phrase}" into {language} | correct my {language} sentence | practise {language} with me
what is the past tense of "go"? | give me synonyms for "happy" | is it "who" or "whom"?
phrase:
see you tomorrow | where is the station? | break a leg | I miss you | cheers | long time no see
language:
French | Italian | Japanese | Spanish | German | Portuguese | Korean | Latin | Arabic | Dutch
text_work:
summarise | proofread | translate | shorten | rephrase | make a headline for | improve the style of
material:
the text below | this article | my e-mail | this paragraph | my letter to the neighbours
my essay draft
country:
Canada | Mongolia | Switzerland | Kenya | Brazil | Vietnam | Finland | Peru | Portugal | New Zealand
pet:
dog | cat | hamster | rabbit | parrot | goldfish | puppy
pet_does:
barks at night | scratches the sofa | won't use the litter box | pulls on the lead
is afraid of fireworks
hobby:
learn the guitar | start knitting | take better photos | brew beer | paint with watercolours
grow roses
dance salsa | sing | play the piano | make candles | learn magic tricks | bake bread | go camping
list_thing:
band names | date ideas | rainy day activities | ice breakers | New Year's resolutions | baby names
movie nights | Halloween costumes | conversation starters | travel destinations | birthday surprises
scene:
a harbour at dawn | a castle in the fog | an old man and his dog | a market in the rain
a city on Mars
role:
a pirate | a barista | my English teacher | a travel guide | a dragon | Sherlock Holmes
a quiz master
job:
a nurse | a waiter | a primary school teacher | a flight attendant | an office clerk | a gardener
""",
    "philosophy": """
request:
is it {moral} to {act}? | would it be {moral} to {act} if nobody was harmed?
why is it {moral} to {act}?
what did {thinker} mean by {concept}? | how would {thinker} judge it to {act}?
{thinker} vs {thinker} on {concept}
{explain} {concept} | {explain} {concept} in simple words | what is {concept}?
objections to {concept}
is this argument valid: {argument} | which fallacy is this: {fallacy_example}
put this into premises and conclusion: {argument}
translate into predicate logic: {sentence} | make a truth table for {formula}
is {formula} a tautology?
do we have {big}? | can there be {big} without God? | what is {big}, really? | does {big} exist?
{write} an essay on {concept} | give arguments for and against {concept}
discuss with me: {question}
what does {religion} teach about {big}? | what is the meaning of {religious} in {religion}?
who founded {religion}?
moral:
wrong | moral | right | ethical | permissible | immoral
act:
lie to protect a friend | eat meat | steal to feed a child | clone a human
switch off a conscious machine
break a promise | sacrifice one to save five | have children | keep found money
kill in self-defence
read a partner's diary | let someone die | design babies | tell a white lie | torture a terrorist
thinker:
Kant | Plato | Aristotle | Hume | Nietzsche | Mill | Descartes | Sartre | Confucius | Spinoza
Rawls
Wittgenstein | Epicurus | Simone de Beauvoir | Kierkegaard | Hegel | Singer | Socrates
Marcus Aurelius
concept:
the categorical imperative | the good life | the social contract | utilitarianism
the will to power
the allegory of the cave | dualism | eudaimonia | the veil of ignorance | the absurd
moral relativism
a priori knowledge | the problem of evil | free will | virtue ethics | scepticism | determinism
the self
the ship of Theseus | the trolley problem | nihilism | stoicism | Pascal's wager | the is-ought gap
argument:
all birds fly, penguins are birds, so penguins fly
if it rains the street is wet; it is wet; so it rained
everything has a cause, so there is a first cause | some A are B, some B are C, so some A are C
either we act now or all is lost; we do not act now; so all is lost
fallacy_example:
"you can't trust him, he is a politician" | "everybody believes it, so it is true"
"if we allow this, soon everything will be allowed" | "nobody has proved that ghosts don't exist"
"my opponent wants us to live in caves" | "it is natural, therefore it is good"
sentence:
every student admires some teacher | nobody likes everyone | only the brave deserve the prize
all dogs that bark do not bite | there is exactly one king
formula:
(p -> q) and not q | p or not p | (p and q) -> r | not (p or q) | p <-> (q -> p)
big:
free will | objective truth | the soul | meaning in life | evil | justice | consciousness | beauty
time
question:
is a heap still a heap without one grain? | would you plug into an experience machine?
can a machine think? | is happiness the highest good? | what do we owe to future generations?
religion:
Buddhism | Islam | Hinduism | Judaism | Taoism | Christianity | Sikhism | Jainism | Shinto
religious:
karma | nirvana | grace | the Tao | prayer | original sin | the five pillars | reincarnation
""",
    "physics": """
request:
why {phenomenon}? | {explain} why {phenomenon} | what is the physics behind it: {phenomenon}
a {body} of {number} kg {motion}. What is its {quantity}?
calculate the {quantity} of a {body} that {motion}
what is the {quantity} of {system}? | how do I compute the {quantity} of {system}?
derive the {quantity} of {system}
{explain} {term} | what is {term}? | {term} for beginners | {term} and {term}, how are they related?
what would happen if {what_if}? | could {what_if}? | how do we know that {fact}?
my physics {homework|lab|exam} is on {term}, {help_study}
which formula do I use for the {quantity} of {system}?
how far is {star} and how do we measure it? | what is inside {star}? | why does {star} shine?
light of {number}0 nm falls on {optic}. Where is the image? | what is the focal length of {optic}?
an electron moves through {field}, what force acts on it?
what current flows through {number} ohm at {number} V and why?
phenomenon:
is the sky blue | does ice float | do tyres grip less in the rain
is the sea salty but lightning so bright
does a spinning top not fall | do boats float | does sound travel faster in water | is space dark
do microwaves heat water | does a mirror swap left and right | do magnets attract iron
is glass transparent
does time slow down near a black hole | do clouds not fall
does a balloon stick to the wall after rubbing
body:
ball | car | block | satellite | pendulum | roller coaster | bullet | rocket | skater | crate
motion:
falls from {number} m | slides down a slope of {number} degrees | brakes from {number} km/h
moves in a circle of radius {number} m | collides with another one at rest
is thrown at {number} m/s
oscillates on a spring | orbits the Earth
quantity:
speed | kinetic energy | momentum | acceleration | period | force | work | range | wavelength
electric field | angular momentum | entropy change | temperature | half-life | frequency | potential
system:
a pendulum of {number} cm | two charges {number} cm apart | a mass on a spring
an ideal gas that expands
a hydrogen atom | a solenoid | a rotating disc | a photon of green light | a radioactive sample
a plate capacitor | a standing wave on a string of {number} cm | a black body at {number}00 K
term:
special relativity | entropy | quantum tunnelling | the uncertainty principle | a Lagrangian
inertia
the Doppler effect | interference | dark energy | Maxwell's equations | superconductivity | spin
gravitational lensing | buoyancy | resonance | the photoelectric effect | nuclear fission
string theory
escape velocity | the standard model | polarised light | Lenz's law | adiabatic expansion
diffraction
what_if:
the Moon disappeared | we travel faster than light | the Earth stopped spinning | gravity doubled
you fell into a tunnel through the Earth | two black holes collide | the Sun became a red giant
fact:
the universe expands | atoms exist | the Earth is round | light is a wave | dark matter is there
star:
Proxima Centauri | the Sun | a neutron star | Jupiter | the Andromeda galaxy | a quasar
Saturn's ring
optic:
a convex lens | a concave mirror | a double slit | a prism | a pair of glasses
a diffraction grating
field:
a magnetic field of 0.{number} T | a homogeneous electric field | crossed fields | a vacuum tube
help_study:
which formulas do I need? | can you give me practice problems? | explain it step by step
check my result
""",
    "psychology": """
request:
I {feel} {when}, {advice} | {who} {behaves} {when}, how should I react? | why do I {habit}?
how do I stop {habit_ing}? | how can I help {who} who {behaves}? | I {feel} and {feel}, {advice}
why do people {people_do}? | what makes people {people_do}? | is it normal to {habit}?
{explain} {term} | what is {term}? | {term} in everyday life, examples please | {term} vs {term}
what did {psychologist} discover? | {explain} {experiment} | what is the criticism of {experiment}?
what are the stages of {stages}? | what are the symptoms of {disorder}?
how is {disorder} treated in therapy?
how does {factor} influence {outcome}? | design a study on how {factor} influences {outcome}
a hypothesis about {factor} and {outcome}
my {relation} and I {conflict}, {advice} | how do I tell my {relation} that I {feel}?
{relation} problems: we {conflict}
tips to {improve} | how do I {improve}? | a daily routine to {improve}
which exercises help me to {improve}?
my child ({number}) {behaves} {when}, is that normal? | how do I teach a child to {improve}?
{write} a case study of a client with {disorder} | which test measures {outcome}?
how should a counsellor respond when a client {behaves}?
feel:
feel anxious | feel lonely | am jealous | can't concentrate | feel like a failure
get angry quickly
feel burned out | am afraid of being judged | feel guilty | have no motivation | feel overwhelmed
can't stop thinking about my ex | feel nothing at all | cry a lot
when:
before every exam | at work | since the break-up | when I'm alone | in groups | at night
after arguments
around my parents | since we moved | when plans change | all the time | in front of strangers
behaves:
shuts down | has panic attacks | lies | throws tantrums | avoids me | is very clingy
seems depressed
refuses to talk | bites other children | is always negative | doesn't want to go to school
withdraws
habit:
procrastinate | compare myself with others | bite my nails | remember only bad things
talk to myself
forget names | buy things I don't need | say yes to everything | check my phone all the time
overthink
habit_ing:
procrastinating | overthinking | people-pleasing | worrying at night | comparing myself
doomscrolling
people_do:
follow the crowd | believe in conspiracy theories | fall in love | obey authority | bully others
remember things that never happened | join cults | gamble | blame victims | like sad songs | gossip
term:
cognitive dissonance | attachment theory | confirmation bias | operant conditioning
the bystander effect
emotional intelligence | imposter syndrome | gaslighting | the placebo effect | self-efficacy
REM sleep
the unconscious | learned helplessness | a growth mindset | introversion | working memory
projection
the halo effect | mindfulness | intrinsic motivation | object permanence | groupthink | codependency
psychologist:
Freud | Jung | Piaget | Skinner | Pavlov | Bandura | Maslow | Milgram | Erikson | Bowlby
Carl Rogers
experiment:
the Stanford prison experiment | the marshmallow test | the Milgram experiment | Little Albert
the Strange Situation | Asch's conformity study | Pavlov's dogs | the Stroop task
stages:
grief | cognitive development | moral development | sleep | psychosocial development | change
disorder:
ADHD | OCD | borderline personality | depression | social anxiety | PTSD | autism | bipolar disorder
an eating disorder | schizophrenia | a specific phobia | burnout | dissociation
factor:
sleep | social media | parenting style | stress | music | birth order | praise | loneliness | colour
outcome:
memory | self-esteem | mood | aggression | school performance | personality | job satisfaction
empathy
relation:
partner | mother | best friend | boss | mother-in-law | flatmate | teenage daughter
conflict:
argue about everything | stopped talking | have different ideas about children | lost trust
want different things | hurt each other | never listen to one another
improve:
manage stress | set boundaries | build self-confidence | stay focused | calm down | be more patient
remember things better | get over a break-up | make friends | break a habit | accept criticism
""",
}

_FOREIGN = {
    "biology": """
Wie funktioniert die Fotosynthese? | Warum fliegen Zugvögel in den Süden?
Was ist der Unterschied zwischen Mitose und Meiose?
Comment les plantes absorbent-elles l'eau ? | Pourquoi les feuilles tombent en automne ?
Explique la réplication de l'ADN.
¿Cómo respiran los peces? | ¿Qué es la mitosis? | ¿Por qué las abejas hacen miel?
Explícame la evolución de las ballenas.
Come si riproducono i funghi? | Cos'è una cellula staminale? | Come funciona a fotossíntese?
Hoe werkt een celmembraan?
""",
    "business": """
Schreib eine E-Mail an einen Kunden, dessen Lieferung sich verspätet.
Wie erstelle ich einen Businessplan für ein Café?
Wie berechne ich die Gewinnspanne meines Online-Shops?
Rédige une relance pour une facture impayée. | Comment fixer le prix de mes produits ?
Prépare l'ordre du jour de la réunion avec l'équipe commerciale.
Escribe un plan de marketing para una panadería.
¿Cómo puedo conseguir más clientes para mi tienda? | Redacta un correo a un proveedor.
Scrivi un'offerta per un cliente.
Come posso aumentare le vendite del mio negozio? | Escreva uma proposta comercial.
Schrijf een persbericht over ons nieuwe product.
""",
    "chemistry": """
Wie gleiche ich die Reaktion Fe + O2 -> Fe2O3 aus?
Was passiert, wenn man Essig und Natron mischt? | Wie berechne ich den pH-Wert?
Qu'est-ce qu'une liaison covalente ? | Équilibre l'équation H2 + O2.
Pourquoi le fer rouille-t-il ? | ¿Qué es un ácido?
¿Cómo calculo la masa molar del agua? | Balancea la reacción de combustión del metano.
Cos'è un legame ionico?
Come si prepara una soluzione 1 molare? | O que é um catalisador?
Wat is het verschil tussen een zuur en een base?
""",
    "computer science": """
Schreib eine Python-Funktion, die eine Liste sortiert.
Warum stürzt mein Programm mit NullPointerException ab?
Wie lösche ich einen Branch in Git? | Mein WLAN-Router verbindet sich nicht, was tun?
Corrige cette erreur dans mon code Java.
Comment faire une jointure SQL ? | Écris un script bash qui renomme des fichiers.
¿Cómo conecto una base de datos con Node?
Explica qué es la recursión en programación. | Mi página web devuelve un error 500.
Scrivi una funzione in C che inverte una stringa.
Come installo Docker su Linux? | Como crio uma API em Flask?
Hoe los ik deze foutmelding in Python op?
""",
    "economics": """
Warum steigen die Preise so stark? | Was macht die Zentralbank gegen die Inflation?
Erkläre Angebot und Nachfrage.
Pourquoi le chômage augmente-t-il ? | Qu'est-ce que le PIB ?
Explique l'élasticité de la demande. | ¿Qué causa la inflación?
¿Cómo afecta un arancel a los consumidores? | ¿Qué es un monopolio? | Cos'è il debito pubblico?
O que é a taxa de câmbio?
Wat gebeurt er met de rente in een recessie?
""",
    "engineering": """
Welchen Kabelquerschnitt brauche ich für 32 A?
Wie berechne ich die Durchbiegung eines Stahlträgers?
Mein Motor überhitzt, woran kann das liegen? | Comment dimensionner une poutre en bois ?
Comment fonctionne une pompe à chaleur ?
Mon moteur fait un bruit de frottement au démarrage.
¿Cómo funciona un motor de corriente continua?
¿Qué resistencia necesito para un LED de 12 V? | Come si calcola la portata di un tubo?
Como funciona um transformador elétrico?
Hoe bereken ik het koppel van een elektromotor?
""",
    "health": """
Ich habe seit drei Tagen Kopfschmerzen und Fieber, was soll ich tun?
Darf ich Ibuprofen mit Alkohol nehmen?
Was hilft gegen Rückenschmerzen? | J'ai mal à la gorge depuis une semaine, que faire ?
Quels sont les symptômes du diabète ?
Mon fils a de la fièvre, dois-je aller chez le médecin ?
Me duele la espalda cuando me levanto, ¿qué puedo hacer?
¿Qué debo comer si tengo anemia? | ¿Es peligrosa la presión alta?
Ho mal di stomaco da due giorni. | Come abbassare il colesterolo?
Estou com dor de cabeça, que remédio posso tomar?
Ik heb al weken last van mijn knie, moet ik naar de dokter?
""",
    "history": """
Warum fiel das Römische Reich? | Was waren die Ursachen des Ersten Weltkriegs?
Wer war Karl der Große?
Quelles sont les causes de la Révolution française ? | Qui était Napoléon ?
Raconte la vie au Moyen Âge.
¿Por qué empezó la Guerra Civil española? | ¿Quién fue Simón Bolívar?
Cosa accadde durante il Rinascimento a Firenze?
Quem foi Vasco da Gama? | Wat was de oorzaak van de Tachtigjarige Oorlog?
""",
    "law": """
Mein Vermieter zahlt die Kaution nicht zurück, was kann ich tun?
Darf mein Chef mir im Krankenstand kündigen?
Wie widerspreche ich einem Bußgeldbescheid? | Mon propriétaire refuse de rendre la caution.
Puis-je rompre mon contrat de travail ?
Quels sont mes droits si mon vol est annulé ?
Mi casero no me devuelve la fianza, ¿qué puedo hacer? | ¿Es legal grabar una llamada?
¿Cómo recurro una multa? | Il mio datore di lavoro non mi paga, cosa posso fare?
Posso desfazer o contrato de aluguel?
Mag mijn huisbaas zomaar de huur verhogen?
""",
    "math": """
Löse die Gleichung 3x + 5 = 20. | Wie leite ich x^2 sin(x) ab? | Was sind 15 % von 240?
Résous x^2 - 5x + 6 = 0.
Calcule la dérivée de ln(x). | Quelle est la probabilité d'obtenir deux six ?
¿Cuál es la derivada de x^3?
Resuelve el sistema 2x + y = 7, x - y = 2. | ¿Cómo se calcula el área de un triángulo?
Quanto fa 3/4 più 2/5?
Come si risolve un'equazione di secondo grado? | Calcule a integral de x e^x.
Hoe bereken ik de inhoud van een kegel?
""",
    "other": """
Hallo, wie geht's? | Schreib ein Gedicht über den Herbst. | Wie backe ich einen Apfelkuchen?
Was kann man in Hamburg machen?
Übersetze das bitte ins Englische. | Erzähl mir einen Witz. | Salut, ça va ?
Écris un poème pour ma mère.
Une recette de quiche lorraine, s'il te plaît. | Que visiter à Lyon en deux jours ?
Hola, ¿qué tal? | Dame una receta de tortilla.
Escribe un cuento sobre un dragón. | ¿Qué película me recomiendas? | Ciao, come stai?
Scrivi una lettera d'amore.
Cosa vedere a Roma in tre giorni? | Olá, tudo bem? | Escreva um poema sobre o mar.
Hoe maak ik stamppot? | Corrige ce texte.
""",
    "philosophy": """
Was meint Kant mit dem kategorischen Imperativ? | Haben wir einen freien Willen?
Ist es falsch zu lügen, um jemanden zu schützen?
Qu'est-ce que le bonheur selon Aristote ? | Peut-on prouver l'existence de Dieu ?
¿Qué es el utilitarismo?
¿Existe el libre albedrío? | Cosa intende Platone con il mito della caverna?
O que é o existencialismo? | Wat is stoïcisme?
""",
    "physics": """
Warum ist der Himmel blau? | Wie schnell fällt ein Stein nach drei Sekunden?
Was ist ein schwarzes Loch?
Pourquoi un bateau flotte-t-il ? | Explique la relativité restreinte.
Calcule l'énergie cinétique d'une voiture.
¿Qué es la entropía? | ¿Por qué flota el hielo? | ¿Qué es la fuerza de gravedad?
Cos'è la meccanica quantistica?
O que é a velocidade da luz? | Waarom is glas doorzichtig?
""",
    "psychology": """
Ich fühle mich seit der Trennung einsam, was kann ich tun? | Wie höre ich auf zu prokrastinieren?
Was ist kognitive Dissonanz?
Comment surmonter la timidité ? | Je suis stressé avant chaque examen.
Qu'est-ce que l'effet placebo sur l'humeur ?
¿Cómo puedo mejorar mi autoestima? | Mi hijo tiene rabietas, ¿cómo reacciono?
Mi sento sempre in ansia al lavoro.
Como lidar com o ciúme? | Hoe kan ik beter omgaan met stress?
""",
}  # fmt: skip
"""Whole requests in German, French, Spanish, Italian, Portuguese and Dutch."""

GRAMMARS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    label: {**table(_COMMON), **table(text)} for label, text in _TABLES.items()
}
"""Slots by subject; the slot ``request`` is the root."""

FOREIGN: Mapping[str, tuple[str, ...]] = {
    label: table(f"request:\n{text}")["request"] for label, text in _FOREIGN.items()
}
"""Requests in languages other than English, by subject."""


def request(label: str, rng: random.Random) -> str:
    """One English request of a subject, as somebody might type it.

    Args:
        label: a key of ``GRAMMARS``.
        rng: source of randomness.
    """
    text = tidy(expand("{request}", GRAMMARS[label], rng)).rstrip(",: ")
    if rng.random() < 0.2:
        text = text.lower()
    elif rng.random() < 0.8:
        text = sentence_case(text)
    if text[-1:].isalnum() and rng.random() < 0.5:
        text += "."
    return text.rstrip("?.") if rng.random() < 0.15 else text
