// Buttons that tick a whole row of a table of permissions, or nothing of it.

for (const button of document.querySelectorAll(".folio-access-table [data-row]")) {
  const boxes = [...button.closest("tr").querySelectorAll("input:enabled")];
  button.hidden = boxes.length < 2;
  button.addEventListener("click", () => {
    const isComplete = boxes.every((box) => box.checked);
    for (const box of boxes) {
      box.checked = !isComplete;
      box.dispatchEvent(new Event("change", { bubbles: true }));
    }
  });
}
