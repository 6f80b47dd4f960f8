// Sorts tables by the column whose heading is pressed. Cells carry the number to sort by in data-v.
(function () {
  'use strict';
  for (const table of document.querySelectorAll('table.sortable')) {
    const heads = [...table.tHead.rows[0].cells], body = table.tBodies[0];
    heads.forEach((head, column) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.textContent = head.textContent;
      if (!head.textContent) return;
      head.replaceChildren(button);
      button.addEventListener('click', () => {
        const descending = head.getAttribute('aria-sort') !== 'descending';
        for (const other of heads) other.removeAttribute('aria-sort');
        head.setAttribute('aria-sort', descending ? 'descending' : 'ascending');
        const key = (row) => {
          const cell = row.cells[column], value = cell.dataset.v;
          return value === undefined ? cell.textContent : Number(value);
        };
        const compare = (a, b) => (typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b)));
        const rows = [...body.rows].sort((a, b) => compare(key(a), key(b)));
        body.append(...(descending ? rows.reverse() : rows));
      });
    });
  }
})();
