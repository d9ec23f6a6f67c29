// A search field that hides the rows that do not hold all of its words. Without this script all rows stay.
const field = document.querySelector("input.filter");
const count = document.querySelector(".filter-count");
const rows = [...document.querySelectorAll(field.dataset.rows)];

function filter() {
  const words = field.value.toLowerCase().split(/\s+/);
  for (const row of rows) row.hidden = !words.every((word) => row.textContent.toLowerCase().includes(word));
  count.textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length}`;
}

field.addEventListener("input", filter);
filter();
