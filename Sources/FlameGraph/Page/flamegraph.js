// A flame graph: whole-number weights, and a table of functions below.
openPicture((view) => {
  const { svg, bar, root, nodes, percent } = view, list = svg.querySelector('foreignObject.list');
  for (const node of nodes) {
    const { x, w, s } = node.g.dataset;
    Object.assign(node, { start: Number(x), weight: Number(w), self: Number(s), origin: node.lines[2] || '' });
  }

  function amount(weight) {
    if (svg.dataset.unit === 'samples') {
      return weight.toLocaleString('en') + (weight === 1 ? ' sample' : ' samples');
    }
    if (svg.dataset.unit === 'bytes') {
      let value = weight, unit = 0;
      while (value >= 1024 && unit < 4) { value /= 1024; unit += 1; }
      return (unit ? value.toFixed(1) : String(value)) + ' ' + ['B', 'KiB', 'MiB', 'GiB', 'TiB'][unit];
    }
    if (svg.dataset.unit !== 'nanoseconds') return weight.toLocaleString('en') + ' ' + svg.dataset.unit;
    return weight < 1e9 ? (weight / 1e6).toFixed(0) + ' ms' : (weight / 1e9).toFixed(2) + ' s';
  }

  // ---- The table ----------------------------------------------------------------------------------------
  function isListed() { return Boolean(list && list.classList.contains('open')); }

  // Puts the table below everything else. Returns the height it takes.
  function placeBelow(x, y, width) {
    if (!isListed()) return 0;
    list.setAttribute('y', y);
    list.setAttribute('width', width);
    list.setAttribute('height', 490);
    const height = list.firstElementChild.offsetHeight;
    list.setAttribute('height', height);
    return height + x;
  }

  function setListed(shown) {
    if (!list) return;
    list.classList.toggle('open', shown);
    bar.querySelector('[data-do="list"]').setAttribute('aria-expanded', String(shown));
    if (shown) filterList(view.matcher());
  }

  // The table shows what the search finds; everything while nothing is searched.
  function filterList(test) {
    if (!isListed()) return;
    for (const line of list.querySelectorAll('tbody tr')) {
      line.hidden = Boolean(test && !test(line.cells[0].textContent) && !test(line.cells[1].textContent));
    }
  }

  function sortList(key) {
    const body = list.querySelector('tbody'), heads = [...list.querySelectorAll('th[data-key]')];
    const head = heads.find((other) => other.dataset.key === key);
    const isText = head.classList.contains('text');
    const descending = head.getAttribute('aria-sort') === 'none' ? !isText : head.getAttribute('aria-sort') === 'ascending';
    const value = isText ? (line) => line.cells[heads.indexOf(head)].textContent
      : (line) => Number(key.startsWith('self') ? line.dataset.self : line.dataset.total);
    const order = isText ? (a, b) => (a < b ? -1 : a > b ? 1 : 0) : (a, b) => a - b;
    const lines = [...body.rows].sort((a, b) => (descending ? -1 : 1) * order(value(a), value(b)));
    for (const other of heads) other.setAttribute('aria-sort', 'none');
    head.setAttribute('aria-sort', descending ? 'descending' : 'ascending');
    body.append(...lines);
  }

  function onList(event) {
    const button = event.target.closest('button');
    if (!button) return;
    if (button.dataset.sort) { sortList(button.dataset.sort); return; }
    // Shows a function's rectangles.
    view.box.value = view.box.value === button.textContent ? '' : button.textContent;
    view.regexBox.checked = false;
    view.search();
    view.save();
  }
  if (list) list.addEventListener('click', onList);

  return {
    keys: list ? [['b', 'table', 'list']] : [],
    actions: { list: () => { setListed(!isListed()); view.resize(); view.save(); } },
    describe(node) {
      const parts = [node.name, percent(node.weight / root.weight) + ' of all'];
      if (view.zoomed !== root && view.isAncestor(view.zoomed, node)) {
        parts.push(percent(node.weight / view.zoomed.weight) + ' of view');
      }
      return [...parts, amount(node.weight), 'self ' + amount(node.self), node.origin];
    },
    matched(found, under, what) {
      return percent(found.reduce((sum, node) => sum + node.weight, 0) / under.weight) + ' of ' + what;
    },
    searched: filterList,
    placeBelow,
    // Keys in the table scroll it and press its buttons.
    keeps: (event) => Boolean(list && list.contains(event.target) && event.key !== '/' && event.key !== 'b'),
    state: () => ({ b: isListed() ? '1' : '' }),
    restore: (get) => setListed(get('b') === '1'),
  };
});
