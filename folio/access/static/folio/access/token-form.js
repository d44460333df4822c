// The form for a new API key: what is asked only after some answers is shown after them.

function rowOf(name) {
  return document.querySelector(`.field-${name}`);
}

function follow(question, answer, row) {
  const update = () => {
    row.hidden = document.querySelector(`[name="${question}"]:checked`)?.value !== answer;
  };
  for (const choice of document.getElementsByName(question)) choice.addEventListener("change", update);
  update();
}

follow("lifetime", "date", rowOf("date"));
follow("reach", "some", rowOf("codes"));
follow("reach", "some", rowOf("published_only"));
