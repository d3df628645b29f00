"""Topics and everyday questions of each domain, written for this project (Apache-2.0).

They carry the subject matter of chat requests that examination questions do not cover;
``training.domain.chat`` puts them into the words of a chat.
"""

from __future__ import annotations

from collections.abc import Mapping


def _split(text: str) -> tuple[str, ...]:
    """The non-empty lines or semicolon-separated parts of a text."""
    return tuple(part.strip() for part in text.replace("\n", ";").split(";") if part.strip())


TOPICS: Mapping[str, tuple[str, ...]] = {
    "biology": _split("""
        photosynthesis; mitosis and meiosis; how vaccines train immune cells; DNA replication
        the food web of a coral reef; natural selection; plant hormones; bacterial cell walls
        why leaves change colour in autumn; enzyme kinetics; the Krebs cycle; gene expression
        how birds navigate when they migrate; fungi and mycorrhiza; epigenetics; CRISPR
        symbiosis between clownfish and anemones; the anatomy of insects; protein folding
        how octopuses change colour; osmosis in plant roots; population genetics; stem cells
        the evolution of whales; ribosomes and translation; cell membranes; invasive species
        bee colony behaviour; how seeds germinate; dominant and recessive alleles; viruses
        the nitrogen cycle in soil; taxonomy of mammals; transcription factors; biodiversity
        how frogs breathe through their skin; mitochondria; chloroplasts; predator-prey cycles
    """),
    "business": _split("""
        a marketing plan for a bakery; our quarterly sales report; onboarding new employees
        pricing a subscription product; supply chain delays; a SWOT analysis of a start-up
        customer churn; a pitch deck for investors; negotiating with a supplier
        depreciation of equipment; a balance sheet; cash flow forecasts; accounts receivable
        return on investment; brand positioning; key performance indicators for a sales team
        a job description for a project manager; market segmentation; inventory turnover
        a business plan for a food truck; franchise agreements; lead generation on LinkedIn
        stakeholder management; corporate social responsibility; an annual budget
        performance reviews; a press release about a product launch; competitive advantage
        writing off bad debts; break-even analysis; a refund policy for an online shop
        operations management; a merger of two retailers; leadership styles; e-commerce
    """),
    "chemistry": _split("""
        balancing redox equations; the pH of a buffer; covalent bonds; titration curves
        why salt melts ice; electronegativity; organic synthesis of aspirin; polymers
        the periodic table; Le Chatelier's principle; molarity of a solution; catalysts
        how soap works; reaction rates; benzene and aromaticity; acids and bases
        gas chromatography; oxidation numbers; ionic radius; enthalpy of combustion
        esters and their smell; stereoisomers; the ideal gas law and moles; crystal lattices
        corrosion of iron; electrolysis of water; hydrogen bonding; noble gases
        SN1 and SN2 reactions; the solubility product; hybridisation of carbon; alkenes
        NMR spectra; limiting reagents; distillation of ethanol; transition metal complexes
        buffer solutions; radioactive isotopes in dating; VSEPR theory; chemical equilibrium
    """),
    "computer science": _split("""
        a REST API in Flask; binary search trees; SQL joins; Docker containers; git rebase
        a segmentation fault in C; recursion; hash tables; race conditions; unit tests
        Kubernetes deployments; a regular expression for dates; Big O notation; TCP handshakes
        neural network training; memory leaks in Java; React hooks; CSS flexbox; TypeScript
        async and await in Python; public key encryption; garbage collection; linked lists
        database indexes; a CI pipeline; virtual memory; compilers and parsers; Bash scripts
        a pandas data frame; NP-completeness; microservices; OAuth tokens; load balancing
        a null pointer exception; dynamic programming; design patterns; Linux permissions
        a Dockerfile for Node; pull requests; machine learning models; web scraping; caching
        Rust lifetimes; pointers in C++; GraphQL schemas; message queues; DNS records
    """),
    "economics": _split("""
        inflation and interest rates; price elasticity of demand; GDP per head; fiscal policy
        the trade deficit; supply and demand for housing; opportunity cost; central banks
        comparative advantage; unemployment; monopolies; quantitative easing; minimum wages
        the Phillips curve; public goods; exchange rates; income inequality; game theory
        how tariffs change prices; consumer surplus; recession indicators; carbon taxes
        the money multiplier; marginal utility; oligopoly pricing; rent control; subsidies
        why the yield curve inverts; purchasing power parity; external costs; productivity
        aggregate demand; labour markets; Keynesian spending; free trade; government debt
        deflation in Japan; market failure; the gold standard; hyperinflation; poverty traps
    """),
    "engineering": _split("""
        sizing a beam for a balcony; a low-pass filter; heat exchangers; PID controllers
        stress and strain in steel; three-phase motors; gear ratios; concrete mix design
        bridge trusses; a voltage divider; transformers; fluid flow in pipes; welding defects
        hydraulic pumps; signal sampling; PCB layout; fatigue of aluminium; turbine blades
        a soldering iron for circuit boards; wind loads on a roof; antenna impedance
        battery management systems; thermal insulation of a pipe; op-amp gain; CAD drawings
        bearings and lubrication; the Reynolds number of a duct; brushless motors; sensors
        foundation settlement; power factor correction; vibration damping; heat sinks
        an Arduino circuit with relays; tolerances in machining; compressor efficiency
    """),
    "health": _split("""
        a headache that does not go away; high blood pressure; ibuprofen and paracetamol
        a rash on my arm; vitamin D deficiency; flu symptoms; how much sleep adults need
        side effects of antibiotics; type 2 diabetes; asthma inhalers; lower back pain
        pregnancy nutrition; cholesterol levels; a sprained ankle; migraine triggers
        vaccination schedules for babies; heartburn; dehydration; a fever in a toddler
        menopause; anaemia and iron; knee surgery recovery; food allergies; the pill
        signs of a stroke; chest pain; blood test results; physiotherapy exercises
        how to lower my blood sugar; dental hygiene; sore throat; first aid for burns
        quitting smoking; calorie needs; hearing loss; a dry cough at night; insulin doses
        HIV transmission; lung cancer screening; patient care in nursing homes; hygiene
    """),
    "history": _split("""
        the fall of the Roman Empire; the causes of World War I; the French Revolution
        the Silk Road; Ottoman sultans; the Black Death in Europe; ancient Egypt; the Vikings
        the American Civil War; the Cold War; colonial rule in India; Napoleon's campaigns
        the Industrial Revolution; the Ming dynasty; the Crusades; the civil rights movement
        the Treaty of Versailles; the Berlin Wall; the Aztec empire; the Magna Carta
        apartheid in South Africa; the Meiji Restoration; the Renaissance in Florence
        the Great Depression in the 1930s; Stone Age tools; the Russian Revolution; feudalism
        the transatlantic slave trade; Cleopatra; the Mongol invasions; the Cuban missile crisis
        the Weimar Republic; women's suffrage; the Spanish conquest of Peru; Byzantium
    """),
    "law": _split("""
        my landlord keeping my deposit; breach of contract; copyright of photos; parental leave
        small claims court; unfair dismissal; trademark registration; a will and probate
        self-defence; the rights of tenants; a speeding ticket; data protection rules; perjury
        a non-disclosure agreement; child custody after divorce; negligence; product liability
        defamation; eviction notices; employment contracts; a power of attorney; bail hearings
        the statute of limitations; consumer rights for faulty goods; hearsay evidence
        search warrants; the fourth amendment; adverse possession; easements; judicial review
        a clause in my lease; immigration visas; patents; overtime pay law; a restraining order
        terms of service; mens rea; international treaties; jury selection; plea bargains
    """),
    "math": _split("""
        the derivative of x^2 sin(x); quadratic equations; prime numbers; Bayes' theorem
        integration by parts; eigenvalues; the area of a triangle; fractions; permutations
        the Pythagorean theorem; logarithms; standard deviation; complex numbers; matrices
        proof by induction; probability of rolling two sixes; percentages; geometric series
        systems of linear equations; limits; modular arithmetic; vectors; differential equations
        the binomial theorem; long division; circle geometry; sets and functions; groups
        converting decimals to fractions; compound interest formulas; hypothesis tests
        Taylor series; least common multiples; the volume of a cone; trigonometric identities
        12 * 17 + 4; the square root of 144; what is 15% of 80; 3x + 5 = 20; 7/8 - 2/3
    """),
    "other": _split("""
        a birthday present for my mother; a recipe for lasagne; a weekend trip to Lisbon
        a poem about the sea; the plot of a film; a good novel; football results; guitar chords
        a bedtime story; my garden; learning Spanish; a joke; a haiku; house plants; packing lists
        a wedding speech; board games for children; camping; dog training; a song lyric
        the best time to visit Japan; a cover letter; a thank-you note; a quiz about capitals
        ideas for a party; baking bread; a chess opening; knitting a scarf; the weather
        cleaning a sofa; a travel itinerary; a short story about a dragon; movie recommendations
        names for a cat; a crossword clue; a translation into French; photography tips; yoga mats
        the capital of Australia; the tallest mountain; world flags; a podcast script; hairstyles
        coffee brewing; moving to a new flat; a playlist; the Oscars; video games; a riddle
    """),
    "philosophy": _split("""
        Kant's categorical imperative; free will; utilitarianism; Plato's allegory of the cave
        the trolley problem; Descartes' doubt; existentialism; stoicism; the meaning of life
        moral relativism; the problem of evil; Nietzsche on morality; logical fallacies
        Aristotle's virtues; the mind-body problem; epistemology; social contract theory
        Buddhist ethics; the ship of Theseus; Hume on causation; personal identity; nihilism
        the ontological argument; Rawls' veil of ignorance; Wittgenstein on language; truth
        phenomenology; animal ethics; scepticism; Confucian virtue; deontology; absurdism
        whether lying is ever right; an argument ad hominem; modal logic; qualia; Spinoza
    """),
    "physics": _split("""
        Newton's laws; black holes; the double-slit experiment; the speed of light; entropy
        conservation of momentum; why the sky is blue; special relativity; electric fields
        a pendulum's period; quantum entanglement; radioactive decay; refraction in glass
        kinetic energy of a car; magnetic induction; the Doppler effect; projectile motion
        dark matter; standing waves on a string; buoyancy; nuclear fusion; the photoelectric effect
        heat conduction in metals; gravitational waves; friction on a slope; capacitors
        the expansion of the universe; angular momentum; superconductors; optics of lenses
        a ball thrown upwards at 20 m/s; Schrodinger's cat; tides and the moon; semiconductors
    """),
    "psychology": _split("""
        cognitive dissonance; attachment styles; classical conditioning; procrastination
        Maslow's hierarchy; social anxiety; memory and forgetting; confirmation bias
        Freud's defence mechanisms; the bystander effect; Piaget's stages; burnout at work
        how habits form; self-esteem in teenagers; grief; motivation; personality tests
        operant conditioning; the placebo effect on mood; emotional intelligence; phobias
        cognitive behavioural therapy; conformity experiments; dreams; attention span
        jealousy in a relationship; fear of public speaking; growth mindset; schizophrenia
        sibling rivalry; body image; the Stanford prison experiment; addiction; narcissism
        counselling techniques; group therapy; working memory; stereotypes; child development
    """),
}
"""Things that one can ask about, by domain."""

