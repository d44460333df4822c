"""The sample's pictures: what is drawn, in which colours, and what it shows in words."""

from collections.abc import Callable
from typing import NamedTuple

from PIL import Image

from .drawings import browser, charts, marks, patterns, phones, places, posters, products
from .drawings.browser import Look
from .drawings.canvas import encode


class Picture(NamedTuple):
    """An image to be; its kind of file follows from the name."""

    filename: str
    alt: str
    draw: Callable[[], Image.Image]

    def data(self) -> bytes:
        return encode(self.draw(), self.filename)


# Colours that several pictures share

HARBOUR = Look(("#f4b89a", "#f7d9b8", "#3a8c8c", "#1f4e5f"), "#fffaf1", "#12263a", "#f06449", "#3a8c8c")
KESTREL = Look(("#f3dcb8", "#e9b95b", "#c8613f", "#5a2d1c"), "#fdf6ea", "#2b1a14", "#b5482a", "#e9a23b")
LUMEN = Look(("#0b1026", "#27306b", "#141a3c", "#6b5ca5"), "#10152f", "#f5f0e6", "#ffb199", "#7d8fd6")
BRIGHTMOOR = Look(("#cfe8c0", "#bfe3f0", "#e9f3d2", "#9fd3a8"), "#fbfcf7", "#10372e", "#2f9e63", "#c8dc4a")
RIDGEWAY = Look(("#f7d7b5", "#f2b98c", "#e08e6b", "#a85a4a"), "#fffaf3", "#2b3a55", "#e4572e", "#9cc3a5")
ALDERMERE = Look(("#ede6da", "#ede6da"), "#f7f3ea", "#2e3440", "#c4432b", "#5e8c61")
GLASSHOUSE = Look(("#f3c9b5", "#cfe0c8", "#8fc1b5", "#24584a"), "#fdf8ee", "#1f3d33", "#e4572e", "#8fc1b5")
OLD_SITE = Look(("#8fb8de", "#b6d3ea", "#5c7fb8", "#33508a"), "#ffffff", "#22304a", "#3b78d8", "#ffb703")

FACADES = ["#f06449", "#f4d9a6", "#e8e2d2", "#c4432b", "#2f6f77", "#5b7c8d"]
SEA = ["#4f9da0", "#1f4e5f", "#12263a"]
SPACE = [["#141a3c", "#0b1026", "#0b1026"], ["#3a2f6b", "#1a1d4a", "#0b1026"], ["#8a4a78", "#3a2f6b", "#141a3c"]]
BODIES = ["#ffb199", "#6fb3c9", "#e8c27a", "#c97b84", "#7d8fd6"]
TOWN = ["#ff7f6b", "#ffc24b", "#6c7bd9", "#f4f0e8", "#ee8fb2", "#4fae8b"]
SIGNALS = ["#e63946", "#457be8", "#ffb703", "#2a9d8f", "#8e5cc2"]
PAPERS = ["#f6efe2", "#f3c9b5", "#cfe0c8", "#f2d06b", "#24584a", "#8fc1b5"]
LEAVES = ["#1f4d3f", "#2f8f6b", "#e4572e", "#24336b", "#f6efe2"]
SALT_ROAD = ("The Salt\nRoad", "M. Oduya", "#1f3a5f", "#f2c14e", "#f7ecd8")
SHELF = [
    SALT_ROAD,
    ("Low\nArches", "I. Ferrand", "#b5482a", "#f7d9b0", "#f7ecd8"),
    ("Herbal", "T. Aske", "#f1e6d0", "#2f6b4f", "#1d3b2f"),
    ("Piecework", "L. Moreau", "#2f6b5a", "#f0b8a0", "#f4ead6"),
    ("The Ring\nReader", "K. Sund", "#f0b93a", "#7a1f3d", "#2c1230"),
]


def _sketch(drawing: Image.Image, colours: int) -> Image.Image:
    """Return a drawing of few flat colours with a palette of its own, as GIF and small PNG files have one."""
    return drawing.quantize(colours, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)


