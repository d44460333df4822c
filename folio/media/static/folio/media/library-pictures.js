// What stands in for a picture goes when the picture is there: it would shine through a transparent one.

function isThere(image) {
  if (image.matches?.("img.folio-thumbnail")) image.style.background = "";
}

/** Watch all pictures of the page, those that come later too. */
export function uncoverPictures() {
  document.addEventListener("load", (event) => isThere(event.target), true); // it doesn't bubble
  for (const image of document.querySelectorAll("img.folio-thumbnail")) if (image.complete) isThere(image);
}
