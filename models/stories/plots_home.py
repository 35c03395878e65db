"""Plots about home: lost things, mistakes, learning, meals, nights and birthdays."""

PLOTS = [
    ("lost_toy", "h:hero g:grown o:toy p:place", [
        "{@open} {h.his} favorite toy was a {o.full}. ({h} took it everywhere.|{h.he} played "
        "with it every day.|{h.he} even took it to bed.|It was a gift from {g}.)",
        "{@oneday}, {h} could not find {h.his} {o}. {h.he} looked {*room}. ({h.he} looked "
        "{*room} too|Then {h.he} looked {*room}), but the {o} was not there. {@sad:h} \"Where is "
        "my {o}?\" ({h.he} said|{h} cried|{h.he} asked). (\"Did you see my {o}, {g.call}?\" {h} "
        "asked {g}.|{h} ran to {g} and asked for help.|{g.n} saw that {h} was sad. \"What is "
        "wrong?\" {g.he} asked. \"I lost my {o},\" said {h}.)",
        "({g} said, \"Do not worry. Let's look together.\"|\"Do not be sad,\" said {g}. \"We "
        "will find it.\"|\"Let's think,\" said {g}. \"Where did you play with it last?\"|\"Where "
        "were you yesterday?\" asked {g}.) ({h} thought hard. \"I was {p.at}!\" {h.he} said.|{h} "
        "remembered that {h.he} had played {p.at}.|\"Maybe I left it {p.at},\" said {h}.) (So "
        "they|They|Together they) went {p.to}. They looked {p.spot2}. (It was not there|They did "
        "not see it|No {o} there). Then they looked {p.spot}. (There it was|And there was the "
        "{o.full}|There was the {o}, all safe)!",
        "{@happy:h} (\"Thank you, {g.call}!\" {h.he} said.|{h.he} hugged {h.his} {o} and gave "
        "{g} a kiss.|\"I found it!\" {h.he} shouted.) (From that day on, {h} always put {h.his} "
        "{o} away.|\"Next time, I will take good care of it,\" said {h}.|{h} and {g} walked "
        "home, hand in hand.|{@lesson} it is good to take care of your things.){@bye}",
    ]),
    ("broken", "h:child g:grown t:thing o:toy", [
        "{@open} {@oneday}, {h} was playing with {h.his} {o} (inside the house|in the kitchen|in "
        "the living room). {g} said, \"(Be careful|Please be careful|Please play outside), "
        "{h}.\" But {h} did not (listen|hear|stop).",
        "(Suddenly|Then|All of a sudden), {h} bumped into the table, and {g.s} {t.full} fell (on "
        "the floor|to the floor|down). (Crash|Smash|Bang)! The {t} broke into (two|three|many) "
        "pieces. {@scared:h} {h.he} hid the pieces {*room}.",
        "(Later|Soon|In the evening), {g} came in and asked, \"(Where is my {t}|What happened to "
        "my {t}|Have you seen my {t})?\" {h} looked at {h.his} feet. {h.he} wanted to (say "
        "nothing|run away|tell a lie), but {h.he} felt bad inside. (\"I broke it,\" {h.he} said. "
        "\"I am so sorry.\"|\"I am sorry, {g.call},\" said {h}. \"I broke it when I was "
        "playing.\")",
        "{g} (was quiet for a moment|took a deep breath|looked at {h}). Then {g.he} (smiled|gave "
        "{h} a hug). \"(Thank you for telling me the truth|I am glad you told me|It was brave to "
        "tell the truth),\" {g.he} said. \"(We can fix it together|A {t} is only a thing|We can "
        "glue it).\" So they (got some glue|sat at the table) and put the {t} back together. "
        "{@happy:h} {@lesson} it is (always best|good|important) to tell the truth.{@bye}",
    ]),
    ("baking",
     "h:hero g:grown fd:=cake/pie/bread/cookies/pancakes/muffins i:=flour/sugar/milk/eggs", [
        "{@open} {@oneday}, {h} (was hungry|wanted to make something|wanted to bake {fd}). \"Can "
        "we make (some|) {fd}, {g.call}?\" asked {h}. \"(Yes, let's do it|What a good idea|That "
        "sounds yummy)!\" said {g}.",
        "They went to the kitchen. {h} put (the |){i} (in|into) a (big|blue|yellow|large) bowl. "
        "{h.he} (mixed and mixed|stirred and stirred|mixed it with a big spoon). But (then the "
        "bowl fell|then {h.he} dropped the bowl|the bowl was too heavy, and it fell). (Oh no|"
        "Splash|Plop)! There was {i} (on the floor|everywhere|on {h.his} nose). {@sad:h} \"I "
        "made a mess,\" {h.he} said.",
        "(But {g} only laughed.|But {g} was not angry.|{g} smiled at {h}.) \"(It is okay|Do not "
        "cry|Do not worry|Everyone makes mistakes),\" {g.he} said. \"(Let's clean up and try "
        "again|We can clean it up and start again).\" So they (cleaned the floor|cleaned up the "
        "mess) and tried again. This time, {h} held the bowl with both hands.",
        "Soon the {fd} went into the hot oven. The kitchen smelled so (good|sweet|nice). (They "
        "waited and waited.|{h} looked through the glass.|{h} could not wait.) At last, {g} took "
        "the {fd} out.",
        "{h} took a bite. \"(Yum|Mmm|Wow)! (I love {fd}|We did it|So sweet)!\" {h.he} said. {g} "
        "(smiled|laughed|took a bite too). {@proud:h} (They ate the {fd} together.|They kept "
        "some {fd} for the next day.|{@lesson} you can always try again.){@bye}",
    ]),
    ("noise", "h:hero g:grown a:small", [
        "{@open} One night, {h} (was in bed|could not sleep|lay in {h.his} bed). (It was very "
        "dark.|The moon was behind the clouds.|The house was quiet.|The wind blew outside.) "
        "(Suddenly|Then), {h.he} heard a (strange|funny|soft|scary) noise. (Tap, tap, tap!|"
        "Scratch, scratch, scratch!|Bump, bump, bump!) {@scared:h}",
        "\"(What is that|Who is there|Is it a monster)?\" {h.he} (whispered|asked). Nobody "
        "answered. {h} pulled the blanket over {h.his} head. (But the noise came again|Then "
        "{h.he} heard it again). (\"{g.call}! {g.call}!\" {h.he} called.|{h} ran to {g}. \"I "
        "hear a monster!\" {h.he} said.|{h} called for {g}.) {g} came (quickly|in|with a lamp|"
        "with a small light). \"Let's look together,\" {g.he} said.",
        "They (walked slowly|went|tiptoed) to the (window|door|closet). {h} held {g.s} hand. "
        "They opened it, and (there was|what did they see? It was|they saw) a (little|tiny|small|"
        "wet) {a.kind}! (It was cold and alone|It wanted to come in|It was looking for food|It "
        "only wanted to play). {h} (laughed|began to laugh|smiled). \"You are not a monster!\" "
        "{h.he} said. \"You are (just a {a.kind}|only a little {a.kind})!\"",
        "{h} gave {a} (some food|some milk|a warm blanket|a bit of bread). (Soon it|It|The "
        "{a.kind}) fell asleep (in a box|by {h.his} bed|next to {h}). {h} was not (scared|"
        "afraid) anymore. {@lesson} (the dark is not so scary|many scary things are not scary at "
        "all|it is good to look before you are afraid).{@bye}",
    ]),
    ("cookie_lie", "h:child g:grown fd:=cookie/muffin/cake/pie/pancake", [
        "{@open} {@oneday}, {g} made a (big|sweet|special|nice) {fd} for (dinner|a party|a "
        "friend|the neighbors). \"Please do not eat it (now|yet),\" said {g}. \"It is for "
        "later.\"",
        "{h} looked at the {fd}. It (smelled|looked) so good. ({h.he} tried to play with {h.his} "
        "toys|{h.he} tried to think of something else|{h.he} walked away), but {h.he} could not "
        "forget the {fd}. {h.he} took (one small bite|a little bite). Then {h.he} took (another|"
        "one more). Soon the {fd} was (all gone|gone).",
        "{g} came back. \"Who ate the {fd}?\" {g.he} asked. \"(The dog ate it|The cat did it|It "
        "was the dog|I do not know),\" said {h}. But there were crumbs on {h.his} (face|shirt|"
        "nose|chin). {h} also had a tummy ache. (\"I am sorry,\" {h.he} said. \"I ate it.\"|{h} "
        "began to cry. \"It was me,\" {h.he} said. \"I am sorry.\")",
        "{g} sat down next to {h}. \"(I am not happy that you ate it|You should have waited), "
        "but I am glad that you told the truth,\" {g.he} said. (\"How can I help?\" asked {h}.|"
        "\"Can we make a new one?\" asked {h}.) Together they made a new {fd}. This time, {h} "
        "waited until (dinner|later|everyone was there). It tasted even better. {@lesson} (it is "
        "good to wait|telling the truth feels better than telling a lie).{@bye}",
    ]),
    ("birthday", "h:hero f:friend g:grown o:toy fd:foods", [
        "{@open} (Today was {h.s} birthday.|It was {h.s} birthday.|{@oneday}, it was {h.s} "
        "birthday.) {h} woke up early. \"(Today is my birthday|It is my birthday)!\" {h.he} "
        "(said|shouted|sang). But nobody (answered|was there|said happy birthday). {@sad:h}",
        "{h} went to see {h.his} friend {f}. \"(Hello, {f}|Hi, {f})! (Do you know what day it is|"
        "Do you want to play)?\" {h.he} asked. \"(I am sorry, I am busy today|Not now, I have "
        "work to do|I cannot play now),\" said {f}. {h} walked (slowly home|home with {h.his} "
        "head down|back home). \"Everyone forgot my birthday,\" {h.he} thought.",
        "(When {h} opened the door|When {h.he} came home|But when {h.he} went inside), it was "
        "dark. (Then|Suddenly), the lights came on. \"Surprise!\" shouted {f} and {g}. There "
        "were balloons, (a big cake|{fd.n}|games), and presents. (\"We did not forget!\" said "
        "{f}.|\"Happy birthday, {h}!\" they all sang.|\"We wanted to surprise you,\" said {f}.)",
        "{f} gave {h} a box with a (red|blue|green|big) ribbon. {h} opened it. Inside was a "
        "{o.full}! \"(I love it|It is just what I wanted|Thank you, {f})!\" said {h}. They (ate "
        "{fd.some} and played games|sang and danced|played {*game} and ate {fd.some}) until "
        "(dark|night|the sun went down). {@happy:h} (It was the best birthday ever.|{h} had the "
        "best friends in the world.){@bye}",
    ]),
    ("bedtime", "h:hero g:grown", [
        "{@open} One night, {h} could not sleep. {h.he} (turned to the left and to the right|"
        "counted to ten|closed {h.his} eyes|counted sheep), but {h.he} was still awake. "
        "\"{g.call}, I cannot sleep,\" said {h}.",
        "{g} (came in and sat on the bed|sat down by the bed|came to {h.s} room). (\"Would you "
        "like some warm milk?\" {g.he} asked. {h} drank the milk, but {h.he} was still not "
        "sleepy.|\"Shall I sing a song?\" {g.he} asked. {g} sang a soft song, but {h} was still "
        "awake.|{g} gave {h} a soft blanket, but it did not help.) (\"Then I will tell you a "
        "story,\" said {g}.|\"Tell me a story, please,\" said {h}.)",
        "{g} told a story about (a brave mouse who sailed across the sea|a star that fell into a "
        "lake|a bear who wanted to fly|a little boat that was lost in the fog|a cloud that was "
        "afraid of heights|a tree that wanted to walk|a king who lost his crown|a dragon who was "
        "scared of fire). {h} listened (quietly|with big eyes|and listened). In the story, "
        "(everyone was kind|everything ended well|they all found their way home|the friends "
        "helped each other). (Slowly, {h.s} eyes began to close.|{h} yawned a big yawn.|{h.he} "
        "felt warm and safe.)",
        "(When the story was over, {h} was fast asleep.|Before the story ended, {h} was asleep.|"
        "\"Good night,\" {h} whispered. Then {h.he} fell asleep.) {g} (kissed {h} on the head|"
        "turned off the light|smiled) and (whispered, \"Sweet dreams.\"|said, \"Good night, "
        "little one.\") (All night long, {h} dreamed of the story.|Outside, the moon was "
        "shining.|And {h} slept all night.){@bye}",
    ]),
    ("sick_friend", "h:hero f:friend g:grown fd:=soup/tea/honey/fruit", [
        "{@two} {@oneday}, {f} did not come (out to play|to play). {h} waited and waited. "
        "\"Where is {f}?\" {h} asked. \"{f} is sick (today|in bed),\" said {g}. {@sad:h}",
        "{@idea:h} \"(I will bring|Let's bring|I want to take) {f} some {fd}!\" {h.he} said. {g} "
        "helped {h} (make it|to get it ready). {h} also (picked a {*flower}|drew a picture|made "
        "a card|found a good book) for {f}. Then {h} (walked|ran) to {f.s} house and knocked on "
        "the door. (Knock, knock!|)",
        "{f} was in bed. {f.his} nose was red and {f.he} looked (tired|sad|pale). \"Hello, {f}! "
        "I brought you some {fd},\" said {h}. {f} tried it. \"(It is so good|This is yummy|It is "
        "warm and sweet)!\" {f.he} said. {h} (read a story|told funny jokes|sang a little song|"
        "sat by the bed) and {f} began to (smile|laugh|feel better).",
        "(The next day|After a few days|Soon), {f} (was well again|felt much better). "
        "{@thanks:f} \"(That is what friends are for|I am glad you are better|I missed you),\" "
        "said {h}. {@friends_end}",
    ]),
    ("chores", "h:child g:grown f:child p:place", [
        "{@open} {@oneday}, {h} wanted to go {p.to} with {h.his} friend {f}. But {g} looked very "
        "tired. \"I have so much work to do,\" said {g}. \"I must {*chore} and cook dinner.\"",
        "{h} looked at {g}, and then {h.he} looked at the door. (\"I can play later,\" {h.he} "
        "thought.|{h.he} wanted to play, but {h.he} wanted to help too.) \"I will help you, "
        "{g.call}!\" said {h}. {h.he} began to {*chore}. (It was hard work|It took a long time|"
        "{h} worked and worked), but {h} did not stop.",
        "Then {f} came to the door. \"{h}, (are you coming|why are you not outside)?\" asked "
        "{f}. \"(I am helping {g}|I have to finish first|I want to help {g} first),\" said {h}. "
        "\"Then I will help too!\" said {f}. Together they (worked fast|sang while they worked|"
        "made a game of it|laughed while they worked). Soon all the work was done.",
        "\"Thank you both!\" said {g}. \"You are (wonderful|great|such good) helpers.\" {g.he} "
        "gave them (some cookies|some apples|a piece of cake|a big hug), and they all went "
        "{p.to} together. They (played {*game}|played and laughed) until (evening|it was dark). "
        "{@lesson} (work is fun when friends help|it feels good to help|many hands make work "
        "easy).{@bye}",
    ]),
    ("drawing", "h:child f:friend g:grown", [
        "{@open} {@oneday}, {h} sat at the table with (paper and paint|some paper and a box of "
        "crayons). {h.he} wanted to draw a (picture of {f}|big dragon|horse|castle|ship|"
        "rainbow). {h.he} drew and drew. But then {h.he} looked at {h.his} picture. \"(It is not "
        "good|It looks silly|I made a mistake),\" {h.he} said. {@sad:h}",
        "{h.his} friend {f} came to see {h}. \"What is wrong?\" {f.he} asked. \"I cannot draw,\" "
        "said {h}. \"Look, there is a big (spot|blot|blue line) on it.\" {f} looked at the "
        "picture and smiled. \"(I think it looks like a cloud|That could be a bird|It could be a "
        "funny hat|Maybe it is a little boat),\" said {f}. \"(Let's add some color|You can make "
        "it part of the picture).\"",
        "{h} took the {*color} (crayon|paint) and (drew a few lines|began to draw again). {f} "
        "helped with the {*color} (crayon|paint). (Soon|After a while), the picture was (full of "
        "color|better than before|beautiful). \"(Wow|Look)! (Now it is the best picture ever|We "
        "did it|I love it)!\" said {h}.",
        "{h} showed it to {g}. {g} (put it on the wall|hung it by the door|clapped {g.his} "
        "hands) and said, \"(I love it|It is beautiful|How lovely)!\" {@proud:h} {@lesson} (a "
        "mistake can become something beautiful|you should not give up|friends can help you see "
        "things in a new way).{@bye}",
    ]),
    ("dentist", "h:child g:grown w:=doctor/dentist", [
        "{@open} {@oneday}, {h} had a (bad |)pain in {h.his} (tooth|mouth). \"(It hurts|Ow)!\" "
        "{h.he} (cried|said). \"We must go to the {w},\" said {g}. {@scared:h} \"I do not want "
        "to go!\" said {h}.",
        "{g} held {h.s} hand. \"(I will be with you|I will stay with you|You can hold my "
        "hand),\" {g.he} said. \"(It will be quick|The {w} is kind|The {w} only wants to "
        "help).\" So they went to see the {w}. The {w} had (a kind smile|a soft voice|a funny "
        "hat|big glasses). \"Hello, {h},\" said the {w}. \"(Can you open your mouth|Can you say "
        "ah|May I take a look)?\"",
        "{h} (closed {h.his} eyes|held {h.his} {g.word}'s hand|took a deep breath) and opened "
        "{h.his} mouth. The {w} looked (here and there|very carefully|with a little light). "
        "\"(All done|We are done|That is all)!\" said the {w}. {h} was surprised. \"It did not "
        "hurt at all!\" {h.he} said.",
        "\"You were very brave,\" said the {w}, and gave {h} a (sticker|small toy|star|balloon). "
        "{@proud:h} \"(I am not scared of the {w} anymore|Next time I will not be afraid),\" "
        "said {h}. {g} smiled and they went (home|to get ice cream|to the park) together.{@bye}",
    ]),
    ("new_baby", "h:child g:grown b:=Max/Mimi/Lulu/Teddy/Rosie/Baby_Joe/Baby_Ann", [
        "{@open} {@oneday}, {g} came home with a new baby. The baby's name was {b}. {b} was so "
        "small! (Everyone looked at the baby.|Everyone wanted to hold the baby.) But nobody "
        "looked at {h}. {@sad:h}",
        "\"(Do you still love me|Will you play with me|Can we read a book), {g.call}?\" asked "
        "{h}. \"(Of course I love you|I love you very much),\" said {g}. \"But the baby needs "
        "(milk|to sleep|help) now.\" {h} went to {h.his} room and (sat on the bed|shut the door|"
        "played alone).",
        "Then {b} began to cry. {g} (sang|rocked the baby|gave the baby some milk), but {b} "
        "cried and cried. {h} came out of {h.his} room. {h.he} (made a funny face|sang a little "
        "song|showed the baby a {*color} toy|put a soft bear next to the baby). (Suddenly|At "
        "once), {b} stopped crying. The baby looked at {h} and (smiled|laughed)!",
        "\"{b} likes you!\" said {g}. \"You are (a wonderful|the best|a very good) big "
        "{h.sib}.\" {@proud:h} From that day on, {h} helped {g} with the baby every day. "
        "{@lesson} there is (always enough love|enough love for everyone).{@bye}",
    ]),
    ("pet_care",
     "h:child g:grown a:=kitten/puppy/rabbit/squirrel/hedgehog/duckling "
     "n:=Max/Snowy/Socks/Dusty/Peanut/Teddy/Cookie/Star/Lucky", [
        "{@open} {h} wanted a pet. \"Please, {g.call}, can I have a pet?\" {h.he} asked (every "
        "day|again and again). {@oneday}, {g} came home with a (box|basket). Inside was a (tiny|"
        "little|soft) {a.kind}! \"(It is yours|This is your new friend),\" said {g}. \"But you "
        "must take care of it.\" {@happy:h} {h} named it {n}.",
        "At first, {h} played with {n} all day. {h.he} gave {n} food and water. But (after a few "
        "days|one day), {h} wanted to (play with {h.his} friends|watch a show|play a new game). "
        "{h.he} forgot to feed {n}. That night, {n} (was very quiet|looked sad|did not want to "
        "play|was hungry and weak).",
        "{h} looked at {n}. \"Oh no! I forgot you!\" {h.he} said. {@sad:h} {h} ran to get food "
        "and fresh water. {n} ate and ate. \"I am sorry, {n},\" said {h}. \"I will never forget "
        "you again.\" {n} (licked {h.his} hand|sat on {h.his} lap|came close to {h.him}|looked "
        "at {h.him} with bright eyes).",
        "From that day on, {h} fed {n} every morning. ({h.he} made a list and put it on the "
        "wall.|{h.he} made a soft bed for {n}.|{h.he} brushed {n} every night.) {g} was proud of "
        "{h}. {h} and {n} became (best friends|the best of friends). {@lesson} (a friend needs "
        "care every day|love means taking care of each other).{@bye}",
    ]),
]
