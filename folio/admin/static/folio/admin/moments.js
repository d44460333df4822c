// Moments in the reader's time zone. The server writes them in UTC and says so; here they are written anew.
(() => {
  const page = document.documentElement;
  const DAY = 86_400_000; // milliseconds
  // The calendar and the digits of the boxes in which moments are typed; British English puts the day before the month.
  const language = `${page.lang && page.lang !== "en" ? page.lang : "en-GB"}-u-ca-gregory-nu-latn`;
  const comma = /^(fa|ar|ur|ps|ckb)\b/.test(page.lang) ? "، " : ", ";

  function ownZone() {
    try {
      const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
      new Intl.DateTimeFormat("en", { timeZone: zone });
      return zone && zone !== "Etc/Unknown" ? zone : "UTC";
    } catch {
      return "UTC";
    }
  }

  const zone = ownZone();
  const formats = new Map();

  function format(options, moment, timeZone, locale = language) {
    const key = JSON.stringify([options, timeZone, locale]);
    if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat(locale, { ...options, timeZone }));
    return formats.get(key).format(moment);
  }

  function timeOf(moment, timeZone) {
    return format({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" }, moment, timeZone);
  }

  /** Return a moment in words, with the zone in which it is told; a short one without. */
  function words(moment, { isShort = false, timeZone = zone } = {}) {
    const date = format({ day: "numeric", month: isShort ? "short" : "long", year: "numeric" }, moment, timeZone);
    if (isShort) return `${date}${comma}${timeOf(moment, timeZone)}`;
    const weekday = format({ weekday: "long" }, moment, timeZone);
    return `${weekday}${comma}${date}${comma}${timeOf(moment, timeZone)} (${timeZone})`;
  }

  /** Return what the clocks of a zone show at a moment: as the moment at which those of UTC show the same. */
  function wallOf(moment, timeZone) {
    const options = { year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" };
    const text = format({ ...options, era: "short", hourCycle: "h23" }, moment, timeZone, "en-US-u-ca-gregory-nu-latn");
    const [month, day, year, hour, minute, second] = text.match(/\d+/g).map(Number);
    const wall = new Date(0);
    wall.setUTCFullYear(year, month - 1, day);
    wall.setUTCHours(hour, minute, second);
    return wall.getTime();
  }

  /** Return the moments at which the clocks of a zone show `wall`: one, none where they skip it, two where they repeat it. */
  function momentsOf(wall, timeZone) {
    const offsets = [wall - DAY, wall + DAY].map((moment) => wallOf(moment, timeZone) - moment);
    const found = [...new Set(offsets)].map((offset) => wall - offset);
    return found.filter((moment) => wallOf(moment, timeZone) === wall).sort((a, b) => a - b);
  }

  /** Write all moments within an element, or the page, in the reader's time zone. */
  function show(within = document) {
    for (const element of within.querySelectorAll("time[data-moment]")) {
      const moment = Date.parse(element.dateTime);
      if (Number.isNaN(moment)) continue;
      element.textContent = words(moment, { isShort: element.dataset.moment === "short" });
      element.title = words(moment);
    }
  }

  window.folioMoments = { zone, words, wallOf, momentsOf, show };
  show();
})();
