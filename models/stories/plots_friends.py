"""Plots about friends: meeting, sharing, quarrels, courage and learning new things."""

PLOTS = [
    ("new_friend", "h:hero f:friend p:place o:toy", [
        "{@open} But {h} did not have (any friends|a friend to play with|anyone to play with). "
        "{h.he} played alone (every day|all day). (Sometimes {h} was sad.|{h} often felt "
        "lonely.) {@oneday}, {h} was {p.at} with {h.his} {o.full}. {h.he} saw a {f.kind} "
        "(sitting {p.spot}|all alone). The {f.kind} (looked sad|looked shy|was alone too).",
        "{h} (wanted to say hello, but {h.he} was shy|was too shy to speak|did not know what to "
        "say). {h} took a deep breath. \"(Hello|Hi)! My name is {h}. What is your name?\" {h.he} "
        "asked. \"My name is {f},\" said the {f.kind}. \"(I just moved here|I am new here|I do "
        "not know anybody here).\" \"(Do you want to play with my {o}|Would you like to play "
        "with me|Shall we play together)?\" asked {h}.",
        "{f} (smiled|looked up and smiled). \"(Yes, please|I would love to|Yes, I would)!\" "
        "{f.he} said. They played with the {o}, (and then they|and they) (ran around|played "
        "{*game}|climbed a tree|told each other jokes). (They laughed a lot.|It was so much fun.|"
        "The time went by quickly.) When it was time to go home, {f} asked, \"(Will you come "
        "back tomorrow|Can we play again tomorrow)?\" \"Yes!\" said {h}.",
        "{@happy:h} {h.he} was not (alone|lonely) anymore. {@friends_end}",
    ]),
    ("share_toy", "h:child f:child g:grown o:toy p:place", [
        "{@open} {h} had a new {o.full}. {h.he} (loved it very much|liked it more than any other "
        "toy|played with it all day). {@oneday}, {h} took the {o} {p.to}. {h.his} friend {f} saw "
        "it. \"(What a nice {o}|I like your {o}|Your {o} is so nice)!\" said {f}. \"Can I play "
        "with it(| too)?\"",
        "\"No! It is mine!\" said {h}. {h.he} held the {o} (tightly|behind {h.his} back). "
        "{@sad:f} {f} (walked away|went to play alone|sat down on the ground). {h} played with "
        "the {o} alone, but it was (not much fun|boring|not fun). {h.he} looked at {f}. {f} "
        "looked so sad. (\"Maybe I was not nice,\" {h} thought.|{h} felt bad.)",
        "{g} (came over|saw them). \"(A toy is more fun with a friend|You can take turns|Sharing "
        "makes friends happy),\" {g.he} said. {h} thought about it. Then {h.he} (went|walked|"
        "ran) to {f}. \"I am sorry, {f}. (You can play with my {o} too|Let's play with the {o} "
        "together|You can have the first turn),\" {h.he} said. {@happy:f} \"Thank you, {h}!\" "
        "said {f}.",
        "They took turns with the {o}. They (laughed and played|had so much fun) (all afternoon|"
        "until the sun went down|together). {@lesson} (sharing is fun|it is nice to share|toys "
        "are more fun when you share them). {@friends_end}",
    ]),
    ("quarrel", "h:hero f:friend o:toy p:place", [
        "{@two} {@oneday}, they were playing {p.at} when they found a {o.full}. \"I saw it "
        "first!\" said {h}. \"No, I saw it first!\" said {f}. {h} pulled (one side|on one end), "
        "and {f} pulled the other. (Snap! |Crack! |)The {o} (broke|broke in two). \"(Look what "
        "you did|It is your fault|You broke it)!\" they both shouted.",
        "{h} went home (angry|without a word|and shut the door). {f} went home too. (The next "
        "day|All day), {h} played alone. {h.he} tried to {h.hobby}, but it was not fun without "
        "{f}. {@sad:h} \"I miss {f},\" {h.he} thought. At the same time, {f} (looked out of the "
        "window|sat alone) and thought, \"I miss {h}.\"",
        "{@idea:h} {h.he} (took the pieces|got some glue|found some string) and fixed the {o}. "
        "Then {h.he} (walked|ran) to {f.s} house. But {f} was already (on the way|coming up the "
        "path)! (They met at the gate.|They met half way.) \"I am sorry,\" said {h}. \"I am "
        "sorry too,\" said {f}. \"(I want to be friends again|I missed you|You are more "
        "important than a {o}).\"",
        "(They hugged|They laughed|They shook hands), and {h} showed {f} the {o}. \"(It is for "
        "both of us|Let's share it|We can play with it together),\" said {h}. {@lesson} (a "
        "friend is worth more than a toy|saying sorry can fix many things). {@friends_end}",
    ]),
    ("learn",
     "h:child g:grown "
     "sk:=ride_a_bike,bike,rode_the_bike/swim,water,swam/skate,skates,skated/"
     "tie_shoes,laces,tied_both_shoes/whistle,whistle,whistled_a_song/"
     "jump_rope,rope,jumped_ten_times/play_the_flute,flute,played_a_song/"
     "climb_the_rope,rope,climbed_to_the_top "
     "f:child", [
        "{@open} {h} wanted to learn to {sk}. {h.his} friend {f} could (already |)do it very "
        "well. \"(It is easy|You can do it too|Just try it)!\" said {f}. So one day, {h} tried "
        "it. But it was (hard|not easy|very hard). {h} tried once, twice, and three times. It "
        "did not work.",
        "\"I cannot do it!\" said {h}. {@sad:h} {h.he} (wanted to stop|sat down on the ground|"
        "wanted to go home). {g} came and sat next to {h}. \"(When I was small, I could not do "
        "it either|Everybody falls at first|Learning takes time),\" said {g}. \"(Try again, and "
        "I will help you|Try a little every day|Do not give up).\"",
        "So {h} tried again (the next day|every day). {g} (helped {h.him}|showed {h.him} how|"
        "stayed close). (One day it was a little better.|Each day, {h} got a little better.|"
        "{h.he} made mistakes, but {h.he} laughed and tried again.) Then, (one morning|all at "
        "once|one sunny day), {h} {sk.c}! \"(Look|Look at me|I am doing it)! (I can do it|I can "
        "{sk})!\" {h.he} shouted.",
        "{g} and {f} (clapped|cheered). \"(I knew you could do it|Well done|You did it), {h}!\" "
        "said {g}. {@proud:h} {@lesson} (if you keep trying, you can do it|you should never give "
        "up|every day of practice helps).{@bye}",
    ]),
    ("help_old", "h:child g:=woman,she,her/man,he,his p:=hill/bridge/street/market fd:foods", [
        "{@open} {@oneday}, {h} was (walking home|on {h.his} way to school|playing near the "
        "{p}). {h.he} saw an old {g} with a (heavy|big|very heavy) bag. The old {g} walked "
        "(slowly|very slowly) and had to stop (many times|again and again). (Other people walked "
        "by|Nobody helped).",
        "{h} (ran up|went) to the old {g}. \"Can I help you?\" {h.he} asked. \"(That is very "
        "kind|Yes, please|Oh, thank you),\" said the old {g}. \"My bag is too heavy for me.\" "
        "{h} took the bag. It was heavy, but {h.he} was strong. (Step by step|Slowly), they "
        "walked together past the {p}. The old {g} told {h} (stories about long ago|about the "
        "old days|funny stories).",
        "At last, they came to a small house. \"(Come in|Please come in) and have {fd.some},\" "
        "said the old {g}. The house was (warm|full of books|full of clocks|cozy). They (sat by "
        "the fire|sat at a little table) and ate {fd.n}. \"(I have not had a guest for a long "
        "time|I am often alone|You made my day),\" said the old {g}.",
        "{h} smiled. \"(May I come again|Can I visit you again)?\" {h.he} asked. \"(Any time|"
        "Yes, please do|I would like that very much),\" said the old {g}. {h} went home with a "
        "warm heart. (From that day on|After that), {h} visited the old {g} every week. "
        "{@lesson} (being kind makes two people happy|a small help can be a big thing).{@bye}",
    ]),
    ("show",
     "h:hero f:friend g:grown sk:=sing/dance/tell_a_story/play_the_drum/do_a_magic_trick", [
        "{@open} {@oneday}, there was a big show in the (town|forest|village). Everyone wanted "
        "to do something. \"I want to {sk},\" said {h}. {h.he} practiced every day. But when the "
        "day came, {h} looked at all the faces and (froze|began to shake|felt sick). {@scared:h}",
        "\"I cannot do it,\" {h} whispered. \"(Everyone is looking at me|I will make a mistake|"
        "They will laugh at me).\" {h.his} friend {f} took {h.s} hand. \"(Just look at me|Look "
        "only at me|I will stand next to you),\" said {f}. \"(I know you can do it|You are so "
        "good at it|I will be there with you).\" {h} took a deep breath and (went|walked) to the "
        "front.",
        "At first, {h} was (very quiet|too quiet|slow). Then {h.he} looked at {f}, and {f} "
        "smiled. {h} began to {sk}. (Louder and louder|Better and better|Little by little), "
        "{h.he} forgot to be afraid. When it was over, (everyone clapped|they all cheered|"
        "everybody stood up and clapped). \"(Again|More|Bravo)!\" they (shouted|called).",
        "{@proud:h} \"I did it!\" {h.he} said. \"(Thank you, {f}|You helped me to be brave|I "
        "could not have done it without you).\" {g} (gave {h} a flower|hugged {h}). {@lesson} "
        "(being brave means trying even when you are scared|a good friend can make you "
        "brave).{@bye}",
    ]),
    ("different", "h:animal f:friend g:animal p:place", [
        "{@once} a {h.kind} named {h}. {h} was not like the other animals. {h.he} had (very big "
        "ears|a blue tail|a very long nose|spots on {h.his} back|tiny legs). The others (laughed "
        "at {h.him}|made fun of {h.him}|did not want to play with {h.him}). \"You look funny!\" "
        "they said. {@sad:h}",
        "{h} went to sit {p.spot} all alone. {f} the {f.kind} came by. \"(Why are you crying|"
        "What is wrong|Why are you here alone)?\" {f.he} asked. \"Nobody likes me because I am "
        "different,\" said {h}. \"(I like you|I think you are special|I like how you look),\" "
        "said {f}. \"(Let's be friends|Come and play with me).\"",
        "{@oneday}, {g} the {g.kind} (fell into a deep hole|was stuck under a branch|was lost in "
        "the fog). \"Help! Help!\" {g.he} cried. (The other animals did not know what to do.|"
        "Nobody could reach {g.him}.|Everyone ran around.) But {h} (heard {g.him} first|was not "
        "afraid). {h.he} (worked hard|thought fast), and with the help of {f}, {h.he} got {g} "
        "out.",
        "{g} was safe. \"(You saved me|Thank you, {h}|You are a hero)!\" said {g}. \"I am sorry "
        "that I laughed at you.\" The others (said sorry too|came and said sorry). {@proud:h} "
        "From that day on, nobody laughed at {h}. {@lesson} (it is good to be different|everyone "
        "is special in their own way|what matters is a kind heart).{@bye}",
    ]),
    ("big_small",
     "h:=Leo/Rory/King/Sandy/Bruno/Stripes,x k:=lion/bear/tiger/elephant/wolf "
     "m:=mouse/ant/bird/bee/frog f:=Pip/Dot/Nibbles/Button/Tiny/Bean t:=net/trap/deep_hole", [
        "{@once} a big {k} named {h}. {h} was strong and (proud|loud). {@oneday}, a little {m} "
        "named {f} (ran over {h}'s nose|woke {h} up|sat on {h}'s tail). {h} was (angry|very "
        "angry). \"(Go away|I will eat you up|Be quiet)!\" he (said|shouted). \"(Please let me "
        "go|Please do not hurt me),\" said {f}. \"(One day, I will help you|Maybe I can help you "
        "some day).\"",
        "{h} laughed. \"How can a little {m} help a big {k} like me?\" he said. But he was (not "
        "hungry|in a good mood|kind in his heart), so he let {f} go. \"Thank you! I will not "
        "forget it,\" said {f}, and (ran|hurried) away.",
        "A few days later, {h} fell into a {t}. He (pulled and pulled|jumped and roared|tried "
        "and tried), but he could not get out. \"Help! Help!\" he (roared|called). {f} heard him "
        "and came (at once|quickly|as fast as the wind). \"Do not worry,\" said {f}. \"I am "
        "here.\" {f} called all the small animals. They (bit|pulled|worked) and (dug|pushed|"
        "worked) until {h} was free.",
        "{h} was (amazed|so thankful). \"You are small, but you (saved me|are very brave|have a "
        "big heart),\" he said. \"(I was wrong to laugh|Thank you, my friend).\" From that day "
        "on, {h} and {f} were (good|best) friends. {h} learned that (nobody is too small to help|"
        "even a small friend can do big things|it is always good to be kind).{@bye}",
    ]),
    ("costume", "h:child f:friend g:grown w:wearable p:place", [
        "{@open} {g} gave {h} a {w.full}. \"(I made it for you|It is a gift for you|I hope you "
        "like it),\" said {g}. {h} loved the {w}. {h.he} wore it (every day|to school|"
        "everywhere). {@oneday}, {h} went {p.to} and met {h.his} friend {f}. {f} was (cold|sad|"
        "alone). \"(What is wrong|Are you okay), {f}?\" asked {h}.",
        "\"(I do not have anything nice to wear|There is a party today, and I have nothing "
        "pretty to wear|I lost my own {w}),\" said {f}. {h} looked at the {w}. {h.he} loved it "
        "so much. (\"But {f} is my friend,\" {h.he} thought.|Then {h.he} looked at {f.s} face.) "
        "{h} took it off and said, \"(Here, you can have it|You can wear mine|Please take "
        "this).\"",
        "{@happy:f} \"(Really|Are you sure)?\" {f.he} asked. \"Yes,\" said {h}. \"It looks (good|"
        "nice|lovely) on you.\" {f} put on the {w} and (danced|turned around and around|"
        "laughed). {h} felt warm inside, even without the {w}.",
        "When {h} came home, {g} asked, \"Where is your {w}?\" {h} told {g.him} (everything|the "
        "whole story). {g} was not angry. \"You have a (good|kind|big) heart,\" {g.he} said. The "
        "next day, {f} came (to the door|to visit) with (a small box|a flower|some cookies) for "
        "{h}. \"This is for you,\" said {f}. {@friends_end}",
    ]),
    ("cloud",
     "h:=cloud/star/leaf/snowflake/drop_of_rain,x n:=Puff/Twinkle/Misty/Drop/Luna/Sky c:child", [
        "{@once} a little {h} named {n}. {n} lived (high up|far up) in the sky. {n} was (small "
        "and alone|the smallest of all|very curious). \"(I want to see the world|I want to find "
        "a friend|I want to go on a trip),\" said {n}. The wind heard it. \"I will help you,\" "
        "said the wind, and it began to blow.",
        "{n} flew over (green hills|tall mountains|the blue sea) and (big towns|dark forests|"
        "long rivers). It was (wonderful|exciting|so beautiful). Then {n} saw a garden. A "
        "{c.kind} named {c} sat there. {c} was (sad|crying), because the flowers were (dry|"
        "thirsty|tired).",
        "\"Why are you sad?\" asked {n}. {c} looked up. \"My flowers (need water|need some rain|"
        "are going to die),\" {c.he} said. {n} wanted to help. {n} called (all the clouds|the "
        "wind and the clouds). Soon it began to rain. (Drip, drop, drip, drop!|) The flowers "
        "(drank and drank|lifted their heads|began to smile).",
        "{c} (danced in the rain|laughed and clapped {c.his} hands|was so happy). \"Thank you, "
        "little {h}!\" {c.he} said. {n} (was happy too|smiled|felt warm inside). From that day "
        "on, {n} came to visit the garden (every week|again and again), and {c} always (waved|"
        "said hello). {n} was never alone again.{@bye}",
    ]),
]
