// What every picture of stacks can do: zoom, search, keyboard, theme, state in the address.
//
// No globals and no ids: several pictures may live in one page, each with its own copy of this function. A kind of picture
// says what its frames weigh and how they are described: `flamegraph.js`, `differential.js`.
function openPicture(makeKind) {
  const script = document.currentScript;
  const svg = script ? script.closest('svg') : document.querySelector('svg.freeze-flamegraph:not(.live)');
  const part = (selector) => svg.querySelector(selector);
  const tree = part('.frames'), bar = part('foreignObject'), footer = part('.footer'), heading = part('.heading');
  const page = part('.page'), box = bar.querySelector('input[type="search"]'), regexBox = bar.querySelector('.regex');
  const status = bar.querySelector('[role="status"]'), details = bar.querySelector('.details');
  const levels = Number(svg.dataset.levels), row = 18, margin = 10, barTop = 56;

  // The rectangles as they stand in the document: depth first, each before its children.
  const nodes = [], nodeOfGroup = new Map(), open = [];
  for (const g of tree.querySelectorAll('[role="treeitem"]')) {
    const level = Number(g.getAttribute('aria-level')) - 1, title = g.querySelector('title');
    const lines = title.textContent.split('\n');
    const node = {
      index: nodes.length, g, level, title, lines, name: lines[0], compact: g.dataset.c || lines[0], path: g.dataset.p,
      rect: g.querySelector('rect'), text: g.querySelector('text'), sign: '', origin: '', start: 0, weight: 0,
      isFrame: !g.classList.contains('root') && !g.classList.contains('small'),
      parent: level > 0 ? open[level - 1] : null, children: [], isHit: false,
    };
    if (node.parent) node.parent.children.push(node);
    open[level] = node;
    nodes.push(node);
    nodeOfGroup.set(g, node);
  }
  const root = nodes[0];
  if (!root) return;

  // What is too small to be drawn is searched all the same: for each rectangle that stands for some of it the name, the
  // weight and the depth of each frame, callers first.
  const namesBox = part('.names'), isComplete = !namesBox || namesBox.dataset.omitted === '0';
  const hiddenNames = namesBox ? namesBox.textContent.split('\n').map((line) => line.split('\t')) : [];
  for (const node of nodes) {
    node.hiddenWeight = 0;
    node.hiddenHits = 0;
    if (node.g.dataset.h) {
      node.hidden = node.g.dataset.h.split(',').map((frame) => frame.split('.').map((number) => parseInt(number, 36)));
    }
  }
  const holders = nodes.filter((node) => node.hidden);
  let zoomed = root, current = root, hits = [], isFlame = svg.dataset.orientation === 'flame', theme = '';
  let characterWidth = 7.23, width = 1200;

  // ---- Text ---------------------------------------------------------------------------------------------
  const WIDE = /[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6]|[\u{1F300}-\u{1FAFF}\u{20000}-\u{3FFFD}]/u;
  const ZERO = /[\u0300-\u036F\u200B-\u200D\uFE00-\uFE0F]/;

  function cells(character) { return ZERO.test(character) ? 0 : WIDE.test(character) ? 2 : 1; }

  function cellsOf(text) {
    let count = 0;
    for (const character of text) count += cells(character);
    return count;
  }

  // The name, its compact form, or the beginning of that: LabelText.fitted does the same for the still picture.
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

  function percent(share) {
    const value = share * 100;
    return value.toFixed(value > 0 && value < 0.1 ? 2 : 1) + ' %';
  }

  // ---- Drawing ------------------------------------------------------------------------------------------
  function isAncestor(node, other) {
    while (other && other.level > node.level) other = other.parent;
    return other === node;
  }

  function isShown(node) { return Boolean(node) && !node.g.hasAttribute('display'); }

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
    const below = bottom + footerHeight;
    const height = below + (kind.placeBelow ? kind.placeBelow(margin, below, width - 2 * margin) : 0);
    svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
    svg.setAttribute('height', height);
    page.setAttribute('height', height);
    draw();
  }

  // The tools stay in sight while a tall picture is scrolled: they lie over it, at the upper edge of the window.
  function keepToolsInSight() {
    const above = -svg.getBoundingClientRect().top, last = svg.getBoundingClientRect().height - bar.firstElementChild.offsetHeight;
    const isAway = above > barTop;
    bar.setAttribute('y', isAway ? Math.min(above, Math.max(barTop, last)) : barTop);
    bar.classList.toggle('afloat', isAway);
  }

  // Brings the outermost frame of the view into the window: turned over, it lies at the other end of the picture.
  function reveal() {
    zoomed.g.scrollIntoView({ block: isFlame ? 'end' : 'center' });
    keepToolsInSight();
  }

  // ---- Zoom and focus -----------------------------------------------------------------------------------
  function show(node) { details.textContent = kind.describe(node).filter(Boolean).join(' \u00b7 '); }

  // The one frame that Tab reaches.
  function select(node) {
    current.g.setAttribute('tabindex', '-1');
    current = node;
    node.g.setAttribute('tabindex', '0');
  }

  function focus(node) {
    select(node);
    node.g.focus({ preventScroll: false });
    show(node);
  }

  function zoom(node) {
    const isNew = node !== zoomed;
    zoomed = node;
    draw();
    if (!isShown(current)) select(zoomed);
    count();
    save(isNew);
    show(node);
  }

  // Out to the frame around the view; the keyboard follows.
  function zoomOut() {
    const inner = zoomed;
    zoom(zoomed.parent || root);
    focus(inner);
  }

  // ---- Search -------------------------------------------------------------------------------------------
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

  // Names and where they are from are searched, not the numbers beside them.
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
    const isNameHit = hiddenNames.map((texts) => Boolean(test && texts.some(test)));
    for (const node of holders) searchHidden(node, isNameHit);
    if (test) count();
    if (kind.searched) kind.searched(test);
  }

  // Of the frames that a rectangle stands for: how many match, and what the outermost of them weigh.
  function searchHidden(node, isNameHit) {
    node.hiddenWeight = 0;
    node.hiddenHits = 0;
    let skip = Infinity;
    for (const [name, weight, depth] of node.hidden) {
      if (isNameHit[name]) node.hiddenHits += 1;
      if (depth > skip) continue;
      skip = isNameHit[name] ? depth : Infinity;
      if (isNameHit[name]) node.hiddenWeight += weight;
    }
  }

  // The outermost matches under a node: their weights add up, each sample once.
  function outermost(under) {
    for (let node = under; node; node = node.parent) if (node.isHit) return [under];
    const found = [];
    for (let index = under.index + 1, skip = Infinity; index < nodes.length; index += 1) {
      const node = nodes[index];
      if (node.level <= under.level) break;
      if (node.level > skip) continue;
      skip = node.isHit ? node.level : Infinity;
      if (node.isHit) found.push(node);
      else if (node.hiddenWeight) found.push({ weight: node.hiddenWeight });
    }
    return found;
  }

  function count() {
    if (!box.value || box.hasAttribute('aria-invalid')) return;
    const small = holders.reduce((sum, node) => sum + node.hiddenHits, 0), all = hits.length + small;
    const frames = (isComplete ? '' : 'at least ') + (all === 1 ? '1 frame' : all.toLocaleString('en') + ' frames')
      + (small ? ` (${small.toLocaleString('en')} too small to be drawn)` : '');
    const parts = [frames, kind.matched(outermost(root), root, 'all')];
    if (zoomed !== root) parts.push(kind.matched(outermost(zoomed), zoomed, 'view'));
    status.textContent = parts.join(', ');
  }

  function step(direction) {
    const visible = hits.filter(isShown);
    if (!visible.length) return;
    const after = visible.findIndex((node) => node.index > current.index);
    const before = visible.findLastIndex((node) => node.index < current.index);
    focus(visible[direction > 0 ? (after < 0 ? 0 : after) : (before < 0 ? visible.length - 1 : before)]);
  }

  // ---- State in the address -----------------------------------------------------------------------------
  // Frames are named by the hash of their path, so an address outlives a change of widths. Two pictures in one
  // page number their keys. In some frames and data: addresses the history may not be touched; that is no harm.
  function prefix() {
    const all = [...document.querySelectorAll('svg.freeze-flamegraph')];
    return all.length > 1 ? (all.indexOf(svg) + 1) + '.' : '';
  }

  // A zoom is a place that the browser's Back leaves; everything else replaces the place it was done at.
  function save(isPlace) {
    try {
      const state = new URLSearchParams(location.hash.slice(1)), p = prefix();
      const values = {
        z: zoomed === root ? '' : zoomed.path, s: box.value, r: regexBox.checked ? '1' : '',
        o: isFlame === (svg.dataset.orientation === 'flame') ? '' : isFlame ? 'flame' : 'icicle', t: theme,
        ...kind.state(),
      };
      for (const key of Object.keys(values)) {
        if (values[key]) state.set(p + key, values[key]); else state.delete(p + key);
      }
      const text = state.toString(), address = text ? '#' + text : location.pathname + location.search;
      if (isPlace) history.pushState(null, '', address); else history.replaceState(null, '', address);
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
    kind.restore((key) => state.get(p + key));
    search();
    resize();
    if (!isShown(current)) select(zoomed);
    if (zoomed !== root) show(zoomed);
    else details.textContent = 'Click a frame, or press Enter on it, to zoom. Press ? for the keys.';
  }

  // ---- Theme --------------------------------------------------------------------------------------------
  function remembered() {
    try { return localStorage.getItem('freeze-flamegraph-theme') || ''; } catch (error) { return ''; }
  }

  function setTheme(name) {
    theme = name === 'dark' || name === 'light' ? name : '';
    // In a page that chooses its own theme the picture follows it.
    svg.style.colorScheme = theme || (svg.closest('body') ? 'inherit' : 'light dark');
  }

  function changeTheme() {
    const schemes = getComputedStyle(svg).colorScheme.split(' '), system = matchMedia('(prefers-color-scheme: dark)');
    const isDark = schemes.includes('dark') && (!schemes.includes('light') || system.matches);
    setTheme(isDark ? 'light' : 'dark');
    try { localStorage.setItem('freeze-flamegraph-theme', theme); } catch (error) { /* not remembered, then */ }
    save();
  }

  // ---- Hands --------------------------------------------------------------------------------------------
  const view = {
    svg, bar, box, regexBox, nodes, root, percent, matcher, search, draw, resize, save, isAncestor,
    get zoomed() { return zoomed; },
    showCurrent() { show(current); },
  };
  const kind = makeKind(view);
  const KEYS = 'Arrows: move \u00b7 Enter: zoom \u00b7 Backspace: one level out \u00b7 Esc: all the way out \u00b7 / search'
    + ' \u00b7 n, N: next, previous match' + kind.keys.map(([key, what]) => ` \u00b7 ${key}: ${what}`).join('')
    + ' \u00b7 i: flip \u00b7 t: theme \u00b7 Home: the view\u2019s first';
  const actions = {
    next: () => step(1),
    previous: () => step(-1),
    reset: () => zoom(root),
    flip: () => { isFlame = !isFlame; draw(); save(); reveal(); },
    theme: changeTheme,
    help: () => { details.textContent = KEYS; },
    search: () => { box.focus(); box.select(); },
    ...kind.actions,
  };
  const actionOfKey = {
    '/': 'search', n: 'next', N: 'previous', i: 'flip', t: 'theme', '?': 'help',
    ...Object.fromEntries(kind.keys.map(([key, , action]) => [key, action])),
  };

  function nodeOf(target) {
    const g = target.closest && target.closest('[role="treeitem"]');
    return nodeOfGroup.get(g) || null;
  }

  // The nearest sibling that is wide enough to be drawn.
  function sibling(direction) {
    const family = current.parent ? current.parent.children : [current];
    let index = family.indexOf(current) + direction;
    while (family[index] && !isShown(family[index])) index += direction;
    return family[index];
  }

  function move(key) {
    let next;
    if (key === 'ArrowLeft') next = sibling(-1);
    else if (key === 'ArrowRight') next = sibling(1);
    else if (key === (isFlame ? 'ArrowUp' : 'ArrowDown')) next = current.children.find(isShown);
    else next = current.parent;
    focus(isShown(next) ? next : isShown(current) ? current : zoomed);
  }

  function onKey(event) {
    const inBox = event.target === box;
    // In a page the browser's own search is the page's; in a picture by itself it would miss all names that are cut.
    if ((event.ctrlKey || event.metaKey) && event.key === 'f' && !inBox && svg === document.documentElement) {
      event.preventDefault();
      actions.search();
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (kind.keeps && kind.keeps(event)) return;
    if (!inBox && bar.contains(event.target) && (event.key === 'Enter' || event.key === ' ')) return;
    let known = true;
    if (inBox) {
      if (event.key === 'Enter') { step(event.shiftKey ? -1 : 1); box.focus(); }
      else if (event.key === 'Escape') { box.value = ''; search(); save(); focus(current); }
      else known = false;
    } else if (event.key.startsWith('Arrow')) move(event.key);
    else if (event.key === 'Enter' || event.key === ' ') zoom(current);
    else if (event.key === 'Backspace') zoomOut();
    else if (event.key === 'Escape' || event.key === '0') zoom(root);
    else if (event.key === 'Home') focus(zoomed);
    else if (actionOfKey[event.key]) actions[actionOfKey[event.key]]();
    else known = false;
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
  addEventListener('resize', () => { resize(); keepToolsInSight(); });
  addEventListener('scroll', keepToolsInSight, { passive: true });

  // ---- Start --------------------------------------------------------------------------------------------
  const footerHeight = svg.viewBox.baseVal.height - 58 - levels * row;
  svg.classList.add('live');
  // Painted last, so that it lies over the frames when they are scrolled under it.
  footer.after(bar);
  svg.setAttribute('width', '100%');
  // Width of the monospace font that this browser took, measured on a line of it.
  const probe = root.text.textContent;
  root.text.textContent = 'M'.repeat(100);
  characterWidth = root.text.getComputedTextLength() / 100 || characterWidth;
  root.text.textContent = probe;
  restore();
  // Until the page is whole it is not known whether this picture is the only one.
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', restore);
}
