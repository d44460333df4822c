// How many characters of how many a text has: shown all the time, and told to screen readers when it becomes tight.

import { fill, number } from "../admin/page.js";

const TIGHT = [100, 50, 20, 10, 0]; // characters left

for (const box of document.querySelectorAll("[data-count-to]")) {
  const most = Number(box.dataset.countTo);
  const count = document.getElementById(`${box.id}_count`);
  if (!count) continue;
  const [shown, told] = count.children;
  let step = -1;
  let timer;

  const show = () => {
    const length = [...box.value.trim()].length; // as the server counts
    const left = most - length;
    shown.textContent = fill(count.dataset.text, { count: number(length), most: number(most) });
    count.classList.toggle("folio-count-over", left < 0);
    const now = left < 0 ? TIGHT.length : TIGHT.filter((limit) => left <= limit).length - 1;
    if (now !== step && now >= 0) {
      clearTimeout(timer);
      timer = setTimeout(() => (told.textContent = left < 0 ? fill(count.dataset.over, { count: number(-left) }) : fill(count.dataset.left, { count: number(left) })), 500);
    }
    step = now;
  };

  count.hidden = false;
  box.addEventListener("input", show);
  show();
}
