// Brings a flame graph to life: zoom, search, keyboard, theme, state in the address.
// No globals and no ids: several pictures may live in one page, each with its own copy of this function.
(function () {
  'use strict';
  const script = document.currentScript;
  const svg = script ? script.closest('svg') : document.querySelector('svg.freeze-flamegraph:not(.live)');
  const tree = svg.querySelector('.frames');
  const bar = svg.querySelector('foreignObject');
  const footer = svg.querySelector('.footer');
  const heading = svg.querySelector('.heading');
  const page = svg.querySelector('.page');
  const box = bar.querySelector('input[type="search"]');
  const regexBox = bar.querySelector('.regex');
  const status = bar.querySelector('[role="status"]');
  const details = bar.querySelector('.details');
  const list = svg.querySelector('foreignObject.list');
  const levels = Number(svg.dataset.levels);
  const row = 18, margin = 10, barTop = 56;
  const KEYS = 'Arrows: move · Enter: zoom · Esc: zoom out · / search · n, N: next, previous match'
    + ' · i: flip · b: table · t: theme · Home: root';

  // The rectangles, as they stand in the document: depth first, each before its children.
  const nodes = [];
  const open = [];
  for (const g of tree.querySelectorAll('[role="treeitem"]')) {
    const level = Number(g.getAttribute('aria-level')) - 1;
    const lines = g.querySelector('title').textContent.split('\n');
    const node = {
      index: nodes.length, g, level, name: lines[0], origin: lines[2] || '', rect: g.querySelector('rect'),
      text: g.querySelector('text'), start: Number(g.dataset.x), weight: Number(g.dataset.w),
      self: Number(g.dataset.s), compact: g.dataset.c || lines[0], path: g.dataset.p,
      isFrame: !g.classList.contains('root') && !g.classList.contains('small'),
      parent: level > 0 ? open[level - 1] : null, children: [], isHit: false,
    };
    if (node.parent) node.parent.children.push(node);
    open[level] = node;
    nodes.push(node);
  }
  const root = nodes[0];
  if (!root) return;

  let zoomed = root, current = root, hits = [], isFlame = svg.dataset.orientation === 'flame', theme = '';
  let characterWidth = 7.23, width = 1200;

  // ---- Text ---------------------------------------------------------------------------------------------
  const WIDE = /[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6]|[\u{1F300}-\u{1FAFF}\u{20000}-\u{3FFFD}]/u;
  const ZERO = /[\u0300-\u036F\u200B-\u200D\uFE00-\uFE0F]/;

  function cells(character) {
    return ZERO.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  }

  function cellsOf(text) {
    let count = 0;
    for (const character of text) count += cells(character);
    return count;
  }

  // The name, its compact form, or the beginning of that: LabelText.fitted does the same for the still picture.
  function fit(node, available) {
    const room = Math.floor((available - 6) / characterWidth);
    if (room < 2) return '';
    if (cellsOf(node.name) <= room) return node.name;
    if (cellsOf(node.compact) <= room) return node.compact;
    let text = '', used = 1;
    for (const character of node.compact) {
      used += cells(character);
      if (used > room) break;
      text += character;
    }
    return text + '\u2026';
  }

  function percent(share) {
    const value = share * 100;
    return value.toFixed(value > 0 && value < 0.1 ? 2 : 1) + ' %';
  }

  function amount(weight) {
    if (svg.dataset.unit === 'samples') {
      return weight.toLocaleString('en') + (weight === 1 ? ' sample' : ' samples');
    }
    return weight < 1e9 ? (weight / 1e6).toFixed(0) + ' ms' : (weight / 1e9).toFixed(2) + ' s';
  }

  // ---- Drawing ------------------------------------------------------------------------------------------
  function isAbove(node, other) {
    return node !== other && node.start <= other.start && node.level < other.level
      && node.start + node.weight >= other.start + other.weight && isAncestor(node, other);
  }

  function isAncestor(node, other) {
    while (other && other.level > node.level) other = other.parent;
    return other === node;
  }

  function place(node, x, w) {
    const y = (isFlame ? levels - 1 - node.level : node.level) * row;
    node.g.removeAttribute('display');
    node.rect.setAttribute('x', x);
    node.rect.setAttribute('y', y);
    node.rect.setAttribute('width', Math.max(w - (w > 2 ? 0.6 : 0), 0.05));
    const text = fit(node, w);
    node.text.textContent = text;
    if (text) {
      node.text.setAttribute('x', x + 3);
      node.text.setAttribute('y', y + 12.5);
    }
  }

  function draw() {
    const inner = width - 2 * margin, scale = inner / zoomed.weight;
    // A subtree stands together in the document, so it ends at the first node that is not deeper.
    let inside = false;
    for (const node of nodes) {
      if (node === zoomed) inside = true;
      else if (inside && node.level <= zoomed.level) inside = false;
      const above = !inside && isAbove(node, zoomed);
      node.g.classList.toggle('above', above);
      const w = node.weight * scale;
      if (above) place(node, margin, inner);
      else if (inside && w >= 0.1) place(node, margin + (node.start - zoomed.start) * scale, w);
      else node.g.setAttribute('display', 'none');
    }
  }

  // Text that was set for 1200 units is made smaller where the page is narrower than it.
  function shrinkage(group) {
    const box = group.getBBox();
    return Math.min(1, (width - margin) / Math.max(1, box.x + box.width));
  }

  function resize() {
    width = Math.max(320, svg.getBoundingClientRect().width || 1200);
    bar.setAttribute('width', width - 2 * margin);
    const barHeight = Math.max(54, bar.firstElementChild.offsetHeight);
    bar.setAttribute('height', barHeight);
    const top = barTop + barHeight + 6, bottom = top + levels * row;
    const listHeight = placeList(bottom + footerHeight);
    tree.setAttribute('transform', `translate(0,${top})`);
    footer.setAttribute('transform', `translate(0,${bottom}) scale(${shrinkage(footer)})`);
    heading.setAttribute('transform', `scale(${shrinkage(heading)})`);
    const height = bottom + footerHeight + listHeight;
    svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
    svg.setAttribute('height', height);
    page.setAttribute('height', height);
    draw();
  }

  // ---- The table ----------------------------------------------------------------------------------------
  function isListed() { return Boolean(list && list.classList.contains('open')); }

  // Puts the table below everything else. Returns the height it takes.
  function placeList(y) {
    if (!isListed()) return 0;
    list.setAttribute('y', y);
    list.setAttribute('width', width - 2 * margin);
    list.setAttribute('height', 490);
    const height = list.firstElementChild.offsetHeight;
    list.setAttribute('height', height);
    return height + margin;
  }

  function setListed(shown) {
    if (!list) return;
    list.classList.toggle('open', shown);
    bar.querySelector('[data-do="list"]').setAttribute('aria-expanded', String(shown));
    if (shown) filterList();
  }

  // The table shows what the search finds; everything while nothing is searched.
  function filterList() {
    if (!isListed()) return;
    const test = matcher();
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
    box.value = box.value === button.textContent ? '' : button.textContent;
    regexBox.checked = false;
    search();
    save();
  }

  // ---- Zoom and focus -----------------------------------------------------------------------------------
  function show(node) {
    const parts = [node.name, percent(node.weight / root.weight) + ' of all'];
    if (zoomed !== root && isAncestor(zoomed, node)) {
      parts.push(percent(node.weight / zoomed.weight) + ' of view');
    }
    parts.push(amount(node.weight), 'self ' + amount(node.self));
    if (node.origin) parts.push(node.origin);
    details.textContent = parts.join(' \u00b7 ');
  }

  function focus(node) {
    current.g.setAttribute('tabindex', '-1');
    current = node;
    node.g.setAttribute('tabindex', '0');
    node.g.focus({ preventScroll: false });
    show(node);
  }

  function zoom(node) {
    zoomed = node;
    draw();
    count();
    save();
    show(node);
  }

  // ---- Search -------------------------------------------------------------------------------------------
  // Names and where they are from are searched, not the numbers beside them.
  // What the search asks for, as a test; null for nothing, and for an expression that is none.
  function matcher() {
    const wanted = box.value;
    if (!wanted) return null;
    if (regexBox.checked) {
      try {
        const expression = new RegExp(wanted, 'i');
        return (text) => expression.test(text);
      } catch (error) {
        return null;
      }
    }
    const lower = wanted.toLowerCase();
    return (text) => text.toLowerCase().includes(lower);
  }

  function search() {
    const test = matcher();
    box.removeAttribute('aria-invalid');
    status.textContent = '';
    if (box.value && !test) {
      box.setAttribute('aria-invalid', 'true');
      status.textContent = 'not a regular expression';
    }
    hits = [];
    for (const node of nodes) {
      node.isHit = Boolean(test && node.isFrame && (test(node.name) || test(node.origin)));
      node.g.classList.toggle('hit', node.isHit);
      if (node.isHit) hits.push(node);
    }
    if (test) count();
    filterList();
  }

  // The weight under a node that is in any match, each sample once.
  function matchedWeight(under) {
    for (let node = under; node; node = node.parent) if (node.isHit) return under.weight;
    let sum = 0, skipDeeperThan = Infinity, inside = false;
    for (const node of nodes) {
      if (node === under) { inside = true; continue; }
      if (inside && node.level <= under.level) break;
      if (!inside) continue;
      if (node.level > skipDeeperThan) continue;
      skipDeeperThan = Infinity;
      if (node.isHit) { sum += node.weight; skipDeeperThan = node.level; }
    }
    return sum;
  }

  function count() {
    if (!box.value || box.hasAttribute('aria-invalid')) return;
    const frames = hits.length === 1 ? '1 frame' : hits.length.toLocaleString('en') + ' frames';
    const ofAll = percent(matchedWeight(root) / root.weight) + ' of all';
    const ofView = zoomed === root ? '' : ', ' + percent(matchedWeight(zoomed) / zoomed.weight) + ' of view';
    status.textContent = frames + ', ' + ofAll + ofView;
  }

  function step(direction) {
    const visible = hits.filter((node) => !node.g.hasAttribute('display'));
    if (!visible.length) return;
    const after = visible.findIndex((node) => node.index > current.index);
    const before = visible.findLastIndex((node) => node.index < current.index);
    const next = direction > 0 ? (after < 0 ? 0 : after) : (before < 0 ? visible.length - 1 : before);
    focus(visible[next]);
  }

  // ---- State in the address -----------------------------------------------------------------------------
  // Frames are named by the hash of their path, so an address outlives a change of widths. Two pictures in one
  // page number their keys. In some frames and data: addresses the history may not be touched; that is no harm.
  function prefix() {
    const all = [...document.querySelectorAll('svg.freeze-flamegraph')];
    return all.length > 1 ? (all.indexOf(svg) + 1) + '.' : '';
  }

  function save() {
    try {
      const state = new URLSearchParams(location.hash.slice(1)), p = prefix();
      const values = {
        z: zoomed === root ? '' : zoomed.path, s: box.value, r: regexBox.checked ? '1' : '',
        o: isFlame ? 'flame' : svg.dataset.orientation === 'flame' ? 'icicle' : '', t: theme,
        b: isListed() ? '1' : '',
      };
      for (const key of Object.keys(values)) {
        if (values[key]) state.set(p + key, values[key]); else state.delete(p + key);
      }
      const text = state.toString();
      history.replaceState(null, '', text ? '#' + text : location.pathname + location.search);
    } catch (error) { /* see above */ }
  }

  function restore() {
    let state;
    try { state = new URLSearchParams(location.hash.slice(1)); } catch (error) { return; }
    const p = prefix(), orientation = state.get(p + 'o') || svg.dataset.orientation;
    zoomed = nodes.find((node) => node.path === state.get(p + 'z')) || root;
    box.value = state.get(p + 's') || '';
    regexBox.checked = state.get(p + 'r') === '1';
    isFlame = orientation === 'flame';
    setTheme(state.get(p + 't') || theme || remembered());
    setListed(state.get(p + 'b') === '1');
    draw();
    search();
    if (zoomed !== root) show(zoomed);
    else details.textContent = 'Click a frame, or press Enter on it, to zoom. Press ? for the keys.';
  }

  // ---- Theme --------------------------------------------------------------------------------------------
  function remembered() {
    try { return localStorage.getItem('freeze-flamegraph-theme') || ''; } catch (error) { return ''; }
  }

  function setTheme(name) {
    theme = name === 'dark' || name === 'light' ? name : '';
    svg.style.colorScheme = theme || 'light dark';
  }

  function changeTheme() {
    const isDark = theme ? theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
    setTheme(isDark ? 'light' : 'dark');
    try { localStorage.setItem('freeze-flamegraph-theme', theme); } catch (error) { /* not remembered, then */ }
    save();
  }

  // ---- Hands --------------------------------------------------------------------------------------------
  const actions = {
    next: () => step(1),
    previous: () => step(-1),
    reset: () => zoom(root),
    flip: () => { isFlame = !isFlame; draw(); save(); },
    theme: changeTheme,
    list: () => { setListed(!isListed()); resize(); save(); },
    help: () => { details.textContent = KEYS; },
    search: () => { box.focus(); box.select(); },
  };

  function nodeOf(target) {
    const g = target.closest && target.closest('[role="treeitem"]');
    return g && tree.contains(g) ? nodes.find((node) => node.g === g) : null;
  }

  function sibling(node, direction) {
    const family = node.parent ? node.parent.children : [node];
    return family[family.indexOf(node) + direction] || node;
  }

  function isShown(node) { return node && !node.g.hasAttribute('display'); }

  function move(key) {
    const inward = isFlame ? 'ArrowUp' : 'ArrowDown';
    let next = current;
    if (key === 'ArrowLeft') next = sibling(current, -1);
    else if (key === 'ArrowRight') next = sibling(current, 1);
    else if (key === inward) next = current.children[0] || current;
    else next = current.parent || current;
    focus(isShown(next) ? next : isShown(current) ? current : zoomed);
  }

  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const inBox = event.target === box;
    // Keys in the table scroll it and press its buttons.
    if (list && list.contains(event.target) && event.key !== '/' && event.key !== 'b') return;
    if (!inBox && bar.contains(event.target) && (event.key === 'Enter' || event.key === ' ')) return;
    let known = true;
    if (inBox) {
      if (event.key === 'Enter') { step(event.shiftKey ? -1 : 1); box.focus(); }
      else if (event.key === 'Escape') { box.value = ''; search(); save(); focus(current); }
      else known = false;
    } else if (event.key.startsWith('Arrow')) move(event.key);
    else if (event.key === 'Enter' || event.key === ' ') zoom(current);
    else if (event.key === 'Escape' || event.key === '0') zoom(root);
    else if (event.key === 'Home') focus(zoomed);
    else {
      const action = { '/': 'search', n: 'next', N: 'previous', i: 'flip', b: 'list', t: 'theme', '?': 'help' }[event.key];
      if (action) actions[action](); else known = false;
    }
    if (known) { event.preventDefault(); event.stopPropagation(); }
  }

  tree.addEventListener('click', (event) => {
    const node = nodeOf(event.target);
    if (node) { focus(node); zoom(node); }
  });
  tree.addEventListener('mouseover', (event) => { const node = nodeOf(event.target); if (node) show(node); });
  tree.addEventListener('focusin', (event) => {
    const node = nodeOf(event.target);
    if (node && node !== current) focus(node);
    else if (node) show(node);
  });
  svg.addEventListener('keydown', onKey);
  bar.addEventListener('click', (event) => {
    const button = event.target.closest('[data-do]');
    if (button) actions[button.dataset.do]();
  });
  if (list) list.addEventListener('click', onList);
  box.addEventListener('input', () => { search(); save(); });
  regexBox.addEventListener('change', () => { search(); save(); });
  addEventListener('hashchange', () => { restore(); resize(); });
  addEventListener('resize', resize);

  // ---- Start --------------------------------------------------------------------------------------------
  const footerHeight = svg.viewBox.baseVal.height - 58 - levels * row;
  svg.classList.add('live');
  svg.setAttribute('width', '100%');
  // Width of the monospace font that this browser took, measured on a line of it.
  const probe = root.text.textContent;
  root.text.textContent = 'M'.repeat(100);
  characterWidth = root.text.getComputedTextLength() / 100 || characterWidth;
  root.text.textContent = probe;
  restore();
  resize();
  // Until the page is whole it is not known whether this picture is the only one.
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', restore);
})();
