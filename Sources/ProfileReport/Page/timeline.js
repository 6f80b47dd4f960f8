// Timelines: what there was at a moment, sums over an interval, zoom. All tracks of one timeline move together.
(function () {
  'use strict';
  const NS = 'http://www.w3.org/2000/svg';
  function text(value) {
    if (value >= 100) { const whole = Math.round(value); return Math.floor(whole / 60) + ':' + String(whole % 60).padStart(2, '0'); }
    if (value >= 10) return value.toFixed(1) + ' s';
    return value >= 1 || value === 0 ? value.toFixed(value === 0 ? 0 : 2) + ' s' : (1000 * value).toFixed(1) + ' ms';
  }
  for (const box of document.querySelectorAll('.timeline')) {
    const length = Number(box.dataset.length), status = box.querySelector('.moment'), panel = box.querySelector('.interval');
    const tracks = [...box.querySelectorAll('.track svg')], axis = [...box.querySelectorAll('.axis span')];
    let view = [0, length], moment = null, anchor = null, interval = null;
    const marks = tracks.map((svg) => {
      const shade = svg.appendChild(document.createElementNS(NS, 'rect')), line = svg.appendChild(document.createElementNS(NS, 'rect'));
      shade.setAttribute('class', 'shade'); line.setAttribute('class', 'line');
      for (const mark of [shade, line]) { mark.setAttribute('y', 0); mark.setAttribute('height', svg.viewBox.baseVal.height); mark.setAttribute('width', 0); }
      return { shade, line };
    });
    const spans = tracks.map((svg) => [...svg.querySelectorAll('rect[data-s]')].map((rect) => (
      { stage: rect.dataset.s, start: Number(rect.getAttribute('x')), end: Number(rect.dataset.e) })));
    const curves = tracks.map((svg) => {
      const line = svg.querySelector('polyline');
      if (!line) return null;
      const most = Number(line.dataset.most);
      return { name: svg.getAttribute('aria-label').split(' of ')[0].split(',')[0], unit: svg.parentNode.classList.contains('cpu') ? ' %' : ' MiB',
        points: line.getAttribute('points').split(' ').map((pair) => { const [x, y] = pair.split(','); return [Number(x), (46 - Number(y)) / 44 * most]; }) };
    });

    function at(curve, time) {
      let low = 0, high = curve.points.length - 1;
      while (low < high) { const middle = (low + high + 1) >> 1; if (curve.points[middle][0] <= time) low = middle; else high = middle - 1; }
      return curve.points[low][1];
    }

    function draw() {
      tracks.forEach((svg, index) => {
        svg.setAttribute('viewBox', `${view[0]} 0 ${view[1] - view[0]} ${svg.viewBox.baseVal.height}`);
        const { shade, line } = marks[index], width = view[1] - view[0];
        line.setAttribute('x', moment ?? 0);
        line.setAttribute('width', moment === null ? 0 : width / 1000);
        shade.setAttribute('x', interval ? interval[0] : 0);
        shade.setAttribute('width', interval ? interval[1] - interval[0] : 0);
      });
      axis.forEach((span, index) => { span.textContent = text(view[0] + (view[1] - view[0]) * index / 4); });
    }

    function tell() {
      if (moment === null) return;
      const parts = [text(moment)];
      spans.forEach((list) => {
        const open = list.filter((span) => span.start <= moment && moment < span.end).map((span) => span.stage);
        if (list.length) parts.push(open.length ? [...new Set(open)].join(' + ') : 'no stage');
      });
      for (const curve of curves) if (curve) parts.push(`${curve.name} ${at(curve, moment).toFixed(1)}${curve.unit}`);
      status.textContent = parts.join(' \u00b7 ');
    }

    // What an interval holds: time by stage, and the curves' means and peaks.
    function sum() {
      panel.hidden = !interval;
      if (!interval) return;
      const [from, to] = interval;
      panel.replaceChildren();
      const caption = panel.appendChild(document.createElement('p'));
      caption.textContent = `${text(from)} to ${text(to)}: ${text(to - from)}`;
      const table = panel.appendChild(document.createElement('table')), body = table.createTBody();
      const row = (...cells) => { const line = body.insertRow(); for (const cell of cells) line.insertCell().textContent = cell; };
      const totals = new Map();
      spans.flat().forEach((span) => {
        const time = Math.min(span.end, to) - Math.max(span.start, from);
        if (time > 0) totals.set(span.stage, (totals.get(span.stage) || 0) + time);
      });
      for (const [stage, time] of [...totals].sort((a, b) => b[1] - a[1])) row(stage, text(time), (100 * time / (to - from)).toFixed(1) + ' %');
      for (const curve of curves) {
        if (!curve) continue;
        const inside = curve.points.filter(([time]) => time >= from && time <= to).map(([, value]) => value);
        if (!inside.length) inside.push(at(curve, from));
        row(curve.name, 'mean ' + (inside.reduce((a, b) => a + b, 0) / inside.length).toFixed(1) + curve.unit, 'peak ' + Math.max(...inside).toFixed(1) + curve.unit);
      }
      box.dispatchEvent(new CustomEvent('interval', { detail: { from, to } }));
    }

    const clamp = (value) => Math.min(Math.max(value, 0), length);
    function show() { draw(); tell(); }
    function place(event) {
      const frame = tracks[0].getBoundingClientRect();
      return clamp(view[0] + (view[1] - view[0]) * (event.clientX - frame.left) / Math.max(frame.width, 1));
    }
    function select(to) {
      interval = anchor === null || to === anchor ? null : [Math.min(anchor, to), Math.max(anchor, to)];
      sum();
    }
    for (const svg of tracks) {
      svg.addEventListener('pointerdown', (event) => { anchor = moment = place(event); interval = null; svg.setPointerCapture(event.pointerId); sum(); show(); });
      svg.addEventListener('pointermove', (event) => { moment = place(event); if (event.buttons & 1 && anchor !== null) select(moment); show(); });
      svg.addEventListener('dblclick', () => zoom(null));
    }
    function zoom(to) {
      view = to ? to.slice() : [0, length];
      if (!to) { interval = null; anchor = null; sum(); }
      show();
    }
    box.addEventListener('keydown', (event) => {
      const step = (view[1] - view[0]) / (event.ctrlKey ? 10 : 100), sign = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (sign) {
        const before = moment ?? view[0];
        if (event.shiftKey && anchor === null) anchor = before;
        moment = clamp(before + sign * step);
        if (event.shiftKey) select(moment); else { anchor = null; }
        if (moment < view[0] || moment > view[1]) { const width = view[1] - view[0], start = Math.min(clamp(moment - width / 2), length - width); view = [start, start + width]; }
        show();
      } else if (event.key === 'Home' || event.key === 'End') { moment = event.key === 'Home' ? view[0] : view[1]; show(); }
      else if (event.key === 'Enter' && interval) zoom(interval);
      else if (event.key === 'Escape') zoom(null);
      else return;
      event.preventDefault();
    });
  }
})();
