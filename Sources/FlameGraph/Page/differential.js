// Brings a differential flame graph to life: zoom, search, keyboard, absolute or share, theme, state in the address.
// No globals and no ids: several pictures may live in one page, each with its own copy of this function.
(function () {
  'use strict';
  const script = document.currentScript;
  const svg = script ? script.closest('svg') : document.querySelector('svg.differential:not(.live)');
  const part = (selector) => svg.querySelector(selector);
  const tree = part('.frames'), bar = part('foreignObject'), footer = part('.footer'), heading = part('.heading');
  const page = part('.page'), box = bar.querySelector('input[type="search"]'), regexBox = bar.querySelector('.regex');
  const status = bar.querySelector('[role="status"]'), details = bar.querySelector('.details');
  const modeButton = bar.querySelector('[data-do="mode"]');
  const levels = Number(svg.dataset.levels), steps = svg.dataset.steps.split(' ').map(Number);
  const fewest = Number(svg.dataset.fewest), row = 18, margin = 10, barTop = 56;
  const KEYS = 'Arrows: move · Enter: zoom · Esc: zoom out · / search · n, N: next, previous match'
    + ' · m: seconds or shares · i: flip · t: theme · Home: root';

  // The rectangles as they stand in the document: depth first, each before its children.
  const nodes = [], open = [];
  for (const g of tree.querySelectorAll('[role="treeitem"]')) {
    const level = Number(g.getAttribute('aria-level')) - 1, d = g.dataset;
    const lines = g.querySelector('title').textContent.split('\n');
    const node = {
      index: nodes.length, g, level, name: lines[0], origin: lines[3] || '', compact: d.c || lines[0],
      rect: g.querySelector('rect'), text: g.querySelector('text'), title: g.querySelector('title'), path: d.p,
      b: Number(d.b), a: Number(d.a), sb: Number(d.sb), sa: Number(d.sa), nb: Number(d.nb), na: Number(d.na),
      isFrame: !g.classList.contains('root') && !g.classList.contains('small'), selfLine: lines[2] || '',
      parent: level > 0 ? open[level - 1] : null, children: [], isHit: false, start: 0, weight: 0, sign: '',
    };
    if (node.parent) node.parent.children.push(node);
    open[level] = node;
    nodes.push(node);
  }
  const root = nodes[0];
  if (!root) return;
  let zoomed = root, current = root, hits = [], isFlame = svg.dataset.orientation === 'flame', theme = '';
  let mode = svg.dataset.mode, characterWidth = 7.23, width = 1200;

  // ---- Values -------------------------------------------------------------------------------------------
  function factors() {
    const inverse = (total) => (total > 0 ? 1 / total : 0);
    if (mode === 'share') return [inverse(root.b), inverse(root.a)];
    const factor = inverse(Math.max(root.b, root.a));
    return [factor, factor];
  }

  const fixed = (value, decimals) => Math.abs(value).toFixed(decimals);
  const signed = (value, decimals) => (/[1-9]/.test(fixed(value, decimals)) ? (value > 0 ? '+' : '\u2212') : '\u00b1')
    + fixed(value, decimals);

  function amount(value) {
    if (svg.dataset.unit === 'samples') return Math.round(value).toLocaleString('en') + ' samples';
    return value >= 100 ? value.toFixed(1) + ' s' : value >= 1 ? value.toFixed(2) + ' s' : (1000 * value).toFixed(1) + ' ms';
  }

  // DifferentialLayout.change and .places do the same for the still picture.
  function measure() {
    const [fb, fa] = factors();
    for (const node of nodes) {
      const points = 100 * (node.a * fa - node.b * fb), own = (value, count) => (count > 0 ? value * value / count : 0);
      const errors = Math.sqrt(own(node.b * fb, node.nb) + own(node.a * fa, node.na));
      let kind = 'same';
      const step = steps.filter((limit) => Math.abs(points) >= limit).length;
      if (step > 0 && Math.abs(points) > 200 * errors) kind = (points > 0 ? 'more' : 'less') + step;
      if (node.isFrame && node.nb === 0 && node.na >= fewest) kind = 'new';
      if (node.isFrame && node.na === 0 && node.nb >= fewest) kind = 'gone';
      node.sign = { same: '', new: 'new: ', gone: 'gone: ' }[kind] ?? (points > 0 ? '+ ' : '\u2212 ');
      const relative = node.b > 0 && node.a > 0 ? signed(100 * (node.a - node.b) / node.b, 1) + ' %'
        : node.b > 0 ? 'gone' : 'new';
      node.values = `${amount(node.b)} \u2192 ${amount(node.a)} (${signed(points, 2)} points, ${relative}, `
        + `${node.nb.toLocaleString('en')} \u2192 ${node.na.toLocaleString('en')} samples)`;
      if (node.level > 0 && node.isFrame) node.g.setAttribute('class', 'f ' + kind + (node.isHit ? ' hit' : ''));
      if (kind === 'new' || kind === 'gone') node.rect.setAttribute('fill', `url(#${svg.dataset.patterns}-${kind})`);
      else node.rect.removeAttribute('fill');
      node.title.textContent = [node.name, node.values, node.selfLine, node.origin].join('\n');
      node.g.setAttribute('aria-label', node.sign + node.name + ', ' + node.values);
      node.weight = Math.max(node.sb * fb, node.sa * fa);
    }
    for (let index = nodes.length - 1; index > 0; index -= 1) nodes[index].parent.weight += nodes[index].weight;
    root.start = 0;
    for (const node of nodes) {
      let next = node.start;
      for (const child of node.children) { child.start = next; next += child.weight; }
    }
    if (modeButton) {
      modeButton.setAttribute('aria-pressed', String(mode === 'share'));
    }
  }

  // ---- Drawing ------------------------------------------------------------------------------------------
  const WIDE = /[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6]|[\u{1F300}-\u{1FAFF}\u{20000}-\u{3FFFD}]/u;
  const cells = (character) => (WIDE.test(character) ? 2 : 1);
  const cellsOf = (text) => [...text].reduce((sum, character) => sum + cells(character), 0);

  function fit(node, available) {
    const room = Math.floor((available - 6) / characterWidth);
    if (room < 2) return '';
    for (const text of [node.sign + node.name, node.sign + node.compact]) if (cellsOf(text) <= room) return text;
    let text = '', used = 1;
    for (const character of node.sign + node.compact) {
      used += cells(character);
      if (used > room) break;
      text += character;
    }
    return text + '\u2026';
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
    node.text.textContent = fit(node, w);
    node.text.setAttribute('x', x + 3);
    node.text.setAttribute('y', y + 12.5);
  }

  function draw() {
    const inner = width - 2 * margin, scale = zoomed.weight > 0 ? inner / zoomed.weight : 0;
    // A subtree stands together in the document, so it ends at the first node that is not deeper.
    let inside = false;
    for (const node of nodes) {
      if (node === zoomed) inside = true;
      else if (inside && node.level <= zoomed.level) inside = false;
      const above = !inside && node.level < zoomed.level && isAncestor(node, zoomed);
      node.g.classList.toggle('above', above);
      const w = node.weight * scale;
      if (above) place(node, margin, inner);
      else if (inside && w >= 0.1) place(node, margin + (node.start - zoomed.start) * scale, w);
      else node.g.setAttribute('display', 'none');
    }
  }

  // Text that was set for 1200 units is made smaller where the page is narrower than it.
  function shrinkage(group) {
    const bounds = group.getBBox();
    return Math.min(1, (width - margin) / Math.max(1, bounds.x + bounds.width));
  }

  function resize() {
    width = Math.max(320, svg.getBoundingClientRect().width || 1200);
    bar.setAttribute('width', width - 2 * margin);
    const barHeight = Math.max(54, bar.firstElementChild.offsetHeight);
    bar.setAttribute('height', barHeight);
    const top = barTop + barHeight + 6, bottom = top + levels * row;
    tree.setAttribute('transform', `translate(0,${top})`);
    footer.setAttribute('transform', `translate(0,${bottom}) scale(${shrinkage(footer)})`);
    heading.setAttribute('transform', `scale(${shrinkage(heading)})`);
    const height = bottom + footerHeight;
    svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
    svg.setAttribute('height', height);
    page.setAttribute('height', height);
    draw();
  }

  // ---- Zoom, focus, search ------------------------------------------------------------------------------
  function show(node) {
    details.textContent = [node.sign + node.name, node.values, node.selfLine, node.origin].filter(Boolean).join(' \u00b7 ');
  }

  function focus(node) {
    current.g.setAttribute('tabindex', '-1');
    current = node;
    node.g.setAttribute('tabindex', '0');
    node.g.focus({ preventScroll: false });
    show(node);
  }

  function zoom(node) { zoomed = node; draw(); save(); show(node); }

  function search() {
    const wanted = box.value;
    let test = null;
    box.removeAttribute('aria-invalid');
    status.textContent = '';
    if (wanted && regexBox.checked) {
      try {
        const expression = new RegExp(wanted, 'i');
        test = (text) => expression.test(text);
      } catch (error) {
        box.setAttribute('aria-invalid', 'true');
        status.textContent = 'not a regular expression';
      }
    } else if (wanted) {
      const lower = wanted.toLowerCase();
      test = (text) => text.toLowerCase().includes(lower);
    }
    hits = [];
    let before = 0, after = 0;
    for (const node of nodes) {
      node.isHit = Boolean(test && node.isFrame && (test(node.name) || test(node.origin)));
      node.g.classList.toggle('hit', node.isHit);
      if (!node.isHit) continue;
      hits.push(node);
      let inner = node.parent;
      while (inner && !inner.isHit) inner = inner.parent;
      // A match inside a match is counted with it.
      if (!inner) { before += node.b; after += node.a; }
    }
    if (test) {
      status.textContent = `${hits.length.toLocaleString('en')} ${hits.length === 1 ? 'match' : 'matches'}, `
        + `${amount(before)} \u2192 ${amount(after)}`;
    }
  }

  function step(direction) {
    const visible = hits.filter((node) => !node.g.hasAttribute('display'));
    if (!visible.length) return;
    const after = visible.findIndex((node) => node.index > current.index);
    const before = visible.findLastIndex((node) => node.index < current.index);
    focus(visible[direction > 0 ? (after < 0 ? 0 : after) : (before < 0 ? visible.length - 1 : before)]);
  }

  // ---- State in the address -----------------------------------------------------------------------------
  // Functions are named by the hash of their path; two pictures in one page number their keys. In some frames and
  // data: addresses the history may not be touched; that is no harm.
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
        m: mode === svg.dataset.mode ? '' : mode,
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
    mode = state.get(p + 'm') === 'share' ? 'share' : state.get(p + 'm') === 'absolute' ? 'absolute' : svg.dataset.mode;
    setTheme(state.get(p + 't') || theme || remembered());
    measure();
    search();
    draw();
    if (zoomed !== root) show(zoomed);
    else details.textContent = 'Click a function, or press Enter on it, to zoom. Press ? for the keys.';
  }

  function remembered() {
    try { return localStorage.getItem('freeze-flamegraph-theme') || ''; } catch (error) { return ''; }
  }

  function setTheme(name) {
    theme = name === 'dark' || name === 'light' ? name : '';
    // In a page that chooses its own theme the picture follows it.
    svg.style.colorScheme = theme || (svg.closest('body') ? 'inherit' : 'light dark');
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
    mode: () => { mode = mode === 'share' ? 'absolute' : 'share'; measure(); draw(); save(); show(current); },
    theme: changeTheme,
    help: () => { details.textContent = KEYS; },
    search: () => { box.focus(); box.select(); },
  };

  function nodeOf(target) {
    const g = target.closest && target.closest('[role="treeitem"]');
    return g && tree.contains(g) ? nodes.find((node) => node.g === g) : null;
  }

  function move(key) {
    const family = current.parent ? current.parent.children : [current];
    let next = current;
    if (key === 'ArrowLeft') next = family[family.indexOf(current) - 1];
    else if (key === 'ArrowRight') next = family[family.indexOf(current) + 1];
    else if (key === (isFlame ? 'ArrowUp' : 'ArrowDown')) next = current.children[0];
    else next = current.parent;
    const isShown = (node) => node && !node.g.hasAttribute('display');
    focus(isShown(next) ? next : isShown(current) ? current : zoomed);
  }

  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const inBox = event.target === box;
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
      const action = {
        '/': 'search', n: 'next', N: 'previous', i: 'flip', m: 'mode', t: 'theme', '?': 'help',
      }[event.key];
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
  box.addEventListener('input', () => { search(); save(); });
  regexBox.addEventListener('change', () => { search(); save(); });
  addEventListener('hashchange', restore);
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