def _quay(width: int, height: int, *, horizon: float = 0.56, sun: float = 0.27) -> Image.Image:
    sky = ["#4f9aa5", "#8ec5c6", "#fbeacb"]
    return places.harbour((width, height), "harbour", sky, SEA, FACADES, "#fff8ea", "#12263a", horizon=horizon, sun=sun)


def _night(width: int, height: int) -> Image.Image:
    return places.planets((width, height), "planets", SPACE, BODIES, "#f5f0e6")


# Logos

HARBOUR_LOGO = Picture(
    "harbour-museum.png",
    "Logo of the Harbour Museum: a red sun setting behind three waves",
    lambda: marks.waves_mark((216, 263), "#12263a", "#f06449"),
)
KESTREL_LOGO = Picture(
    "kestrel.png",
    "Logo of Kestrel Coffee Roasters: a falcon whose body is a cup on its saucer",
    lambda: marks.bird_mark((400, 400), "#2b1a14", "#e9a23b"),
)
LUMEN_LOGO = Picture(
    "lumen.webp",
    "Logo of Lumen Observatory: three orbits around a star",
    lambda: marks.orbit_mark((400, 400), "#27306b", "#ff8f70"),
)
NORTHLINE_LOGO = Picture(
    "northline.png",
    "Logo of Northline Transit: the letter N as a line with a yellow stop",
    lambda: marks.rails_mark((320, 320), "#14213d", "#ffb703"),
)
MARLOW_LOGO = Picture(
    "marlow-finch.png",
    "Logo of Marlow & Finch: an open book that could be a bird",
    lambda: marks.pages_mark((400, 300), "#7a1f3d", "#e9a23b"),
)
BRIGHTMOOR_LOGO = Picture(
    "brightmoor.png",
    "Logo of Brightmoor Energy: a turbine with leaves for blades, on a hill",
    lambda: marks.turbine_mark((400, 400), "#10372e", "#c8e36a"),
)
SAFFRON_LOGO = Picture(
    "saffron-house.png",
    "Logo of Saffron House: a crocus in an eight-pointed star",
    lambda: marks.crocus_mark((400, 400), "#0f6a70", "#f26a2b"),
)
ALDERMERE_LOGO = Picture(
    "aldermere.png",
    "Arms of the City of Aldermere: a bridge of three arches over a river",
    lambda: marks.arms_mark((216, 263), "#2e3440", "#5ea3c4"),
)

# Tags

BRANDING_ICON = Picture(
    "tag-branding.png",
    "Two discs that overlap",
    lambda: _sketch(marks.icon((256, 256), "brand", "#f6e3d3", "#c4432b", "#f0b429"), 32),
)
WEB_ICON = Picture(
    "tag-web.png",
    "A browser's window with a mountain in it",
    lambda: marks.icon((216, 216), "web", "#e3eef0", "#1f4e5f", "#f06449"),
)
PRINT_ICON = Picture(
    "tag-print.bmp",
    "Quarter circles, one in the other, in black and red",
    lambda: marks.icon((156, 156), "print", "#f3ead9", "#2b2a33", "#d8432f"),
)
DATA_ICON = Picture(
    "tag-data.gif",
    "Four bars, the last of them the highest",
    lambda: _sketch(marks.icon((256, 256), "data", "#e6efd9", "#10372e", "#2f9e63"), 32),
)

# Covers and galleries

