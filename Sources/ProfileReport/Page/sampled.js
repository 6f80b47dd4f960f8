// The flamegraph of an interval of a profiled run, from the moments of its samples.
(function () {
  'use strict';
  for (const box of document.querySelectorAll('.timeline.sampled')) {
    const source = box.querySelector('script.samples'), flame = box.querySelector('.flame');
    let data = null;
    // Nothing is unpacked before somebody asks.
    function load() {
      if (data) return data;
      data = JSON.parse(source.textContent);
      const packed = atob(data.moments), times = [], samples = [], weights = [];
      let place = 0, time = 0;
      const number = () => { let value = 0, scale = 1, byte; do { byte = packed.charCodeAt(place++); value += (byte & 127) * scale; scale *= 128; } while (byte & 128); return value; };
      while (place < packed.length) { samples.push(number()); time += number(); times.push(time); weights.push(number()); }
      return Object.assign(data, { at: times, of: samples, weighs: weights });
    }
    const find = (list, value) => { let low = 0, high = list.length; while (low < high) { const middle = (low + high) >> 1; if (list[middle] < value) low = middle + 1; else high = middle; } return low; };

    function draw(from, to) {
      const { parents, functions, names, samples, at, of, weighs, period } = load();
      const totals = new Float64Array(parents.length);
      for (let index = find(at, from * 1e6), end = find(at, to * 1e6); index < end; index += 1) totals[samples[of[index]]] += weighs[index];
      // Parents come before their children.
      for (let node = parents.length - 1; node > 0; node -= 1) totals[parents[node]] += totals[node];
      const whole = totals[0], children = new Map();
      flame.replaceChildren();
      if (!whole) { flame.textContent = 'No samples in this interval.'; return; }
      for (let node = 1; node < parents.length; node += 1) if (totals[node] >= whole / 500) { if (!children.has(parents[node])) children.set(parents[node], []); children.get(parents[node]).push(node); }
      const text = (node) => `${names[functions[node]]}: ${totals[node]} samples, ${(100 * totals[node] / whole).toFixed(1)} %` + (period ? `, ${(totals[node] * period / 1e6).toFixed(0)} ms` : '');
      let deepest = 0;
      function put(node, left, level) {
        deepest = Math.max(deepest, level);
        const part = flame.appendChild(document.createElement('div')), share = totals[node] / whole;
        part.className = 'part';
        Object.assign(part.style, { left: `${100 * left}%`, width: `${100 * share}%`, top: `${level * 18}px`, background: `hsl(${(functions[node] * 47) % 360} 45% 78%)` });
        part.textContent = names[functions[node]];
        part.title = text(node);
        inside(node, left, level + 1);
      }
      function inside(node, left, level) {
        const list = (children.get(node) || []).sort((a, b) => names[functions[a]].localeCompare(names[functions[b]]));
        for (const child of list) { put(child, left, level); left += totals[child] / whole; }
      }
      inside(0, 0, 0);
      flame.style.height = `${(deepest + 1) * 18}px`;
      const own = new Map();
      for (const list of [...children.values()]) for (const node of list) {
        const self = totals[node] - (children.get(node) || []).reduce((sum, child) => sum + totals[child], 0);
        own.set(names[functions[node]], (own.get(names[functions[node]]) || 0) + self);
      }
      flame.setAttribute('aria-label', `Flamegraph of ${whole} samples; most in ` + [...own].sort((a, b) => b[1] - a[1]).slice(0, 5)
        .map(([name, weight]) => `${name} ${(100 * weight / whole).toFixed(1)} %`).join(', '));
    }
    box.addEventListener('interval', (event) => draw(event.detail.from, event.detail.to));
  }
})();
