"""Words of the story grammar: characters, things, places, with the forms a sentence needs."""

GIRLS = (
    "Lily Mia Anna Rosa Zoe Ella Ruby Nora Emma Sara Maya Lucy Amy Ivy Daisy Clara Jane Kate Tina "
    "Molly Grace Hana Leila Sofia Nina Wendy Bella Penny Olive Fern Sue Jill"
).split()
BOYS = (
    "Tom Tim Ben Sam Max Leo Jack Finn Noah Omar Luca Jim Bob Dan Adam Peter Hugo Oscar Theo Ravi "
    "Joe Paul Nick Will Alex Henry Billy Kofi Mark Fred Ned Toby"
).split()
PET_NAMES = (
    "Pip Coco Rusty Biscuit Pepper Bramble Dot Fluffy Sunny Bubbles Patch Ginger Mopsy Hazel "
    "Nibbles Willow Spot Tuffy Clover Waffles Buddy Button Misty Honey"
).split()

# kind -> (where it lives, what it loves to do)
ANIMALS = {
    "fox": ("in the forest", "run through the leaves"),
    "rabbit": ("in a green meadow", "hop in the grass"),
    "bear": ("in the forest", "eat sweet berries"),
    "mouse": ("in a tiny hole by the barn", "nibble on cheese"),
    "squirrel": ("in a tall oak tree", "climb up high"),
    "duck": ("by a blue pond", "splash in the water"),
    "frog": ("by a quiet pond", "jump from leaf to leaf"),
    "owl": ("in an old tree", "look at the moon"),
    "hedgehog": ("at the edge of the forest", "look for apples"),
    "kitten": ("in a cozy house", "play with string"),
    "puppy": ("on a big farm", "chase its tail"),
    "turtle": ("by a slow river", "lie in the sun"),
    "pig": ("on a small farm", "roll in the mud"),
    "lamb": ("on a green hill", "skip and jump"),
    "elephant": ("in a warm jungle", "spray water"),
    "monkey": ("in a warm jungle", "swing from the trees"),
    "beaver": ("by a wide river", "build things with sticks"),
    "penguin": ("near the icy sea", "slide on the ice"),
}
CHILD_WHERE = (
    "in a small house|in a little town|in a quiet village|near the sea|on a farm|in a big city|"
    "in a house on a hill|near a big forest|in a yellow house|at the end of a long street"
).split("|")
HOBBIES = (
    "play outside|sing songs|run and jump|look at the clouds|draw pictures|dance|count the stars|"
    "climb trees|look for bugs|tell jokes|make new friends|explore|help other people|"
    "play hide and seek|build things|collect shiny stones|listen to stories|play games"
).split("|")
ADJ = (
    "little|little|little|little|small|young|happy|kind|curious|brave|shy|clever|cheerful|gentle|"
    "silly|friendly|quiet|playful"
).split("|")

# noun: what one does with it
TOYS = {
    "ball": "bounce", "kite": "fly", "doll": "hug", "teddy bear": "hug", "toy car": "race",
    "toy train": "push", "toy boat": "float", "drum": "play", "puzzle": "do", "top": "spin",
    "robot": "wind up", "wagon": "pull", "whistle": "blow", "toy truck": "push",
    "hoop": "roll", "toy plane": "fly", "yo-yo": "spin", "bell": "ring", "toy horse": "hug",
}
WEARABLES = "hat|scarf|coat|ribbon|necklace|sweater|ring|cap|bracelet".split("|")
THINGS = "vase|cup|plate|lamp|clock|bowl|picture frame|teapot|glass jar".split("|")
COLORS = "red|blue|green|yellow|purple|pink|orange|white|brown|golden".split("|")
LOOKS = "shiny|big|small|pretty|soft|new|old|round|special|beautiful".split("|")

# name: (at, to, hiding spots)
PLACES = {
    "park": ("at the park", "to the park",
             ["under a bench", "behind a big tree", "next to the slide", "in the tall grass"]),
    "beach": ("at the beach", "to the beach",
              ["behind a rock", "in the sand", "under a towel", "next to a pile of shells"]),
    "garden": ("in the garden", "to the garden",
               ["under a bush", "between the flowers", "behind the gate", "near the carrots"]),
    "forest": ("in the forest", "to the forest",
               ["under some leaves", "behind a log", "next to a mushroom", "by a small stream"]),
    "lake": ("at the lake", "to the lake",
             ["in the reeds", "behind a rock", "under a little boat", "on the wooden dock"]),
    "farm": ("at the farm", "to the farm",
             ["in the hay", "behind the barn", "next to the fence", "under the old cart"]),
    "meadow": ("in the meadow", "to the meadow",
               ["in the tall grass", "under a daisy", "behind a rock", "near the stream"]),
    "yard": ("in the yard", "to the yard",
             ["under a bush", "behind the fence", "next to the swing", "in a flower pot"]),
    "playground": ("at the playground", "to the playground",
                   ["under the slide", "behind the swings", "in the sandbox", "on a bench"]),
    "hill": ("on the hill", "to the hill",
             ["in the grass", "behind a big stone", "under a small tree", "next to the path"]),
}
FOODS = {  # noun: (the amount one eats, it or them)
    "cookies": ("some cookies", "them"), "apples": ("some apples", "them"),
    "cake": ("a piece of cake", "it"), "soup": ("a bowl of soup", "it"),
    "bread": ("some bread", "it"), "berries": ("some berries", "them"),
    "pie": ("a slice of pie", "it"), "nuts": ("some nuts", "them"),
    "pancakes": ("some pancakes", "them"), "cheese": ("a bit of cheese", "it"),
    "carrots": ("some carrots", "them"), "honey": ("some honey", "it"),
}
SMALL_ANIMALS = (
    "bird|kitten|puppy|rabbit|squirrel|mouse|duckling|turtle|frog|hedgehog|lamb"
).split("|")
GROWNUPS = [("mom", "she", "Mom"), ("mom", "she", "Mom"), ("dad", "he", "Dad"),
            ("dad", "he", "Dad"), ("grandma", "she", "Grandma"), ("grandpa", "he", "Grandpa")]

LISTS = {
    "color": COLORS,
    "look": LOOKS,
    "weather": "sunny|warm|bright|cold|windy|beautiful|quiet|lovely|fine|cloudy".split("|"),
    "room": ["under the bed", "behind the door", "in the kitchen", "under the table",
             "in the closet", "behind the sofa", "in the big box", "on the shelf"],
    "tree": "tree|oak tree|apple tree|pine tree|pear tree".split("|"),
    "flower": "rose|daisy|tulip|sunflower|lily|poppy".split("|"),
    "food": [v[0] for v in FOODS.values()],
    "hobby": HOBBIES,
    "game": "hide and seek|tag|catch|a game|pirates|follow the leader".split("|"),
    "chore": ["wash the dishes", "sweep the floor", "water the plants", "feed the chickens",
              "clean the windows", "carry the bags", "rake the leaves", "set the table"],
    "sky": ["The sun was shining", "The sky was blue", "The birds were singing",
            "A soft wind was blowing", "White clouds moved across the sky"],
}

PRONOUNS = {
    "she": {"he": "she", "him": "her", "his": "her", "self": "herself", "hers": "hers"},
    "he": {"he": "he", "him": "him", "his": "his", "self": "himself", "hers": "his"},
    "it": {"he": "it", "him": "it", "his": "its", "self": "itself", "hers": "its"},
}
