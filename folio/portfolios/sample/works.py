"""The sample's portfolios, in the order in which a studio would show them."""

from datetime import UTC, datetime

from . import pictures, reports
from .content import (
    ACCESSIBILITY,
    ALDERMERE,
    AMELIE,
    BRANDING,
    BRIGHTMOOR,
    DATA,
    DEVELOPMENT,
    GLASSHOUSE,
    HARBOUR_MUSEUM,
    ILLUSTRATION,
    KESTREL,
    LUMEN,
    MARLOW,
    MOBILE,
    NORTHLINE,
    PACKAGING,
    PRINT,
    SAFFRON_HOUSE,
    TYPOGRAPHY,
    WAYFINDING,
    WEB,
    SampleLink,
    SampleMeta,
    SamplePortfolio,
    prose,
)


def day(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


PORTFOLIOS = (
    SamplePortfolio(
        "A site for the Harbour Museum",
        "harbour-museum-site",
        "A site that lets forty old boats tell their own stories, and sells a ticket in under a minute.",
        order=1,
        description=prose(
            """
            The Harbour Museum keeps forty boats afloat. Its old site kept them in a database: a number, a length, a
            year. Visitors came for the restaurant's opening hours and left.

            We spent a week on the quay with the people who caulk, sail and curse these boats, and wrote down what
            they said. Every boat now has a page that begins with a sentence someone said about it. The drawings of
            the harbour are ours; the light in them follows the real tide, which the museum's own gauge sends us
            every ten minutes.

            Tickets take three steps and no account. The whole site weighs less than one photograph of the old one,
            and it was tested with nine visitors who use it with a screen reader, a keyboard or one thumb.
            """
        ),
        image=pictures.HARBOUR_SITE,
        images=(pictures.HARBOUR_QUAY, pictures.HARBOUR_PHONE, pictures.HARBOUR_COLOURS),
        employer=HARBOUR_MUSEUM,
        tags=(WEB, DEVELOPMENT, ILLUSTRATION, ACCESSIBILITY),
        links=(
            SampleLink(
                "Site", "https://harbourmuseum.example/", "Open to everyone, at every tide.", pictures.HARBOUR_LOGO
            ),
            SampleLink(
                "Case study",
                "https://studio.example.com/work/harbour-museum",
                "How a week of listening became forty stories.",
            ),
        ),
        meta=(
            SampleMeta("Quote", "“People now ask for boats by name.” (Ingrid Sollie, curator)"),
            SampleMeta("Role", "Concept, design, illustration, development"),
            SampleMeta("Stack", "Django, PostgreSQL, a little JavaScript"),
            SampleMeta("Duration", "7 months"),
            SampleMeta("Accessibility statement", value_file=reports.HARBOUR_STATEMENT),
            SampleMeta("Colours", "Named after the quay", pictures.HARBOUR_COLOURS),
        ),
        completed_at=day(2024, 5, 14, 9, 30),
    ),
    SamplePortfolio(
        "Kestrel: from sack to cup",
        "kestrel-packaging",
        "Bags for eleven coffees that can be told apart from across the shop, and told about from up close.",
        order=1,
        description=prose(
            """
            Kestrel's coffees change with the harvest, so a bag for each would be out of date before it was printed.
            We designed three bags and a label. The bag's colour says how the coffee tastes: red for fruit, green for
            chocolate, yellow for wood and spice. The label, printed in the roastery, says the rest.

            Each farm has a sign of its own, drawn with the farmers over several long calls: the sun over Guji, the
            terraces of Huila, the three peaks of Kerinci. There are eleven by now, and they have begun to appear on
            the farms' own gates.

            The bags are paper through and through and close with a strip of tin. They fold flat, and the shop takes
            them back.
            """
        ),
        image=pictures.KESTREL_BAGS,
        images=(pictures.KESTREL_BEANS,),
        employer=KESTREL,
        tags=(PACKAGING, BRANDING, ILLUSTRATION),
        links=(SampleLink("Shop", "https://kestrelcoffee.example/shop"),),
        meta=(
            SampleMeta("Role", "Identity, packaging, illustration"),
            SampleMeta("Award", "Northern Packaging Prize 2025, silver"),
            SampleMeta("Printed by", "Weir & Sons, on recycled kraft paper"),
        ),
        completed_at=day(2025, 3, 3),
    ),
    SamplePortfolio(
        "Night Sky Season",
        "night-sky-season",
        "Posters and a season booklet for an observatory, drawn from what can be seen through its telescope.",
        order=2,
        description=prose(
            """
            From October to March the observatory opens on every clear night. Nobody knows in advance which nights
            those are, so the posters could not carry dates. They carry something to look for.

            For the cover we stood on Fell Hill with the shutter open for an hour. The other posters are drawings:
            planets to scale in size but not in distance, because the street would have been too short.

            The booklet glows faintly. Its covers are printed with an ink that drinks light, so that it can be found
            again on a dark bench.
            """
        ),
        image=pictures.STAR_TRAILS,
        images=(pictures.PLANETS,),
        employer=LUMEN,
        tags=(PRINT, ILLUSTRATION),
        links=(SampleLink("Programme", "https://lumen.example/season"),),
        meta=(
            SampleMeta("Role", "Art direction, photography, illustration"),
            SampleMeta("Edition", "2,000 posters, 12,000 booklets"),
        ),
        completed_at=day(2024, 10, 1),
    ),
    SamplePortfolio(
        "Lumen Live",
        "lumen-live",
        "The telescope's view, live in the browser: a site for nights when Fell Hill is in the clouds.",
        order=2,
        description=prose(
            """
            Half of the people who love the observatory can't climb its hill. Lumen Live brings the eyepiece to them:
            whatever the big telescope looks at, the site shows, eight seconds later, with a voice that explains it.

            The page is as dark as the dome. Nothing on it is brighter than Saturn, there is no white, and the red
            mode spares the eyes of those who follow with a telescope of their own.

            On the night of the partial eclipse 41,000 people watched at once. The server, a small one, was at nine
            per cent.
            """
        ),
        image=pictures.LUMEN_SITE,
        images=(pictures.PLANETS, pictures.STAR_TRAILS),
        employer=LUMEN,
        tags=(WEB, DEVELOPMENT, ACCESSIBILITY),
        links=(
            SampleLink("Site", "https://live.lumen.example/"),
            SampleLink("Repository", "https://git.example.org/lumen/live", "The player, under the MIT licence."),
        ),
        meta=(
            SampleMeta("Quote", "“My mother saw the moons of Jupiter from her bed.” (a letter to the observatory)"),
            SampleMeta("Stack", "Python, WebTransport, WebGL"),
            SampleMeta("Duration", "5 months"),
        ),
        completed_at=day(2025, 9, 12, 20),
    ),
    SamplePortfolio(
        "Northline network map",
        "northline-network-map",
        "Five lines, 74 stops and one river: the map in every tram, at every stop and in every pocket.",
        order=3,
        description=prose(
            """
            The old map showed where the tracks are. Passengers want to know where to change. We drew the network
            anew on a grid of 45 degrees, gave every interchange the same strong ring, and kept the river, because it
            is how people here say where they are.

            The five colours can be told apart by people who see colours differently, and each line carries its number
            at both ends for those who see none. We tested eleven drafts at a tram stop, in the rain, with strangers.

            The map is one source file. It makes the poster, the strip above the door, the leaflet and the version
            that a screen reader reads as a list.
            """
        ),
        image=pictures.NETWORK_MAP,
        employer=NORTHLINE,
        tags=(WAYFINDING, DATA, ACCESSIBILITY, PRINT),
        links=(SampleLink("The map", "https://northline.example/map", image=pictures.NORTHLINE_LOGO),),
        meta=(
            SampleMeta("Role", "Cartography, testing, production"),
            SampleMeta("Award", "City Mobility Award 2023"),
        ),
        completed_at=day(2023, 8, 21),
    ),
    SamplePortfolio(
        "خانهٔ زعفران",
        "خانه-زعفران",
        "هویت بصری، منو و سایت یک رستوران ایرانی در آلدرمیر؛ از یک کاشی هشت‌پر تا دفتر رزرو.",
        order=3,
        description=prose(
            """
            خانهٔ زعفران رستورانی کوچک در کوچه‌ای پشت بازار آلدرمیر است. مینا و کاوه نمی‌خواستند جایی بسازند که به
            تصور دیگران از «رستوران ایرانی» شبیه باشد؛ می‌خواستند مهمان حس کند به خانهٔ کسی آمده است.

            نقطهٔ شروع ما یک کاشی بود: ستاره‌ای هشت‌پر که کاوه از خانهٔ پدربزرگش در یزد آورده بود. همین ستاره نشانهٔ
            رستوران شد، روی منو تکرار شد و دیوار ورودی را پوشاند. رنگ‌ها از آشپزخانه آمدند: زعفران، انار، فیروزه و
            لاجورد.

            سایت به دو زبان است و از راست و از چپ به یک اندازه خوب خوانده می‌شود. رزرو میز سه گام دارد و بدون
            جاوااسکریپت هم کار می‌کند.
            """
        ),
        image=pictures.GIRIH,
        employer=SAFFRON_HOUSE,
        tags=(BRANDING, WEB, PRINT),
        links=(SampleLink("سایت", "https://saffronhouse.example/fa/", "به فارسی و انگلیسی"),),
        meta=(
            SampleMeta("Role", "هویت بصری، طراحی سایت، کاشی ورودی"),
            SampleMeta("Quote", "«مهمان‌ها اول دیوار را می‌بینند، بعد منو را.» (مینا)"),
        ),
        completed_at=day(2025, 6, 20),
    ),
    SamplePortfolio(
        "Marlow & Finch Classics",
        "marlow-finch-classics",
        "A series of paperbacks with one ornament and two colours each, made to be collected by the shelf.",
        order=4,
        description=prose(
            """
            Marlow & Finch brings back five forgotten books a year. They have nothing in common but that someone
            loved them, so the series could not look like a subject. It looks like a promise.

            The rules fit on a postcard: one cloth colour, two inks, one ornament built from the shapes of the type
            itself. The ornament must mean something on page one and something else on the last page.

            Thirty-five titles later the rules still hold. Readers send photographs of their shelves.
            """
        ),
        image=pictures.BOOKS,
        images=(pictures.BOOK,),
        employer=MARLOW,
        tags=(PRINT, TYPOGRAPHY, ILLUSTRATION),
        links=(SampleLink("The series", "https://marlowfinch.example/classics"),),
        meta=(
            SampleMeta("Quote", "“Booksellers put them face out without being asked.” (Clara Finch, publisher)"),
            SampleMeta("Role", "Series design, covers, typesetting"),
        ),
        completed_at=day(2022, 10, 7),
    ),
    SamplePortfolio(
        "Ten Chairs",
        "ten-chairs",
        "Identity and poster for an exhibition about one joiner who built one good chair every ten years.",
        order=4,
        description=prose(
            """
            Edda Holm built furniture for seventy years and thought that ten of her chairs had come out right. The
            Municipal Gallery showed those ten, and nothing else.

            The poster does the same. Each chair is cut down to the few shapes that it needs to still be a chair:
            bars, discs, quarter discs. The same shapes, in plywood, held the captions.

            On the last day visitors were allowed to sit down.
            """
        ),
        image=pictures.CHAIRS,
        employer=ALDERMERE,
        tags=(BRANDING, PRINT),
        meta=(
            SampleMeta("Role", "Exhibition identity, poster, captions"),
            SampleMeta("Award", "One Hundred Best Posters 2021"),
            SampleMeta("Duration", "10 weeks"),
        ),
        completed_at=day(2021, 5, 8),
    ),
    SamplePortfolio(
        "Little Cities",
        "little-cities",
        "A picture book and a game in which children plan a town, then have to live in it.",
        order=5,
        description=prose(
            """
            On the left page there is an empty plot and a wish: Mrs Abara wants to see the river, the bakery wants
            customers, the owl wants peace. On the right page there is a box of blocks. The book never says who is
            right.

            The game has the same blocks and no points. Towns grow, get noisy, get lonely; at night one sees by the
            windows who has moved in. It was made for a tablet that is handed around, so nothing is lost when it is
            suddenly upside down.

            Two schools in Aldermere have used it to argue about their own playground.
            """
        ),
        image=pictures.LITTLE_CITY,
        images=(pictures.LITTLE_CITY_NIGHT,),
        employer=MARLOW,
        tags=(ILLUSTRATION, MOBILE, DEVELOPMENT),
        links=(
            SampleLink("The book", "https://marlowfinch.example/little-cities"),
            SampleLink("Play", "https://littlecities.example/", "In the browser, without an account."),
        ),
        meta=(SampleMeta("Stack", "TypeScript, Canvas"), SampleMeta("Ages", "5 to 9")),
        completed_at=day(2020, 12, 2),
    ),
    SamplePortfolio(
        "Brightmoor dashboard",
        "brightmoor-dashboard",
        "What 2,600 owners want to know of their power station, on one screen and in plain words.",
        order=5,
        description=prose(
            """
            Members of the co-operative used to get a spreadsheet once a year. Now they get a sentence every morning:
            "Wind is steady and the roofs are warming up." The sentence is written by rules that we worked out with
            the three people who run the turbines, and it is right more often than the forecast.

            Below the sentence there are four numbers, one curve and one ring. Everything else is one step away. The
            colours say where electricity comes from, never whether it is good: that is for the members to judge.

            The telephone shows the same for one's own roof.
            """
        ),
        image=pictures.DASHBOARD,
        images=(pictures.ENERGY_PHONE,),
        employer=BRIGHTMOOR,
        tags=(DATA, WEB, MOBILE, DEVELOPMENT),
        links=(SampleLink("Case study", "https://studio.example.com/work/brightmoor"),),
        meta=(
            SampleMeta("Quote", "“The questions at our yearly meeting got better.” (Tom Achterberg, chair)"),
            SampleMeta("Stack", "Django, TimescaleDB, SVG"),
            SampleMeta("Duration", "9 months"),
        ),
        completed_at=day(2025, 1, 30),
    ),
    SamplePortfolio(
        "Walking Aldermere",
        "walking-aldermere",
        "212 signs that measure the city in minutes, and persuade people that it is smaller than they think.",
        order=6,
        description=prose(
            """
            Nobody in Aldermere walked from the market to the river, because nobody knew that it takes six minutes.
            The new signs say so. They name places, not streets, and give times for a person with a pram.

            Every district has a number and a colour from its own bricks and shutters. The posts are tall enough to be
            found in a crowd and turned so that their shadow never falls on the writing.

            A year later the city counted: one in nine short tram rides had become a walk. Northline sent flowers.
            """
        ),
        image=pictures.SIGNPOST,
        employer=ALDERMERE,
        tags=(WAYFINDING, ACCESSIBILITY, TYPOGRAPHY),
        meta=(
            SampleMeta("Role", "Strategy, product design, maps"),
            SampleMeta("Fabricated by", "Holm Metalwork"),
            SampleMeta("Duration", "2 years"),
        ),
        completed_at=day(2021, 9, 18),
    ),
    SamplePortfolio(
        "Ridgeway Trails",
        "ridgeway-trails",
        "A walking guide whose 60 walks all begin and end at a tram stop.",
        order=7,
        description=prose(
            """
            The hills begin where line 2 ends. Ridgeway Trails is Northline's gift to its passengers: sixty walks,
            each from one stop to another, with the last tram home in view all the time.

            Maps, texts and drawings are on the telephone before the walk begins, because there is no signal on the
            ridge. The map shows only what one meets: a gate, a wall, a dog.

            We walked all sixty. The times are ours, with sandwiches.
            """
        ),
        image=pictures.RIDGES,
        images=(pictures.RIDGEWAY_PHONES,),
        employer=NORTHLINE,
        tags=(MOBILE, ILLUSTRATION, WAYFINDING),
        links=(
            SampleLink("Get the guide", "https://northline.example/ridgeway"),
            SampleLink("Paper edition", None, "At every ticket office, while it lasts."),
        ),
        meta=(SampleMeta("Role", "Concept, cartography, app"), SampleMeta("Stack", "Swift, Kotlin, SQLite")),
        completed_at=day(2023, 5, 5),
    ),
    SamplePortfolio(
        "Soft Machines",
        "soft-machines",
        "Posters and stage pictures for three nights of electronic music in a disused brewery.",
        order=8,
        description=prose(
            """
            Every line on the poster is one second of sound, recorded in the empty brewery: a drip, a tram, a
            compressor two streets away. The loudest line is a door.

            During the concerts the same program drew the music live on the copper of the old kettles. It ran on one
            laptop, which a musician borrowed on the second night and returned on the third.
            """
        ),
        image=pictures.PULSE,
        images=(pictures.BANNER,),
        employer=ALDERMERE,
        tags=(PRINT, DATA, DEVELOPMENT),
        links=(SampleLink("Recordings", "https://softmachines.example.org/2022"),),
        meta=(SampleMeta("Role", "Identity, posters, stage pictures"),),
        completed_at=day(2022, 6, 17),
    ),
    SamplePortfolio(
        "Glasshouse",
        "glasshouse",
        "A shop for house plants that asks about your windows before it shows you a single leaf.",
        order=8,
        description=prose(
            """
            Most house plants die of the wrong window. So the shop begins with a compass: which way does your room
            face, what is across the street, do you forget to water? What remains is a short list of plants that will
            live.

            We cut the pictures from coloured paper, with scissors. A photograph promises that one exact plant; a
            cut-out promises its kind, and the kind is what one gets.

            Returns have fallen by half. The scissors hang in the nursery's office.
            """
        ),
        image=pictures.CUTOUTS,
        images=(pictures.GLASSHOUSE_SHOP,),
        employer=GLASSHOUSE,
        tags=(WEB, ILLUSTRATION, BRANDING),
        links=(SampleLink("Shop", "https://glasshouse.example/"),),
        meta=(
            SampleMeta(
                "Quote", "“Customers write to us about how their plant is doing. By name.” (Jonas Reed, gardener)"
            ),
            SampleMeta("Stack", "Django, htmx"),
        ),
        completed_at=day(2024, 3, 8),
    ),
    SamplePortfolio(
        "Fathom",
        "fathom",
        "A typeface for signs and screens that stays readable in fog, at speed and without one's glasses.",
        order=9,
        description=prose(
            """
            Fathom began as a correction. On the signs of Aldermere the letters a, e and s closed up in drizzle; we
            opened them, then had to open everything else.

            The specimen shows what we are proud of: the R that stands on its own leg, the g that does not pretend to
            be handwriting, the ampersand that took a month. It comes in one weight, because one was enough.

            Fathom may be used by anyone for anything.
            """
        ),
        image=pictures.SPECIMEN,
        images=(pictures.SPECIMEN_DARK,),
        tags=(TYPOGRAPHY, ACCESSIBILITY),
        links=(
            SampleLink("Specimen", "https://studio.example.com/fathom"),
            SampleLink("Repository", "https://git.example.org/studio/fathom", "Sources and builds."),
        ),
        meta=(SampleMeta("Licence", "Open Font License"), SampleMeta("Glyphs", "412")),
        completed_at=day(2023, 12, 15),
    ),
    SamplePortfolio(
        "Open Ledger",
        "open-ledger",
        "Where a city's 312 million go: a budget that can be read from the street and checked to the last invoice.",
        order=10,
        description=prose(
            """
            The treasurer's brief was one line: "Make it so clear that I get complaints about the budget and not about
            the website."

            The first view is a river that splits. Each arm can be followed down to the single payment, and every
            view has an address that can be sent to a councillor. The data is published as files, the same ones that
            the pages are made from, so that anyone can check our sums. Two pupils did, and found a mistake of ours.

            The complaints are about the budget now.
            """
        ),
        image=pictures.LEDGER,
        employer=ALDERMERE,
        tags=(DATA, WEB, DEVELOPMENT, ACCESSIBILITY),
        links=(
            SampleLink("Site", "https://ledger.aldermere.example/"),
            SampleLink("Repository", "https://git.example.org/aldermere/ledger"),
            SampleLink("Data", "http://data.example.net/aldermere/budget.csv", "Renewed every night."),
        ),
        meta=(
            SampleMeta("Award", "Open City Award 2022, first prize"),
            SampleMeta("Stack", "Python, DuckDB, D3"),
            SampleMeta("Duration", "6 months"),
        ),
        completed_at=day(2022, 2, 22),
    ),
    SamplePortfolio(
        "Paper Weather",
        "paper-weather",
        "A print that changes with the sky outside: an experiment with electronic paper and four colours.",
        order=11,
        description=prose(
            """
            We hung a frame in the studio's window. Every quarter of an hour it takes the colour of the sky in four
            places and melts them into one picture. On grey days it is the most modest picture in the house; before a
            thunderstorm people come in from the street.

            There is nothing to press. Visitors look for the button for about a minute, and then they look at the sky.
            """
        ),
        image=pictures.WEATHER,
        tags=(DEVELOPMENT, ILLUSTRATION),
        links=(SampleLink("Repository", "https://git.example.org/studio/paper-weather", "With a list of parts."),),
        meta=(SampleMeta("Stack", "MicroPython, electronic paper"),),
        completed_at=day(2024, 8, 30),
    ),
    SamplePortfolio(
        "Kestrel by post",
        "kestrel-by-post",
        "A coffee subscription that counts cups instead of months, and never sends a bag too early.",
        order=12,
        description=prose(
            """
            Subscriptions go wrong in the holidays. Kestrel's does not know months at all: one tells it how many cups
            there are on a usual day, and it sends the next bag when three are left. A tap on "I'm away" stops
            everything, and nobody has to explain.

            The whole of it is one page that works on any telephone without being installed. The morning picture is
            drawn from the hills of the farm that one is drinking from.
            """
        ),
        image=pictures.KESTREL_PHONES,
        images=(pictures.KESTREL_BAGS, pictures.KESTREL_BEANS),
        employer=KESTREL,
        tags=(MOBILE, WEB, DEVELOPMENT),
        links=(SampleLink("Subscribe", "https://kestrelcoffee.example/post"),),
        meta=(
            SampleMeta("Role", "Product design, development"),
            SampleMeta("Stack", "Django, PostgreSQL, a service worker"),
            SampleMeta("Duration", "14 weeks"),
        ),
        completed_at=day(2025, 11, 4),
    ),
    SamplePortfolio(
        "Tidal",
        "tidal-annual-report",
        "An annual report printed in the eleven colours of one river, from ebb to flood.",
        order=13,
        description=prose(
            """
            A report has to be published. It does not have to be read; that part was our job. The co-operative's year
            is told in eleven tides, one to a page, each in the colour that the river had at that hour.

            The figures stand on the last spread, complete and in plain black, for those who begin there.
            """
        ),
        image=pictures.TIDAL_COVER,
        employer=BRIGHTMOOR,
        tags=(PRINT, DATA, ILLUSTRATION),
        meta=(
            SampleMeta("The report", value_file=reports.TIDAL),
            SampleMeta("Printed by", "Weir & Sons, in eleven spot colours"),
        ),
        completed_at=day(2023, 3, 24),
    ),
    SamplePortfolio(
        "Quilt",
        "quilt",
        "A design system in patches: what every screen, machine and sign of a transit company is sewn from.",
        order=14,
        description=prose(
            """
            Northline had nine shades of its own red. Quilt has one. It also has 38 patches: small parts that are
            drawn, written, tested and explained together, and of which each can be used alone.

            A patch is only accepted if two teams need it. That rule has kept Quilt small, and it has brought teams to
            talk that shared a corridor for years.

            The pattern on the cover is its test page: if a colour or a corner is wrong anywhere, it shows here.
            """
        ),
        image=pictures.QUILT_TILES,
        images=(pictures.NETWORK_MAP,),
        employer=NORTHLINE,
        tags=(BRANDING, DEVELOPMENT, WEB),
        links=(
            SampleLink("Documentation", "https://quilt.northline.example/"),
            SampleLink("Repository", "https://git.example.org/northline/quilt", "Web components without a framework."),
        ),
        meta=(
            SampleMeta("Role", "Design system, documentation, training"),
            SampleMeta("Stack", "CSS, web components, Playwright"),
        ),
        completed_at=day(2024, 1, 19),
    ),
    SamplePortfolio(
        "Salt & Ash",
        "salt-and-ash",
        "Name, mark and stationery for a potter, paid in bowls.",
        order=15,
        description=prose(
            """
            Three shapes are enough to throw a bowl, and three shapes make the mark: a half, a quarter, a whole. It
            can be pressed into clay with a thumb and a coin, which is how it gets onto the pots.

            The paper has the colour of the unfired body, the envelope that of the fired one. There is no site. There
            is a card with a telephone number, and the potter answers.
            """
        ),
        image=pictures.VASES,
        images=(pictures.STATIONERY,),
        tags=(BRANDING, PRINT),
        meta=(SampleMeta("Fee", "Twelve bowls"),),
        completed_at=day(2020, 6, 11),
    ),
    SamplePortfolio(
        "Pâtisserie Amélie: menu de saison",
        "pâtisserie-amélie",
        "A poster for each season that is menu, awning and apology for the queue in one.",
        order=16,
        description=prose(
            """
            Amélie bakes four things a day, and they are gone by eleven. Her menu is therefore a poster: four plates,
            seen as one sees them when it is one's turn at last.

            Each season has its own: Framboise, Mirabelle, Châtaigne, Clémentine. The old ones may be taken home from
            the first day of the next season, and there is a queue for that as well.
            """
        ),
        image=pictures.SUMMER_TABLE,
        employer=AMELIE,
        tags=(PRINT, ILLUSTRATION),
        meta=(SampleMeta("Quote", "« On mange d'abord avec les yeux, ensuite avec les doigts. » (Amélie)"),),
        completed_at=day(2023, 6, 1),
    ),
    SamplePortfolio(
        "Postcards from the studio",
        "postcards",
        "Where we went instead of working: a card each summer, to everyone who worked with us.",
        order=20,
        image=pictures.POSTCARD,
        images=(pictures.RIDGES,),
        tags=(ILLUSTRATION, PRINT),
        completed_at=day(2021, 8, 2),
    ),
    SamplePortfolio(
        "Northline ticket machine",
        "northline-ticket-machine",
        "A machine that asks where you are going instead of which zone. A prototype, in trial at three stops.",
        order=90,
        description=prose(
            """
            Still on trial at Foundry, Docks and Weir. We watch, and we change it every Thursday. Not to be shown
            before the trial ends.
            """
        ),
        employer=NORTHLINE,
        tags=(ACCESSIBILITY, DEVELOPMENT),
        meta=(SampleMeta("Stack", "Rust, Quilt"),),
        is_active=False,
    ),
    SamplePortfolio(
        "Winter gazette",
        "winter-gazette",
        "A newspaper of one sheet about books, for people who wait for trams. A draft.",
        order=90,
        employer=MARLOW,
        tags=(PRINT, TYPOGRAPHY),
        is_active=False,
    ),
    SamplePortfolio(
        "Studio site, 2019",
        "studio-site-2019",
        "Our own first site, kept for the record: 400 pixels wide and sure of itself.",
        order=99,
        description="It had one page, one photograph and a counter. We miss the counter.",
        image=pictures.OLD_STUDIO,
        tags=(WEB,),
        links=(SampleLink("Archived site", "http://2019.studio.example.com/"),),
        completed_at=day(2019, 3, 1),
        is_active=False,
    ),
)
