// Narrows the table of a shelf to the rows that hold what is typed.
(function () {
  'use strict';
  const box = document.getElementById('narrow'), table = document.querySelector('table.sortable'), count = document.getElementById('narrowed');
  if (!box || !table) return;
  box.closest('p').hidden = false;
  box.addEventListener('input', () => {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean), rows = [...table.tBodies[0].rows];
    let shown = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      if (!row.hidden) shown += 1;
    }
    count.textContent = words.length ? `${shown} of ${rows.length}` : '';
  });
})();
