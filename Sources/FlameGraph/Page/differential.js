// A differential flame graph: two values a frame, measured as they are or as shares of their side.
openPicture((view) => {
  const { svg, bar, root, nodes, percent } = view, modeButton = bar.querySelector('[data-do="mode"]');
  const steps = svg.dataset.steps.split(' ').map(Number), fewest = Number(svg.dataset.fewest);
  let mode = svg.dataset.mode;
  for (const node of nodes) {
    const { b, a, sb, sa, nb, na } = node.g.dataset;
    Object.assign(node, {
      b: Number(b), a: Number(a), sb: Number(sb), sa: Number(sa), nb: Number(nb), na: Number(na),
      selfLine: node.lines[2] || '', origin: node.lines[3] || '',
    });
  }

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
    if (svg.dataset.unit === 'weight') return Math.round(value).toLocaleString('en');
    if (svg.dataset.unit === 'bytes') {
      let count = value, unit = 0;
      while (count >= 1024 && unit < 4) { count /= 1024; unit += 1; }
      return (unit ? count.toFixed(1) : String(Math.round(count))) + ' ' + ['B', 'KiB', 'MiB', 'GiB', 'TiB'][unit];
    }
    return value >= 100 ? value.toFixed(1) + ' s' : value >= 1 ? value.toFixed(2) + ' s' : (1000 * value).toFixed(1) + ' ms';
  }

  // DifferentialLayout.change and DifferentialLabels say the same for the still picture.
  function judge(node, [fb, fa]) {
    const points = 100 * (node.a * fa - node.b * fb), own = (value, count) => (count > 0 ? value * value / count : 0);
    const errors = Math.sqrt(own(node.b * fb, node.nb) + own(node.a * fa, node.na));
    let change = 'same';
    const step = steps.filter((limit) => Math.abs(points) >= limit).length;
    if (step > 0 && Math.abs(points) > 200 * errors) change = (points > 0 ? 'more' : 'less') + step;
    if (node.isFrame && node.nb === 0 && node.na >= fewest) change = 'new';
    if (node.isFrame && node.na === 0 && node.nb >= fewest) change = 'gone';
    node.sign = { same: '', new: 'new: ', gone: 'gone: ' }[change] ?? (points > 0 ? '+ ' : '\u2212 ');
    const relative = node.b > 0 && node.a > 0 ? signed(100 * (node.a - node.b) / node.b, 1) + ' %'
      : node.b > 0 ? 'gone' : 'new';
    node.values = `${amount(node.b)} \u2192 ${amount(node.a)} (${signed(points, 2)} points, ${relative}, `
      + `${node.nb.toLocaleString('en')} \u2192 ${node.na.toLocaleString('en')} samples)`;
    return change;
  }

  function tell(node, change) {
    if (node.level > 0 && node.isFrame) node.g.setAttribute('class', 'f ' + change + (node.isHit ? ' hit' : ''));
    if (change === 'new' || change === 'gone') node.rect.setAttribute('fill', `url(#${svg.dataset.patterns}-${change})`);
    else node.rect.removeAttribute('fill');
    node.title.textContent = [node.name, node.values, node.selfLine, node.origin].join('\n');
    node.g.setAttribute('aria-label', node.sign + node.name + ', ' + node.values);
  }

  // DifferentialLayout.places does the same for the still picture.
  function measure() {
    const scales = factors();
    for (const node of nodes) {
      tell(node, judge(node, scales));
      node.weight = Math.max(node.sb * scales[0], node.sa * scales[1]);
    }
    for (let index = nodes.length - 1; index > 0; index -= 1) nodes[index].parent.weight += nodes[index].weight;
    root.start = 0;
    for (const node of nodes) {
      let next = node.start;
      for (const child of node.children) { child.start = next; next += child.weight; }
    }
    if (modeButton) modeButton.setAttribute('aria-pressed', String(mode === 'share'));
  }

  return {
    keys: [['m', svg.dataset.unit + ' or shares', 'mode']],
    actions: {
      mode: () => {
        mode = mode === 'share' ? 'absolute' : 'share';
        measure();
        view.draw();
        view.save();
        view.showCurrent();
      },
    },
    describe: (node) => [node.sign + node.name, node.values, node.selfLine, node.origin],
    matched(found, under, what) {
      const sum = (key) => found.reduce((total, node) => total + node[key], 0);
      const share = (key) => (under[key] > 0 ? percent(sum(key) / under[key]) : 'none');
      return `${amount(sum('b'))} \u2192 ${amount(sum('a'))} (${share('b')} \u2192 ${share('a')} of ${what})`;
    },
    state: () => ({ m: mode === svg.dataset.mode ? '' : mode }),
    restore(get) {
      mode = ['share', 'absolute'].includes(get('m')) ? get('m') : svg.dataset.mode;
      measure();
    },
  };
});