HARBOUR_SITE = Picture(
    "harbour-site.jpg",
    "The museum's home page in a browser: a painted harbour under the words 'Every boat has a story'",
    lambda: browser.browser(
        (1600, 1200),
        "harbour-site",
        HARBOUR,
        _quay(1232, 484, horizon=0.72, sun=0.8),
        "Harbour Museum",
        ["Collection", "Boats", "Stories", "Visit"],
        ["Every boat has a story."],
        [("The boat hall", "#12263a"), ("Tides", "#3a8c8c"), ("Workshops", "#f2c9a0"), ("Archive", "#dcebe4")],
    ),
)
HARBOUR_QUAY = Picture(
    "harbour-quay.jpg",
    "Illustration: a row of coloured houses and three sailing boats, mirrored in the harbour",
    lambda: _quay(2000, 1000),
)
HARBOUR_PHONE = Picture(
    "harbour-phone.jpg",
    "The museum's list of boats on a telephone",
    lambda: phones.phones(
        (1200, 1600),
        "harbour-phone",
        HARBOUR,
        [
            phones.listing(
                "Boats",
                [
                    ("Brisling", "Herring drifter, 1911"),
                    ("Asta", "Pilot cutter, 1887"),
                    ("Number 6", "Harbour tug, 1936"),
                    ("Havfrue", "Ferry, 1952"),
                    ("Little Eider", "Duck punt, 1870"),
                ],
                ["#f06449", "#3a8c8c", "#12263a", "#e9b96e", "#5b7c8d"],
            )
        ],
    ),
)
HARBOUR_COLOURS = Picture(
    "harbour-colours.png",
    "The museum's five colours with their names: Quay, Signal, Tide, Sand and Foam",
    lambda: products.swatches(
        (800, 800),
        [("Quay", "#12263a"), ("Signal", "#f06449"), ("Tide", "#3a8c8c"), ("Sand", "#f2e3c6"), ("Foam", "#dcebe4")],
        "#fffaf1",
        "#12263a",
        "Harbour Museum",
    ),
)
KESTREL_BAGS = Picture(
    "kestrel-bags.jpg",
    "Three bags of coffee on a table: Guji in red, Huila in green and Kerinci in yellow",
    lambda: products.coffee_bags(
        (1600, 1200),
        "kestrel",
        "#e9c9a3",
        "#8a4b2d",
        [("Guji", "#b5482a", "#e9852b"), ("Huila", "#2f4f46", "#6f9a77"), ("Kerinci", "#e3a33a", "#b5482a")],
        "#f9efdf",
        "#2b1a14",
    ),
)
KESTREL_BEANS = Picture(
    "kestrel-beans.jpg",
    "Pattern of dark coffee beans on amber",
    lambda: products.beans((900, 1200), "beans", "#e9a23b", ["#5a2d1c", "#7a3f22", "#45210f"]),
)
KESTREL_PHONES = Picture(
    "kestrel-phones.jpg",
    "Three telephones with the subscription: a welcome, the month's coffees, and what is left in the bag",
    lambda: phones.phones(
        (1600, 1200),
        "kestrel-phones",
        KESTREL,
        [
            phones.opening(
                places.hills((366, 777), "kestrel", ["#5a2d1c", "#b5482a", "#f2b25a"], "#a8442a", "#2b1a14", "#ffe2b0"),
                ["Good", "morning"],
                "See this month",
            ),
            phones.listing(
                "June",
                [
                    ("Guji", "Apricot, jasmine"),
                    ("Huila", "Cocoa, red apple"),
                    ("Kerinci", "Cedar, brown sugar"),
                    ("Nyeri", "Blackcurrant, lime"),
                    ("Decaf Cauca", "Hazelnut, fig"),
                ],
                ["#b5482a", "#2f4f46", "#e3a33a", "#7a3f5a", "#8a6b4f"],
            ),
            phones.tally("Your bag", "9", "cups left", ["M", "T", "W", "T", "F", "S", "S"]),
        ],
    ),
)
STAR_TRAILS = Picture(
    "star-trails.jpg",
    "Black and white: an hour of stars turning over the observatory's dome",
    lambda: places.star_trails((1200, 1600), "lumen"),
)
PLANETS = Picture(
    "planets.jpg",
    "Illustration: four planets on their orbits around a pink star, one of them with rings",
    lambda: _night(1600, 1200),
)
LUMEN_SITE = Picture(
    "lumen-live.jpg",
    "The live page in a browser, dark, with the words 'Look up, together' beside the planets",
    lambda: browser.browser(
        (1600, 1200),
        "lumen-site",
        LUMEN,
        _night(620, 484),
        "Lumen",
        ["Tonight", "Archive", "Learn", "Live"],
        ["Look up,", "together."],
        [("Saturn", "#27306b"), ("Seeing", "#6b5ca5"), ("The Moon", "#3a2f6b")],
        cover=False,
    ),
)
NETWORK_MAP = Picture(
    "northline-network.png",
    "Map of the Northline network: five coloured lines over a pale river",
    lambda: _sketch(charts.network((1600, 1000), "#fafaf7", "#14213d", SIGNALS, "#dbeaf2"), 128),
)
QUILT_TILES = Picture(
    "quilt-tiles.gif",
    "Pattern of quarter discs, stripes, leaves and dots in red, yellow, green and blue",
    lambda: _sketch(
        patterns.tiles((800, 800), "quilt", ["#fafaf7", "#14213d", "#e63946", "#ffb703", "#2a9d8f", "#8fb8de"]), 128
    ),
)
GIRIH = Picture(
    "girih.jpg",
    "Tiled wall of turquoise eight-pointed stars, each with a saffron flower",
    lambda: patterns.girih((1200, 1200), "saffron", "#173f6b", "#0f7c82", "#fbf3e0", "#f2a62b", "#fbf3e0"),
)
SUMMER_TABLE = Picture(
    "framboise.jpg",
    "Poster: a raspberry tart, a bun, an apricot cake and a glazed ring from above, under a scalloped awning",
    lambda: posters.table(
        (1200, 1600),
        "framboise",
        "#f7c9c4",
        "#fffaf2",
        ["#c2184b", "#f29e4c", "#ffd07a", "#e2b07a", "#6b3a2e", "#5b2245"],
        ["Framboise", "MENU DE SAISON", "mardi - dimanche, 7 h - 15 h"],
    ),
)
BOOKS = Picture(
    "classics-row.jpg",
    "Five paperbacks in a row, each with a cover of one ornament in two colours",
    lambda: products.books((2000, 1000), "classics", "#d9c7b0", "#6b4a38", SHELF),
)
BOOK = Picture(
    "classics-salt-road.jpg",
    "The cover of The Salt Road: a yellow moon over lines of waves, on dark blue",
    lambda: products.book((1200, 1200), "salt-road", "#e4b7a0", SALT_ROAD, 0),
)
DASHBOARD = Picture(
    "brightmoor-dashboard.png",
    "The co-operative's dashboard: what was produced, used and saved today, by source and by member",
    lambda: charts.dashboard(
        (1600, 1200),
        "brightmoor",
        BRIGHTMOOR,
        "Brightmoor",
        ["Overview", "Roofs", "Turbines", "Members", "Invoices", "Settings"],
        [
            ("Produced today", "14.2 MWh", "+8% on last week"),
            ("Used", "11.6 MWh", "-3% on last week"),
            ("Sent to the grid", "2.6 MWh", "+21% on last week"),
            ("Saved", "4.1 t CO2", "since midnight"),
        ],
    ),
)
ENERGY_PHONE = Picture(
    "brightmoor-phone.jpg",
    "A week of electricity on a telephone: 68 per cent from the member's own roof",
    lambda: phones.phones(
        (900, 1200),
        "brightmoor-phone",
        BRIGHTMOOR,
        [phones.tally("This week", "68%", "from your own roof", ["M", "T", "W", "T", "F", "S", "S"])],
    ),
)
TIDAL_COVER = Picture(
    "tidal-cover.tif",
    "Cover of the annual report: bands of sea from turquoise to dark green under a white sun",
    lambda: report_cover(900, 1200),
)
SIGNPOST = Picture(
    "aldermere-sign.jpg",
    "A tall street sign on a brick wall: district 7, Old Weir, with arrows and walking times",
    lambda: posters.signs(
        (1200, 1600), "aldermere", "#c98266", "#2e3440", "#fbf7ef", ["#c4432b", "#e2a63b", "#7fb38a", "#8fb8de"]
    ),
)
LEDGER = Picture(
    "open-ledger.jpg",
    "The city's budget as streams: from one bar to schools, care, streets, parks, housing, libraries and the town hall",
    lambda: charts.ledger(
        (1600, 1200),
        "ledger",
        ALDERMERE,
        "Where 312 million goes",
        "City of Aldermere, adopted budget, in millions",
        [
            ("Schools", 94, "#c4432b"),
            ("Care", 71, "#e2a63b"),
            ("Streets and trams", 52, "#5e8c61"),
            ("Parks and rivers", 29, "#2f7f86"),
            ("Housing", 38, "#6b5ca5"),
            ("Libraries and museums", 17, "#d9738f"),
            ("Town hall", 11, "#8a8f99"),
        ],
    ),
)
CHAIRS = Picture(
    "ten-chairs.jpg",
    "Poster: ten chairs built of bars, discs and quarter discs in primary colours",
    lambda: posters.chairs(
        (1200, 1600),
        "chairs",
        "#f3ead9",
        ["#d8432f", "#1f5fae", "#f0b429", "#2b7a5b", "#e79bb0"],
        "#1c1b22",
        ["Ten Chairs", "One joiner, ten decades", "8 May - 19 September 2021", "Municipal Gallery, Aldermere"],
    ),
)
RIDGES = Picture(
    "ridgeway.jpg",
    "Illustration: ranges of hills in evening haze, dark pines in front",
    lambda: places.hills((2000, 1000), "ridgeway", ["#f7b27a", "#fbd7a8", "#fdeccf"], "#e9b795", "#2b3a55", "#fff1d0"),
)
RIDGEWAY_PHONES = Picture(
    "ridgeway-phones.jpg",
    "Three telephones with the walking guide: its opening picture, a route on a map, and walks nearby",
    lambda: phones.phones(
        (1600, 1200),
        "ridgeway-phones",
        RIDGEWAY,
        [
            phones.opening(
                places.hills((366, 777), "opening", ["#2b3a55", "#e4876b", "#fbd7a8"], "#d99a83", "#22304a", "#fff1d0"),
                ["Ridgeway", "Trails"],
                "Choose a walk",
            ),
            phones.trail(
                "Hollow Crag loop", [("11.4 km", "Distance"), ("620 m", "Ascent"), ("3 h 50", "Time")], "crag"
            ),
            phones.listing(
                "Near you",
                [
                    ("Sallow Edge", "4 km, easy"),
                    ("Tarn Round", "9 km, moderate"),
                    ("The Long Dyke", "16 km, hard"),
                    ("Mill Steps", "3 km, easy"),
                    ("Fell Wall", "8 km, moderate"),
                ],
                ["#e4572e", "#9cc3a5", "#2b3a55", "#f2b98c"],
            ),
        ],
    ),
)
PULSE = Picture(
    "soft-machines.jpg",
    "Poster of a concert: glowing lines of sound rise like mountains on a dark ground",
    lambda: posters.pulse(
        (1200, 1600),
        "soft",
        ["#1a0b2e", "#3b1250", "#0b1026"],
        ["#ffd9a0", "#ff7a59", "#e84a8a", "#7a5cff"],
        ["Soft Machines", "The Old Brewery, Aldermere", "17-19 June 2022"],
    ),
)
BANNER = Picture(
    "soft-machines-banner.jpg",
    "Banner: violet melting into orange and pink",
    lambda: posters.weather(
        (2000, 1000), "banner", [["#1a0b2e", "#7a5cff", "#e84a8a"], ["#3b1250", "#ff7a59", "#ffd9a0"]], 9
    ),
)
CUTOUTS = Picture(
    "glasshouse-cutouts.webp",
    "Twelve plants cut from coloured paper, each on a square of its own",
    lambda: patterns.cutouts((1200, 900), "glass", PAPERS, LEAVES),
)
GLASSHOUSE_SHOP = Picture(
    "glasshouse-shop.jpg",
    "The nursery's shop in a browser, with paper cut-outs of plants",
    lambda: browser.browser(
        (1600, 1200),
        "glasshouse",
        GLASSHOUSE,
        patterns.cutouts((800, 600), "shop", PAPERS, LEAVES),
        "Glasshouse",
        ["Plants", "Pots", "Care", "Basket"],
        ["Green things", "for grey days"],
        [("Shade lovers", "#24584a"), ("Easy going", "#8fc1b5"), ("Hanging", "#f2d06b"), ("By light", "#f3c9b5")],
        cover=False,
    ),
)
LITTLE_CITY = Picture(
    "little-cities.jpg",
    "A small city of coloured blocks, parks and two wide streets, seen from above",
    lambda: places.blocks((1600, 1200), "little", ["#cfe8ef", "#f6d9c9"], TOWN, "#fff3b8"),
)
LITTLE_CITY_NIGHT = Picture(
    "little-cities-night.jpg",
    "The same kind of city at night, with lights in its windows",
    lambda: places.blocks(
        (1200, 1200),
        "night",
        ["#1d1b4a", "#3b3372"],
        ["#5a4fa8", "#7a4f9e", "#3f5fae", "#8a6bb8", "#b05a8f", "#2f7f7a"],
        "#ffd76b",
        edge=96,
    ),
)
SPECIMEN = Picture(
    "fathom-specimen.png",
    "A page of a type specimen: the letters R and g with their guides, and the alphabet",
    lambda: posters.specimen((1600, 1200), "Rg", "Fathom", "#ffffff", "#111111").convert("L"),
)
SPECIMEN_DARK = Picture(
    "fathom-dark.png",
    "A dark page of the specimen: an ampersand and the letter Q",
    lambda: posters.specimen((1200, 900), "&Q", "Fathom", "#14161a", "#f4f1ea"),
)
WEATHER = Picture(
    "paper-weather.avif",
    "Blue, peach and mint melting into each other like a sky",
    lambda: posters.weather(
        (1200, 900),
        "weather",
        [["#2d3a8c", "#6b5ca5", "#f08a8a"], ["#4f7fd0", "#f4b6a6", "#ffd9a0"], ["#7fd1c7", "#fbe7c6", "#f7a072"]],
        3,
    ),
)
VASES = Picture(
    "salt-ash-pots.jpg",
    "Four glazed pots on a table, a tall one with a branch in it",
    lambda: products.vases(
        (1600, 1200), "pots", "#e8cdbb", "#b98068", ["#5f7f86", "#d9a066", "#f0e6d6", "#a6513f"], "#4f6b4a"
    ),
)
STATIONERY = Picture(
    "salt-ash-paper.jpg",
    "A letter, an envelope and three cards, in terracotta and cream",
    lambda: products.stationery(
        (1600, 1200), "paper", "#d8d2c6", "#fbf8f1", "#2b2a33", "#c9694a", "Salt & Ash", "Kiln Yard 14, Saltmarsh"
    ),
)
OLD_STUDIO = Picture(
    "studio-2019.bmp",
    "The studio's site of 2019, as small as screens were",
    lambda: browser.browser(
        (400, 300),
        "2019",
        OLD_SITE,
        places.hills((330, 130), "2019", ["#3b78d8", "#8fb8de", "#dcebf7"], "#8fb0d8", "#22304a", "#ffffff"),
        "Studio",
        ["Work", "People", "Hello"],
        ["We make things clear."],
        [("Print", "#3b78d8"), ("Screen", "#8fb8de"), ("Space", "#ffb703")],
    ),
)
POSTCARD = Picture(
    "postcard-lake.webp",
    "Illustration: pale green hills and a low sun",
    lambda: places.hills((1200, 900), "postcard", ["#9fd3d6", "#d6ece2", "#fbf3dc"], "#a9cfc4", "#163f3f", "#fff7df"),
)


def report_cover(width: int, height: int) -> Image.Image:
    return posters.waves(
        (width, height),
        ["#f9a764", "#f4a38a", "#7fb8c4"],
        ["#5fb3b3", "#1f6f8b", "#10372e"],
        "#fffaf0",
        ["Tidal", "Annual report 2022"],
    )
