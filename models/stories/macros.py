"""Sentences that many plots share. `{x}` is the character a macro is called with."""

MACROS = {
    # Openings. The first names the hero, where it lives and what it loves.
    "open": (
        "({@once} a {h.adj} {h.kind} named {h}. {@loves}"
        "|{@once} a {h.adj} {h.kind} named {h}. {@loves}"
        "|{@once} a {h.adj} {h.kind} named {h} who lived {h.where}. {@loves}"
        "|{@once} a {h.adj} {h.kind}. {h.his} name was {h}. {@loves}"
        "|Once upon a time, {h.where}, there lived a {h.adj} {h.kind} named {h}. {@loves}"
        "|{h} was a {h.adj} {h.kind} who lived {h.where}. {@loves}"
        "|{h} was a {h.adj} {h.kind}. {@loves})"
    ),
    "once": (
        "(Once upon a time, there was|Once upon a time, there was|Once upon a time, there was"
        "|Once upon a time, there lived|Once there was|There once was|Long ago, there was"
        "|A long time ago, there lived)"
    ),
    "loves": (
        "({h} loved to {h.hobby}.|{h.he} loved to {h.hobby}.|{h.he} liked to {h.hobby} every day."
        "|Every day, {h.he} liked to {h.hobby}.|More than anything, {h} loved to {h.hobby}.|)"
    ),
    # Openings that name two friends.
    "two": (
        "({h} and {f} were (best friends|good friends)."
        "|Once upon a time, there were two friends named {h} and {f}."
        "|Once upon a time, a {h.kind} named {h} had a good friend named {f}."
        "|{@once} a {h.adj} {h.kind} named {h}. {h.his} best friend was a {f.kind} named {f}."
        "|{h} the {h.kind} and {f} the {f.kind} were friends.) "
        "(They liked to {h.hobby} together.|They played together every day.|They did everything "
        "together.|They lived {h.where}.|They loved to play {*game}.|)"
    ),
    "oneday": (
        "(One day|One day|One day|One {*weather} day|One {*weather} morning"
        "|One {*weather} afternoon"
        "|One morning|One afternoon)"
    ),
    "sky": "(({*sky}|{*sky}, and everything was calm|It was a {*weather} day).||)",
    "happy": (
        "({x} was (so|very) happy.|{x} felt (very happy|happy again|warm inside).|{x} was full of "
        "joy.|{x} smiled (a big smile|from ear to ear|and clapped {x.his} hands).|{x} jumped for "
        "joy.|{x} laughed (and danced|with joy).)"
    ),
    "sad": (
        "({x} was (sad|very sad|so sad).|{x} felt (sad|very sad|sad and alone).|{x} began to cry."
        "|Tears (came to {x.his} eyes|ran down {x.his} face).|{x} wanted to cry."
        "|{x} sat down and (cried|sighed).)"
    ),
    "scared": (
        "({x} was (scared|very scared|a little scared).|{x} felt afraid.|{x} began to shake."
        "|{x.his} heart beat (very fast|like a drum).|{x} did not know what to do.)"
    ),
    "proud": (
        "({x} was (so|very) proud.|{x} felt proud of {x.self}.|{x} felt (very proud|brave and "
        "strong|ten feet tall).|{x} could not stop smiling.)"
    ),
    "idea": (
        "(Then {x} had an idea.|Then {x} had a (good|great|clever) idea.|{x} thought and thought."
        " At last, {x.he} had an idea.|Suddenly, {x.he} had a wonderful idea.)"
    ),
    "said": "(said|said|said|told {x.him}, said)",
    "thanks": (
        "(\"Thank you(| so much| very much)!\" said {x}.|\"Thank you!\" {x.he} said with a smile."
        "|{x} said, \"Thank you(| so much| for helping me| for being so kind)!\"|\"You are (so kind"
        "|the best|a good friend|very kind),\" said {x}.)"
    ),
    "hug": (
        "({x} gave {h} a (big|warm|long) hug.|{x} hugged {h} (tightly|and smiled).|{x} smiled and "
        "hugged {h}.)"
    ),
    # Endings.
    "friends_end": (
        "(From that day on, {h} and {f} were (best friends|the best of friends|always together)."
        "|{h} and {f} became (best|good) friends( and played together every day|)."
        "|After that, {h} and {f} played together every day."
        "|And so {h} and {f} were friends forever."
        "|The two friends laughed and played until the sun went down.){@bye}"
    ),
    "home_end": (
        "(That night, {h} (went to bed|fell asleep|slept) with a (big |)smile( on {h.his} face|)."
        "|{h} went home (happy|with a smile).|When the sun went down, {h} went home and told "
        "{h.his} family all about it.|It was the best day ever.|It was a day {h} would never "
        "forget.|{h} could not wait for the next day.){@bye}"
    ),
    "bye": "(||||| The end.| And they all lived happily ever after.)",
    "lesson": (
        "({h} learned that|That day, {h} learned that|From then on, {h} knew that|{h} never forgot "
        "that)"
    ),
    "ask_help": (
        "(\"Can you help me(|, please)?\" asked {h}.|\"Please help me!\" said {h}.|\"Will you help "
        "me?\" {h.he} asked.|{h} asked for help.)"
    ),
    "yes": (
        "(\"Of course!\" said {x}.|\"Yes, I will help you,\" said {x}.|\"Do not worry,\" said {x}. "
        "\"I will help you.\"|\"I would love to help,\" said {x}.|{x} nodded and smiled.)"
    ),
    "walk_to": (
        "({h} went {p.to}.|{h} walked {p.to}.|{h} ran {p.to}.|{h} and {h.his} {g.word} went "
        "{p.to}.)"
    ),
}