REQUESTS: Mapping[str, tuple[str, ...]] = {
    "biology": _split("""
        Why do cats' eyes glow in the dark?; How do trees get water up to their leaves?
        What is the difference between a virus and a bacterium?; Do plants sleep at night?
        I have to present a poster on cell division, what should be on it?
        My fern has brown spots: which organisms cause that?; How do snakes shed their skin?
        Which animals can regrow limbs, and how does it work?; Why are some mushrooms toxic?
        Explain how antibiotic resistance evolves in bacteria.; How old can turtles get and why?
        Can you check my lab notes on fruit fly crosses?; What do ribosomes do?
        What would happen to an ecosystem without wolves?; How is insulin made by E. coli?
        How much energy does a hovering bird burn?; How is a gene switched off in a cell?
        What eats a jellyfish?; Why do some plants eat insects?; Do fish feel the cold?
    """),
    "business": _split("""
        Write an e-mail to a client about a late delivery and offer a discount.
        Draft a reminder for an unpaid invoice, polite but firm.
        Please reply to this customer complaint about a damaged product.
        Prepare an agenda for tomorrow's meeting with our sales team.
        Summarise these meeting minutes and list the action items for the managers.
        Our revenue fell by 12 % this quarter. What should we tell the board?
        Write a message to the team announcing the new expense policy.
        Which accounting software suits a company with ten employees?
        How should I price my handmade candles so that I make a profit?
        Draft a proposal for a consulting project with a fixed fee.
        Hi Anna, could we move the call with the supplier to Thursday? Regards, Tom
        Compose a follow-up e-mail to a prospect after a product demo.
        Make a table of the pros and cons of outsourcing our customer support.
        How do I record a prepaid insurance expense in the books?
        Suggest five slogans and a campaign for our new coffee brand.
        Rewrite this e-mail to our distributor so that it sounds professional.
        Prepare talking points for my salary negotiation with HR.
        Give me a plan to hire two sales representatives in the next quarter.
        Tell our shareholders in one paragraph why margins improved.
        Write a social media post about the new branch of our shop.
        Plan next season's stock for a shoe store.; How do I calculate my markup on a product?
        Turn these notes into a memo for the heads of department.
        What do the profit margins of a restaurant look like?; Write a headline for our newsletter.
        Draft an offer for a new corporate client.; Where does this company plan to grow?
        Give me an outlook for the market for electric scooters.
        How do I set up a company as a freelancer?; Schedule a conference across three offices.
        Reply to the customer who asks for a refund.; Our vendor raised prices, write back to them.
        Analyse the attached figures for the management report.; Prepare the quarterly newsletter.
        Write a product description for a leather bag that sells.
    """),
    "chemistry": _split("""
        Can I mix vinegar and baking soda to clean a drain, and what reaction happens?
        Why does bleach with ammonia give off dangerous fumes, chemically?
        How much water do I add to dilute 5 M acid to 0.5 M?; Balance: Fe + O2 -> Fe2O3
        Why does copper turn green?; What makes fireworks colourful?
        Name this molecule: CH3-CH2-CO-CH3; What is the formula of sodium thiosulphate?
        My solution turned pink during titration, what does that mean?
        Why is ice lighter than water?; What is rust made of?; How are plastics made?
        Why does tea get lighter with lemon?; What does an acid do to limestone?
        How do I prepare 100 mL of a 1 M salt solution?; Which gas is in a fire extinguisher?
    """),
    "computer science": _split("""
        Write a Python function that removes duplicates from a list but keeps the order.
        Why does my loop never end?; My build fails with undefined reference to main.
        Review this pull request and tell me what could break.
        How do I undo the last commit without losing my changes?
        Convert this JavaScript to TypeScript.; Write unit tests for this class.
        Which database should I use for time series?; My website returns error 502.
        Write a SQL query that returns the ten best customers.; How do I centre a div?
        I get KeyError: 'user_id' when I run my script, help.; What does this stack trace mean?
        Refactor this function, it is too long.; How do I install Python on Windows?
        Explain what this regex does: ^[a-z0-9_-]{3,16}$; Implement quicksort in Rust.
        Write a bash script that renames all files in a folder.; npm install hangs, what now?
        How do I fine-tune a transformer on my own data?; What is the difference between 4G and 5G?
        Create an HTML page with a contact form.; My laptop shows a blue screen, how do I debug it?
        Add logging to this service.; Write a Dockerfile for a Django app with Postgres.
        Optimise this query, it takes 30 seconds.; Design a URL shortener.
        How do I protect my server against SQL injection?; Explain this diff to me.
        Write a VBA macro that sorts a sheet.; Give me an Excel formula that counts unique values.
        what's a good way to store passwords in a db; make me a snake game in python
        Generate a login screen for a mobile app.; Which characters are allowed in a URL?
        What's new in the latest release of this Linux distribution?
        How does virtual reality work in the browser?; Explain caching to a manager.
        My phone says storage full, how do I free space?; Build me a landing page with a headline.
        How do I change the screen resolution?; How do I restore files on my server after a restart?
        What is cross-validation?; How do I reset my router?; Is blockchain useful?
    """),
    "economics": _split("""
        Why is everything more expensive than two years ago?
        Should the government raise the minimum wage? Give the arguments of economists.
        What happens to a currency when the central bank cuts rates?
        How do economists measure inequality?; Why do some countries stay poor?
        Would a wealth tax slow down growth?; What causes a housing bubble?
        Explain to a teenager why printing money makes prices rise.
        How did oil prices influence the world economy?; What is stagflation?
        Define consumer surplus.; What is a supply shock?; Explain the tragedy of the commons.
        How do tariffs hurt consumers?; Is crypto changing how central banks work?
    """),
    "engineering": _split("""
        What size of wire do I need for a 32 A circuit over 20 metres?
        My drone's motors overheat, what should I check in the design?
        Calculate the load on a shelf bracket that holds 40 kg.
        Which steel should I choose for an outdoor staircase?; How does a heat pump work?
        How do I choose a capacitor for a power supply?; Design a water tank for 500 litres.
        Why does my 3D printed gear break?; Explain how a car's gearbox works.
        How thick must a retaining wall be?; Which microcontroller pins drive a stepper motor?
        How do I read a circuit diagram?; What is the efficiency of a Carnot engine at 500 K?
        How strong must the hook of a crane be?; What timber do I need for a garden bridge?
        How does an electric car recover energy?; How are tunnels kept dry?
        What is the safe load of this rope?; Which pump lifts water 15 metres?
    """),
    "health": _split("""
        I have had a sore throat for five days, should I see a doctor?
        My daughter has a temperature of 39 degrees, what can I give her?
        Can I take ibuprofen together with my blood pressure tablets?
        What can I eat when I have gout?; I feel dizzy when I stand up, why?
        How long is the flu contagious?; Is it normal that my knee clicks?
        My father's blood test says creatinine 1.9, what does it mean?
        What helps against hay fever?; I burned my hand on the stove, what now?
        How much water should I drink a day?; Is intermittent fasting healthy?
        I am pregnant and have a cold: which medicine is safe?
        What are early symptoms of appendicitis?; Which exercises help with neck pain?
        My period is two weeks late, what could be the reason?; Can stress cause hair loss?
        I slept badly all week and my heart races. What should I do?
        Does this mole look dangerous? It has grown lately.
        What does a high TSH value mean?; How do I look after a small cut?
        What are the steps of resuscitation?; How is chronic pain treated?
        How did the measles outbreak spread, and how is it contained?
        What sport is good for someone with bad hips?; How many steps a day are healthy?
        My mother takes blood thinners and fell. What should we watch for?
        Which vitamins do vegetarians lack?; Are these pills safe while breastfeeding?
        I have a ringing in my ears since the concert.; How do I recognise a concussion?
        How is skin cancer noticed early?; What can I do against nausea on a ship?
    """),
    "history": _split("""
        Who was the first emperor of China?; When did the Second World War end in Asia?
        Write an essay on the causes of the Russian Revolution.
        What did people eat in medieval England?; Why did the Maya cities collapse?
        How did the printing press change Europe?; Tell me about daily life in ancient Rome.
        Make a timeline of the Cold War.; Who built Stonehenge, and when?
        What was life like for women in Victorian London?; Why did Rome fight Carthage?
        What were the reforms of the progressive politicians around 1900?
        Who won the Battle of Hastings?; What was the aim of the League of Nations?
        How did the town grow after it was founded in the 17th century?
        Which countries did the Soviet Union control?; Why was Caesar murdered?
    """),
    "law": _split("""
        My employer fired me without notice, is that legal?
        My neighbour's tree fell on my fence. Who has to pay?
        Can I return a laptop that broke after three months?
        What should be in a contract between two freelancers?
        Is it legal to record a phone call?; Can my landlord enter my flat without asking?
        I received a cease and desist letter, what should I do?
        Do I have to pay a parking fine from abroad?; Can I use this song in my video?
        The airline cancelled my flight: what compensation am I entitled to?
        My ex does not pay child support, what are my rights?
        Explain this clause: the parties shall indemnify and hold harmless each other.
        How do I appeal against a court decision?; Am I liable if a guest slips on my stairs?
        Can the police search my car without a warrant?; Check this lease for unusual terms.
        Can I withdraw from a purchase that I made at the door?
        My landlord says that I must leave in two weeks. Is that allowed?
        How much notice do I have to give before I move out of my flat?
        The shop refuses to repair my washing machine under warranty.
        Do I have to tell my employer about my side job, by law?
        What happens to shared debts in a divorce?; Do I inherit if there is no testament?
        How do I object to a decision of the social security office?
        Which rights do citizens have under the state constitution?
        May the government read my messages without a court order?
        Someone uses my logo without permission. How do I stop them?
        My contract renews every year on its own, how can I get out of it?
        I had an accident with a rental car. Do I have to pay for the damage?
        Can my boss make me work on public holidays?; Who is responsible if my dog bites someone?
        My deposit has not been paid back three months after I moved out.
        Is a verbal agreement binding?; What is the penalty for driving without insurance?
    """),
    "math": _split("""
        Solve 2x^2 - 5x + 2 = 0.; What is 23 * 47?; Simplify (a+b)^2 - (a-b)^2.
        If a shirt costs 40 euros after a 20% discount, what was the price before?
        A train leaves at 9 with 80 km/h, another at 10 with 100 km/h: when do they meet?
        How many ways can 5 people sit around a table?; Prove that sqrt(2) is irrational.
        Find the area between y = x^2 and y = x.; Is 221 a prime?; Integrate x e^x dx.
        I have 3 red and 5 blue balls. What is the chance to draw two red ones?
        Help my son with fractions: 1/2 + 1/3; What's the next number: 2, 6, 12, 20?
        Find the determinant of [[1,2],[3,4]].; Convert 0.375 to a fraction.
        Split a bill of 84.60 among four people with a 10% tip.
        What is 7% of 900?; Explain the product rule with an example.
        What's a third of 96?; How do I add two vectors?; Calculate 3/4 of 52.
    """),
    "other": _split("""
        Hi!; hey there; Hello, how are you today?; Good morning; Thanks, that's all.; ok thanks
        What can you do?; Who are you?; Tell me a joke.; I'm bored.; Sing me a song; lol
        What should I cook tonight with eggs and tomatoes?; What's your favourite colour?
        Write a poem for my wife's birthday.; Write a short story about a lonely lighthouse.
        Proofread this paragraph and correct the spelling.; Make this text sound friendlier.
        Translate "good night" into Italian.; Rewrite this sentence in simpler words.
        Summarise the following article in three sentences.; Shorten this text to 50 words.
        Recommend three films for a rainy evening.; Plan a five-day trip to Rome with children.
        What should I wear to a summer wedding?; Where can I go hiking near Munich?
        How do I get a red wine stain out of a carpet?; Who won the world cup in 2014?
        What is the capital of Canada?; Give me ideas for a Halloween costume.
        Write a cover letter for a job as a nurse.; Help me with my CV.; Write a wedding toast.
        Suggest a name for my puppy.; What's the weather like?; Play a word game with me.
        How long do I boil an egg?; My best friend is moving away, write her a goodbye card.
        Which instrument should a child learn first?; What does "break a leg" mean?
        Give me a title for my blog post about autumn.; How are you feeling?; Nice, thank you!
        Describe a sunset in the style of Hemingway.; Create a quiz about animals in films.
        How do I grow tomatoes on a balcony?; Tell me something interesting.; Good night!
        Correct the grammar: he go to school every days.; Find a rhyme for orange.
        What time is it in Tokyo?; How do I fold a fitted sheet?; Which car should I buy?
        Improve the style of my text below.; Turn these notes into a diary entry.
        What is the plot of Hamlet?; Explain the offside rule.; bye; sorry, wrong window
        Continue the story: the door opened and nobody was there.; Are you a human?
        What news is there today?; Which museums in Paris are free?; How do I make a paper plane?
        How do I bake a cheesecake?; What do I do with leftover rice?; How do I peel a mango?
        Give me a recipe for vegetable curry.; I need a menu for twelve guests.
        Write the blurb of my cookbook.; How do I get rid of moths in the wardrobe?
        How do I clean the chain of my bicycle?; Who is the singer of this band?
        What is the best class to play in an online role-playing game?
        When does the next season of the series start?; Describe the career of a hockey player.
        Describe a village in the mountains in three sentences.; Who is the actress in the film?
        What do people believe about black cats?; Tell me about star signs.
        How do I do a card trick?
        When do I use the subjunctive in Spanish?; What is the plural of octopus?
        Which word means to walk slowly?; What did the referee do wrong in the match?
        Review the album for me.; Write a script for a short video about hats.
        Correct my letter to my aunt.; How do I decorate the living room for spring?
        Continue this story with the following facts.; Write an e-mail with the subject hello.
        How do I tie a tie?; Where is this town and how big is it?; Describe the plot of a comic.
        How do I get to the airport by bus?; What is there to do in Hamburg in winter?
        What happened in yesterday's game?; Suggest colours for a child's room.
    """),
    "philosophy": _split("""
        Is it wrong to eat meat if animals do not suffer?; What makes an action moral?
        Do we have free will if the brain is deterministic?; What is the good life?
        Would you pull the lever in the trolley problem, and why?
        What did Socrates mean by knowing that he knows nothing?; Does God exist?
        Is this argument valid: all men are mortal, Socrates is a man, so he is mortal?
        Explain the difference between knowledge and belief.; Can a machine have a mind?
        Which fallacy is it when someone attacks the speaker instead of the argument?
        Is beauty in the eye of the beholder?; Why is there something rather than nothing?
        Explain determinism.; What is consciousness for?; Would a copy of me be me?
        What is the difference between being and seeming?; Is it fair to break a rule for a friend?
    """),
    "physics": _split("""
        Why do astronauts float?; How fast does an apple fall after two seconds?
        Why can't anything be faster than light?; How does a microwave heat food?
        What is the force on a 2 kg block that accelerates at 3 m/s^2?
        Why is the sunset red?; What is a Higgs boson?; How do magnets work?
        How much energy is in a lightning bolt?; Why does a spoon look bent in water?
        What would happen if you fell into a black hole?; How do planes stay in the air?
        Why does a metal chair feel colder than a wooden one?; What is a neutron star?
    """),
    "psychology": _split("""
        Why do I keep putting things off, and how can I stop?
        How do I deal with a friend who is always negative?
        I feel anxious before every exam. Which techniques help?
        Why do people believe conspiracy theories?; How can I build better habits?
        My child has tantrums in the supermarket, how should I react?
        What is the difference between a psychologist and a psychiatrist?
        I feel lonely since I moved, what can I do?; Why do we dream?
        How do I say no without feeling guilty?; What does it mean to be introverted?
        My partner and I argue every day, how do we communicate better?
        Explain Pavlov's experiment with dogs.; Why do we forget names so easily?
        How do I stay motivated when I study alone?; What is imposter syndrome?
        I can't concentrate and get nothing done, any advice?
        How does a relationship survive over a distance?; How do I get over a break-up?
        Why am I afraid of failing?; What is the purpose of crying?
        How do I calm down when I am angry?; Why does my colleague take everything personally?
    """),
}
"""Whole requests as people write them, by domain."""
