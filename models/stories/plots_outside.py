"""Plots about the world outside: weather, animals, gardens, journeys and finds."""

PLOTS = [
    ("kite_tree", "h:child f:child o:=kite/ball/balloon/toy_plane/hat p:place c:color", [
        "{@open} {@oneday}, {h} went {p.to} with {h.his} {c} {o}. {@sky} (The wind was strong.|A "
        "big wind came.|The wind began to blow.) (Whoosh! |)The wind took the {o} and (carried "
        "it|blew it|lifted it) up into a tall tree. \"(Oh no|No, no|Come back)!\" cried {h}. "
        "\"My {o} is stuck!\"",
        "{h} jumped and jumped, but {h.he} could not reach it. {h.he} (threw a stick|shook the "
        "tree|tried to climb the tree), but (it did not help|that did not work|the {o} did not "
        "move). {@sad:h} (Then {f} came by|Just then, {h.his} friend {f} came|A {f.kind} named "
        "{f} saw {h.him}). \"(Why are you sad|What is wrong|What happened)?\" asked {f}. \"My "
        "{o} is in the tree, and I cannot reach it,\" said {h}.",
        "{f} looked up at the tree. {@idea:f} \"(You can stand on my back|Let's get a long stick|"
        "Let's find a ladder|I can lift you up),\" {f.he} said. They tried it together. {h} "
        "reached (higher and higher|up as high as {h.he} could). At last, (the {o} came down|"
        "{h.he} got the {o}|{h.he} had the {o} in {h.his} hands)!",
        "{@thanks:h} \"(Do you want to play with me|Would you like to play|Let's play "
        "together)?\" asked {h}. {@happy:f} They played with the {c} {o} all (day|afternoon). "
        "{@friends_end}",
    ]),
    ("hurt_bird",
     "h:hero g:grown p:place "
     "a:=bird,wing,fly/bird,wing,fly/owl,wing,fly/duckling,foot,swim/"
     "rabbit,leg,hop/squirrel,paw,climb", [
        "{@open} {@oneday}, {h} was walking {p.at}. {@sky} {h.he} heard a (small|soft|sad) "
        "sound. {h} looked {p.spot} and found a little {a}. It could not {a.c}. Its {a.b} was "
        "hurt. \"(Oh, you poor thing|Poor little {a}|Do not be afraid),\" said {h}.",
        "{h} (picked it up gently|held it in both hands|wrapped it in a scarf) and (took|"
        "carried) it home. \"{g.call}, look! This {a} is hurt. Can we help it?\" {h.he} asked. "
        "\"(Yes, but we must be gentle|We can try|Of course),\" said {g}. They (put|tied) a "
        "(soft|white|little) cloth on its {a.b} and made a (warm|soft|cozy) bed in a box.",
        "Every day, {h} gave the {a} (water and food|seeds and water|fresh water and bread). "
        "{h.he} (sang to it|talked to it|told it stories). (Day by day|Slowly), the {a} (got "
        "better|grew strong). (One morning|After a week|Then one day), it could {a.c} again! "
        "\"(It is time to let it go|It wants to go home|It should be free),\" said {g}. {h} was "
        "a little sad, but {h.he} knew {g} was right.",
        "They went back {p.to}. {h} opened (the box|{h.his} hands). \"Goodbye, little {a}!\" "
        "{h.he} said. The {a} looked back (once|at {h}) and then it was gone. (The next day|In "
        "the spring|A few days later), {h} heard a sound at the window. It was the {a}! It came "
        "to (say hello|visit {h}|say thank you). {@happy:h}{@bye}",
    ]),
    ("seed", "h:hero f:friend g:grown s:=flower/flower/sunflower/pumpkin/tree/carrot/rose", [
        "{@open} {@oneday}, {g} gave {h} a (small|tiny|little) seed. \"What is it?\" asked {h}. "
        "\"(Plant it and you will see|Put it in the ground and wait|It is a surprise),\" said "
        "{g}. {h} (dug|made) a (small|little) hole in the garden and put the seed in. Then "
        "{h.he} gave it some water.",
        "The next day, {h} ran to the garden. There was (nothing|only brown dirt|no plant) "
        "there. \"(Where is my plant|Why is it not growing)?\" {h.he} asked. \"(You have to wait|"
        "Plants need time|Be patient),\" said {g}. {h} watered the seed every (day|morning). "
        "{h.his} friend {f} (laughed and said, \"It will never grow.\"|said, \"Maybe it is only "
        "a stone.\"|came to look too.) But {h} did not give up.",
        "It rained, and the sun came out. (One morning|Then one day|After many days), {h} saw (a "
        "tiny green leaf|something small and green)! \"(Look|Come and see|It is growing)!\" {h} "
        "shouted. (Day after day|Every day), the plant grew (bigger and bigger|taller and "
        "taller). At last, it was a (big|beautiful|tall) {s}.",
        "{@proud:h} {f} said, \"(Wow, it is beautiful|You were right|I want to plant a seed "
        "too)!\" {h} gave {f} a new seed, and they planted it together. {@lesson} good things "
        "(take time|need time to grow|come to those who wait).{@bye}",
    ]),
    ("lost_way", "h:hero g:grown f:animal w:=butterfly/bird/rabbit/bee/dragonfly", [
        "{@open} {@oneday}, {h} went for a walk in the (forest|woods) with {g}. (\"Stay close to "
        "me,\" said {g}.|\"Do not run away,\" said {g}.) But {h} saw a (pretty|{*color}|little) "
        "{w}. {h.he} (ran after it|followed it). The {w} went (this way and that way|left and "
        "right|farther and farther), and {h} went after it.",
        "(Then|At last|Soon) the {w} was gone. {h} looked around. All the trees looked the same. "
        "\"{g.call}? {g.call}!\" {h.he} called, but nobody answered. {h} was lost! {@scared:h} "
        "(It was getting dark.|The wind was cold.|{h.he} was tired and hungry.)",
        "Then a {f.kind} came out (of the bushes|from behind a tree). \"(Hello|Do not cry). My "
        "name is {f},\" said the {f.kind}. \"(Are you lost|What is wrong|Why are you crying)?\" "
        "\"(Yes, I cannot find my way home|I lost my {g.word}|I want to go home),\" said {h}. "
        "\"I know the forest well,\" said {f}. \"(Come with me|Follow me|I will help you).\" "
        "They walked (past the big rock|over a small bridge|along the stream) and (up the hill|"
        "through the tall grass|around the lake).",
        "Soon {h} heard a voice. \"{h}! {h}! Where are you?\" It was {g}! {h} ran (to {g.him}|"
        "into {g.his} arms). \"I am sorry I ran away,\" {h.he} said. {g} (hugged {h.him} tightly|"
        "was so glad). \"Thank you, {f}!\" they said. {@lesson} (it is important to stay close|"
        "you should listen to your family|help can come from a new friend).{@bye}",
    ]),
    ("box",
     "h:hero f:friend p:place t:=gold_coins/old_toys/shiny_stones/books/seeds/shells/letters", [
        "{@two} {@oneday}, they were playing {p.at}. {h} saw something {p.spot}. It was (an old "
        "box|a small wooden box|a big box with a lock|a dusty chest). \"(Look what I found|Look "
        "here|Look at this)!\" said {h}.",
        "\"(What is inside|What could it be|Can you open it)?\" asked {f}. {h} tried to open it, "
        "but it was (locked|shut|stuck). They (pulled and pulled|pushed and pulled|shook it). "
        "(It did not open|Nothing happened). {@idea:f} \"(Maybe there is a key|Let's look for a "
        "key),\" said {f}. They looked (everywhere|all around). At last, {f} found a (little|"
        "rusty|golden) key {p.spot2}.",
        "{h} put the key in the lock and turned it. Click! The box was open. Inside were (many |"
        "some |a lot of ){t}! \"(Wow|Amazing|How wonderful)!\" they (cried|said). \"(You can "
        "have them, you found the box|They are yours|You keep them),\" said {f}. \"No,\" said "
        "{h}. \"You found the key. (We will share|Let's share them|Half is for you).\"",
        "So they shared the {t}. {@happy:f} (They gave some to their families too.|They kept the "
        "box in a secret place.|They went home with full pockets.|They told everyone about it.) "
        "{@lesson} (sharing makes a good thing better|a treasure is best with a friend).{@bye}",
    ]),
    ("picnic_rain", "h:hero f:friend p:place fd:foods", [
        "{@two} {@oneday}, they wanted to have a picnic {p.at}. {h} brought {fd.some}, and {f} "
        "brought (a blanket|some juice|some water|a big basket). {@sky} They (sat down|put the "
        "blanket on the grass) and began to eat.",
        "(Suddenly|Then|But soon), (the sky became dark|dark clouds came|big clouds hid the "
        "sun). Drip, drop, drip! It began to rain. \"Oh no! Our picnic!\" cried {h}. (Everything "
        "was getting wet.|The {fd} got wet.|The rain fell harder and harder.) \"(Quick, let's "
        "run|Hurry|Let's go under that tree)!\" said {f}.",
        "They ran (and hid under a big tree|to an old barn|under a bridge|into a little cave). "
        "{@sad:h} \"Our day is ruined,\" {h.he} said. But {f} smiled. \"(We still have each "
        "other|We still have some food|We can have a picnic here),\" {f.he} said. So they (ate "
        "what was left|sat close together), (told stories|sang songs|played a guessing game), "
        "and listened to the rain.",
        "(After a while|Soon|At last), the rain stopped and the sun came out. \"Look!\" said "
        "{h}. There was a (big|beautiful|bright) rainbow in the sky. They (jumped in the puddles|"
        "danced on the wet grass|splashed in the puddles) and laughed. \"(This is the best "
        "picnic ever|The rain was fun after all|I am glad it rained),\" said {h}. {@friends_end}",
    ]),
    ("snowman", "h:child f:child g:grown c:color", [
        "{@open} One (cold|winter) morning, {h} looked out of the window. Everything was white! "
        "\"(It snowed|Snow|Look at all the snow)!\" {h.he} (shouted|cried). {h} put on {h.his} "
        "{c} hat and (ran|went) outside. {h.his} friend {f} was there too. \"Let's build a "
        "snowman!\" said {f}.",
        "They (rolled|made) a big ball of snow, and then (another one|a smaller one). {h} found "
        "(two stones|two buttons) for the eyes, and {f} found a (carrot|stick) for the nose. But "
        "the snowman looked (cold|sad|a little lonely). {@idea:h} {h.he} put {h.his} {c} hat on "
        "the snowman's head. \"(Now he looks happy|That is better|Now he is warm)!\" said {f}.",
        "They played (in the snow|around the snowman) all day. They (threw snowballs|slid down "
        "the hill|made snow angels). When they were cold, {g} made hot (chocolate|soup|tea) for "
        "them. (That night|In the night), the wind was strong. {h} (thought about|worried about) "
        "the snowman.",
        "In the morning, the sun was warm, and the snowman was (gone|very small|only water). "
        "{@sad:h} But on the ground {h.he} saw {h.his} {c} hat and a tiny green leaf. \"Look, "
        "spring is coming!\" said {g}. \"(The snowman will come back next winter|We can build a "
        "new one next year).\" {h} smiled. \"Goodbye, snowman. (See you next year|Thank you for "
        "the fun)!\" {h.he} said.{@bye}",
    ]),
    ("sandcastle", "h:child f:child g:grown", [
        "{@open} {@oneday}, {h} went to the beach with {g}. {@sky} {h} (had|took) a (red|blue|"
        "yellow) bucket and a shovel. \"I will build the (biggest|best|tallest) sandcastle in "
        "the world!\" {h.he} said. {h} (dug and dug|worked for a long time). The castle had "
        "(four towers|a tall tower|a big wall) and (shells on top|a little door|a flag).",
        "Then a big wave came. Splash! The water (washed over the castle|knocked the castle "
        "down). In a moment, it was gone. {@sad:h} A {f.kind} named {f} saw what happened. \"(I "
        "am sorry about your castle|It was a nice castle|That wave was too big),\" {f.he} said. "
        "\"(We can build a new one|Let's build another one|I can help you make a new one).\"",
        "\"But the water will come again,\" said {h}. {f} (thought|thought for a moment). "
        "\"Let's build it (farther from the water|up there, where the sand is dry|behind those "
        "rocks)!\" {f.he} said. (That was a good idea.|So they did.|{h} liked that plan.) {h} "
        "(dug|made the towers), and {f} (carried water|found shells). They (worked|laughed and "
        "worked) side by side.",
        "This time, the waves could not reach it. \"We did it!\" they (shouted|cried). {g} (took "
        "a picture|came to look). \"What a (wonderful|beautiful|great) castle!\" {g.he} said. "
        "{@proud:h} {@friends_end}",
    ]),
    ("star_wish",
     "h:hero w:=fly,fly/be_big,be_big/be_invisible,be_invisible/talk_to_the_animals,talk "
     "m:=fairy,she/star,it/wizard,he/small_dragon,he/magic_fish,it", [
        "{@open} One night, {h} looked (at the sky|out of the window|up at the stars). {h.he} "
        "saw a (bright|small|golden) light. It came (closer and closer|down to the ground). It "
        "was a (kind |)(little |){m}! \"Hello, {h},\" said the {m}. \"(I can give you one wish|"
        "You may make one wish).\"",
        "{h} thought (and thought|for a long time). \"I want to {w},\" {h.he} said. (Poof|Ding|"
        "Pop)! (The wish came true|And so it was|The magic worked). {h} could {w}! (At first, it "
        "was (great fun|wonderful).|{h.he} laughed and laughed.|\"This is so much fun!\" {h.he} "
        "said.)",
        "But (after a while|soon|the next day), {h} felt (lonely|alone|sad). (Nobody could play "
        "with {h.him}|{h.his} friends were afraid of {h.him}|{h.he} missed {h.his} friends|"
        "Nobody knew what to say to {h.him}). {@sad:h} \"(I do not want this wish anymore|I want "
        "to be like before|I only want to be me)!\" {h.he} said.",
        "The {m} came back. \"(Are you sure|Is that what you want)?\" {m.b} asked. \"Yes, "
        "please,\" said {h}. (Poof|Ding|Pop)! {h} was (just like before|{h.self} again). {h.he} "
        "ran (home|to {h.his} friends) and (hugged everyone|played until dark). {@happy:h} "
        "{@lesson} (it is good to be who you are|friends are better than magic|the best thing is "
        "to be yourself).{@bye}",
    ]),
    ("greedy", "h:animal f:friend fd:=berries/apples/nuts/cherries/plums/pears", [
        "{@open} {@oneday}, {h} found a (tree|bush|basket) full of {fd}. \"(Yum|Wow), so many "
        "{fd}!\" {h.he} said. {f} the {f.kind} came by. \"(May I have some|Can you share with me|"
        "I am hungry. May I have a few)?\" asked {f}. \"No!\" said {h}. \"They are all mine!\" "
        "{f} (walked away|went home|was sad and left).",
        "{h} ate and ate. {h.he} ate (ten|twenty|a hundred) {fd}. {h.his} tummy grew (bigger and "
        "bigger|round and tight|very big). (Then|Soon), {h.he} did not feel good. \"(Ow, my "
        "tummy hurts|Oh, my tummy|I ate too much),\" {h} (cried|said). {h.he} could not (walk|"
        "move|stand up). {h} was all alone. {@sad:h}",
        "{f} heard {h} (cry|crying) and came back. \"(What is wrong|Are you okay|What happened), "
        "{h}?\" {f.he} asked. \"I ate too many {fd},\" said {h}. {f} (brought {h} some water|"
        "made {h} some warm tea|sat with {h} all night). After a while, {h} felt better. \"(Why "
        "did you help me|You are so kind. Why)?\" asked {h}. \"I was not nice to you.\" "
        "\"(Because you are my friend|Because you needed help),\" said {f}.",
        "{h} (felt bad|was sorry). \"I am sorry, {f}. (The rest is for you|Please take some {fd}|"
        "Let's share the {fd}),\" {h.he} said. They sat together and ate (a few|some) {fd}. (The "
        "{fd} tasted even better|They tasted sweeter than before). {@lesson} (it is better to "
        "share|sharing is better than having it all).{@bye}",
    ]),
    ("bridge", "h:animal f:friend g:animal", [
        "{@open} {@oneday}, {h} wanted to visit {h.his} friend {f} the {f.kind}. {f} lived on "
        "the other side of the river. But (the rain had washed away the bridge|the old bridge "
        "was broken|the bridge was gone)! \"(How can I get across|What can I do now|Oh no, what "
        "now)?\" said {h}. {@sad:h}",
        "{h} tried to (jump|swim), but the (river was too wide|water was too fast|water was too "
        "cold). Then {g} the {g.kind} came. \"Why do you look so sad?\" {g.he} asked. \"I cannot "
        "cross the river,\" said {h}. {@idea:g} \"(Let's build a new bridge|We can build a "
        "bridge|We can make one with logs)!\" said {g}.",
        "{h} (carried|found) (sticks|branches|stones), and {g} (rolled|pulled) a (long|big|"
        "heavy) log. On the other side, {f} saw them and began to help too. They worked (all day|"
        "until the sun was low|for hours). (It was hard, but they did not stop.|They pushed and "
        "pulled.|They sang a song as they worked.) At last, the bridge was (done|ready|finished)!",
        "{h} walked (slowly|carefully) over the bridge. (One step, two steps, three steps!|) {f} "
        "was waiting with open arms. \"You did it!\" said {f}. \"We did it,\" said {h}. \"(Thank "
        "you, {g}|We did it together).\" All three friends (had a party|ate and laughed|danced "
        "on the bridge). {@lesson} (friends can do anything together|when you work together, "
        "nothing is too hard).{@bye}",
    ]),
    ("race", "h:animal f:friend p:place", [
        "{@once} a (slow|small|quiet) {h.kind} named {h} and a (fast|quick|proud) {f.kind} named "
        "{f}. Every day, {f} said, \"(I am the fastest|Nobody is as fast as me|I always win)!\" "
        "One day, {h} said, \"(Let's have a race|I will race you|Let's see who wins).\" {f} "
        "laughed (and laughed|loudly). \"(You are too slow|You can never win|This will be "
        "easy)!\" {f.he} said.",
        "(All the animals came to watch|The next day, everyone came {p.to}). \"One, two, three, "
        "go!\" {f} ran (away like the wind|so fast). {h} went (step by step|slowly but "
        "steadily). Soon {f} was far ahead. \"(I have a lot of time|I am so far ahead),\" {f.he} "
        "said. \"(I will take a nap|I will rest under this tree|I will stop and eat).\" And {f} "
        "(fell asleep|closed {f.his} eyes|sat down under a tree and slept).",
        "{h} did not stop. {h.he} was (tired|hot and tired), but {h.he} kept going. {h.he} "
        "walked past {f}, who was (snoring|sleeping|still asleep). When {f} woke up, {f.he} saw "
        "{h} near the end! {f} ran as fast as {f.he} could, but it was too late. {h} (won|won "
        "the race)! Everyone (cheered|clapped).",
        "{@proud:h} {f} (walked up to {h}|looked down). \"(You won|I am sorry I laughed at you|"
        "You did a great job),\" said {f}. \"(Thank you|It was a good race),\" said {h}. "
        "\"(Shall we be friends|Do you want to share some cake)?\" asked {f}. {@friends_end}",
    ]),
    ("lost_animal",
     "h:child g:grown a:=kitten/puppy/rabbit/turtle/lamb/duckling p:place "
     "n:=Rex/Luna/Bruno/Kitty/Chester/Minnie/Goldie", [
        "{@open} {@oneday}, {h} saw a {a.kind} {p.at}. It was (all alone|wet and cold|hiding "
        "{p.spot}). It had a little tag around its neck. \"(Are you lost|Who are you|Where is "
        "your home)?\" {h} (asked|said). The {a.kind} looked at {h.him} with (big|sad|round) "
        "eyes.",
        "{h} took the {a.kind} (home to {g}|to {g}). \"(Can we keep it|Can it stay with us|May I "
        "keep it)?\" {h.he} asked. {g} looked at the tag. It said, \"{n}.\" \"{n} has a "
        "family,\" said {g}. \"(They must be worried|They must miss it very much|Somebody is "
        "looking for it).\" {h} was (sad|quiet), but {h.he} nodded. \"(Then we must find them|"
        "Let's find the family),\" {h.he} said.",
        "They (walked from house to house|asked all the neighbors|put up signs on every tree). "
        "(\"Is this your {a.kind}?\" {h} asked at each door.|Nobody knew the {a.kind}.) Then "
        "they met an old (woman|man). \"{n}! (I looked for you everywhere|I missed you so "
        "much)!\" came a happy cry. {n} jumped into open arms.",
        "\"Thank you for finding {n},\" said the owner. \"You can come and play with {n} (any "
        "time|every day).\" {@happy:h} \"You did the right thing,\" said {g}. \"I am proud of "
        "you.\" (From then on|After that), {h} visited {n} (every day|every week), and they "
        "(played in the yard|were good friends|ran and played).{@bye}",
    ]),
    ("moon", "h:hero f:friend", [
        "{@open} One night, {h} saw the moon (over the hill|above the trees|in the water of the "
        "pond). It was big and (round|bright|yellow). \"(I want to touch the moon|I want to "
        "bring the moon home),\" said {h}. {h.his} friend {f} laughed. \"(Nobody can reach the "
        "moon|The moon is too far away),\" {f.he} said. But {h} wanted to try.",
        "(First|So), {h} climbed (on a rock|up a tree|on a chair). It was not high enough. Then "
        "{h.he} climbed (up a hill|on the roof|up a tall tower). It was still not high enough. "
        "{h} (stretched out {h.his} arms|jumped as high as {h.he} could), but the moon did not "
        "come (closer|near). {@sad:h}",
        "{f} sat down next to {h}. \"(Come with me|I want to show you something),\" {f.he} said. "
        "They (went|walked) to the pond. The moon was in the water, (shining like silver|round "
        "and bright)! {h} put {h.his} hand in the water and touched it. \"I touched the moon!\" "
        "{h.he} (shouted|said). The water (danced|moved), and the moon (danced|laughed) too.",
        "{@happy:h} \"Thank you, {f},\" {h.he} said. They sat by the pond (and looked at the "
        "stars|for a long time|until they were sleepy). {@lesson} (there is more than one way to "
        "reach a dream|a good friend can show you the way|some things are beautiful just to look "
        "at).{@bye}",
    ]),
    ("boat", "h:hero f:friend g:grown", [
        "{@two} {@oneday}, they (found an old boat|made a boat out of wood|built a small boat) "
        "by the river. \"(Let's sail to the sea|We can be sailors|Let's go on an adventure)!\" "
        "said {h}. {f} (was not sure|was a little afraid). \"Is it safe?\" {f.he} asked. \"Do "
        "not worry,\" said {h}.",
        "They (got in the boat|pushed the boat into the water). The boat went down the river. "
        "They saw (green frogs|silver fish|white ducks) and (tall trees|pretty flowers|a little "
        "island). It was (lovely|great fun|exciting). But then (the water came in|the boat hit a "
        "rock|the wind blew hard). \"(Oh no, we are sinking|The boat is going down|We are in "
        "trouble)!\" cried {f}. {@scared:f}",
        "{@idea:h} \"(Use your hat to throw the water out|Hold on to that branch|Let's row to "
        "the side)!\" {h.he} said. They (worked as fast as they could|did it together|helped "
        "each other). (Slowly, |At last, |)the boat came to the side of the river. They were "
        "safe, but they were very wet.",
        "{g} came running. \"(Are you okay|Are you hurt)?\" {g.he} asked. \"We are okay,\" said "
        "{h}. \"(Next time, we will ask you first|We should have asked you first|Next time, "
        "please come with us).\" {g} gave them (warm blankets|dry clothes|hot tea) and {g.he} "
        "helped them fix the boat. After that, they always sailed together. {@lesson} (it is "
        "good to be careful|an adventure is better when you are safe).{@bye}",
    ]),
]
