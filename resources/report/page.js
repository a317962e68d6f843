'use strict';
(() => {
const root = document.documentElement, main = document.querySelector('main'), nav = document.querySelector('nav');
let films = JSON.parse(document.getElementById('films').textContent);
const store = { get(key) { try { return localStorage.getItem('autox-' + key) } catch { return null } },
                set(key, value) { try { localStorage.setItem('autox-' + key, value) } catch { /* private mode */ } } };
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const said = (en, zh) => root.dataset.lang === 'zh' ? zh : en;

// ---- colours and languages
const probe = document.createElement('i');
probe.hidden = true;
document.body.append(probe);
const colour = (name) => { probe.style.color = `var(--${name})`; return getComputedStyle(probe).color };
const palette = () => root.dataset.shown === 'dark'
  ? ['#8fa8ff', '#ff9b6b', '#4fd1a5', '#e48ad8', '#f0c25e', '#6cc7ee', '#c3a1ff', '#b9c26b']
  : ['#3457d5', '#c2410c', '#0b7a5a', '#a02c90', '#8a6100', '#0d7ea8', '#6d3fc8', '#5f6b12'];
const dark = matchMedia('(prefers-color-scheme: dark)');
const showTheme = () => { root.dataset.shown = root.dataset.theme || (dark.matches ? 'dark' : 'light') };

// A figure in the colours and the language of the page. Elsewhere `c1` is the name of a class.
function translated(value, key = '') {
  if (Array.isArray(value)) return value.map((one) => translated(one, key));
  if (value && typeof value === 'object') {
    const keys = Object.keys(value);
    if (keys.length === 2 && 'en' in value && 'zh' in value) return said(value.en, value.zh);
    return Object.fromEntries(keys.map((inner) => [inner, translated(value[inner], inner)]));
  }
  if (typeof value === 'string' && key.startsWith('color')) {
    if (/^c[0-7]$/.test(value)) return palette()[+value[1]];
    if (/^--(good|bad|faint|text|line|card|accent|note|tint)$/.test(value)) return colour(value.slice(2));
  }
  return value;
}
function themed(layout) {
  const font = { family: getComputedStyle(document.body).fontFamily, size: 12, color: colour('text') };
  const base = { font, paper_bgcolor: 'rgba(0,0,0,0)', plot_bgcolor: 'rgba(0,0,0,0)', colorway: palette(), autosize: true,
    margin: { l: 56, r: 16, t: 28, b: 44 }, hoverlabel: { font: { ...font, color: colour('text') }, bgcolor: colour('card'),
    bordercolor: colour('line') }, legend: { orientation: 'h', x: 0, y: 1.02, yanchor: 'bottom' }, uirevision: 'kept' };
  const made = { ...base, ...layout, margin: { ...base.margin, ...layout.margin } };
  for (const key of [...Object.keys(made).filter((key) => /^[xy]axis/.test(key)), 'xaxis', 'yaxis'])
    made[key] = { gridcolor: colour('line'), zerolinecolor: colour('line'), linecolor: colour('line'), automargin: true,
      ...made[key] };
  return made;
}
function draw(place) {
  const figure = translated(JSON.parse(place.querySelector('script').textContent));
  for (const button of all('.choices [aria-pressed="true"]', place.closest('.choosing') ?? document.createElement('i'))) {
    const patch = JSON.parse(button.dataset.patch);
    patch.visible?.forEach((shown, number) => { figure.data[number].visible = shown });
    for (const [key, value] of Object.entries(patch.layout ?? {})) figure.layout[key] = { ...figure.layout[key], ...value };
  }
  place.classList.add('drawn');
  let canvas = place.querySelector('.canvas');
  if (!canvas) { canvas = document.createElement('div'); canvas.className = 'canvas'; canvas.style.height = '100%'; place.append(canvas) }
  place.setAttribute('aria-label', said(place.dataset.en, place.dataset.zh));
  return Plotly.react(canvas, figure.data, themed(figure.layout), { responsive: true, displaylogo: false,
    displayModeBar: 'hover', modeBarButtonsToRemove: ['select2d', 'lasso2d', 'autoScale2d'] });
}

// ---- what is drawn or loaded when it is seen
const seen = new IntersectionObserver((entries) => entries.forEach((entry) => {
  if (!entry.isIntersecting) return;
  seen.unobserve(entry.target);
  reveal(entry.target);
}), { rootMargin: '400px' });
function reveal(place) {
  if (place.classList.contains('plot')) return draw(place);
  const film = films[place.dataset.film];
  if (!film || place.firstChild) return;
  const frame = document.createElement('div'), image = new Image();
  frame.className = 'frame'; image.alt = ''; image.src = 'data:image/jpeg;base64,' + film;
  frame.append(image); place.append(frame);
}
function prepare(within) {
  all('.plot, .film', within).forEach((place) => seen.observe(place));
  all('.table[data-rows]', within).forEach((table) => {
    const button = document.createElement('button');
    button.type = 'button'; button.className = 'unfold'; button.dataset.rows = table.dataset.rows;
    table.after(button);
  });
  all('.filters', within).forEach(filter);
  names();
}
function names() {
  all('.unfold').forEach((button) => { button.textContent = button.previousElementSibling.classList.contains('all')
    ? said('show fewer', '收起') : said(`show all ${button.dataset.rows}`, `显示全部 ${button.dataset.rows} 行`) });
  all('[data-placeholder-en]').forEach((input) => { input.placeholder = said(input.dataset.placeholderEn, input.dataset.placeholderZh) });
  all('option[data-en]').forEach((option) => { option.textContent = said(option.dataset.en, option.dataset.zh) });
}

// ---- tables and filters
const sortValue = (row, column) => {
  const cell = row.cells[column], value = cell.dataset.value ?? cell.textContent.trim(), number = Number(value);
  return value === '' || value === '–' ? null : Number.isNaN(number) ? value : number;
};
function sort(head, way) {
  const table = head.closest('table'), column = head.cellIndex, body = table.tBodies[0], sign = way === 'ascending' ? 1 : -1;
  all('th', table).forEach((other) => other.setAttribute('aria-sort', other === head ? way : 'none'));
  const rows = [...body.rows].map((row) => [sortValue(row, column), row]);
  // What has no value comes last either way.
  rows.sort(([a], [b]) => a === null || b === null ? (a === null) - (b === null)
    : sign * (typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b))));
  const shown = [...body.rows].filter((row) => !row.classList.contains('more')).length;
  rows.forEach(([, row], place) => { row.classList.toggle('more', place >= shown); body.append(row) });
}
// Controls named `name` in a bar of filters show those items of its list whose data-name has their value among its own,
// with spaces between; one to search in shows those whose data-name holds its value.
function filter(bar) {
  const list = bar.nextElementSibling, wanted = all('select, input', bar).map((one) => [one.name, one.value.trim().toLowerCase(), one.type]);
  let count = 0;
  for (const item of list.children) {
    const fits = wanted.every(([name, value, type]) => {
      const own = (item.dataset[name] ?? '').toLowerCase();
      return value === '' || (type === 'search' ? own.includes(value) : own.split(' ').includes(value));
    });
    item.hidden = !fits; count += fits;
  }
  const told = bar.querySelector('.count');
  if (told) told.textContent = `${count} / ${list.children.length}`;
}

document.addEventListener('click', (event) => {
  const head = event.target.closest('th'), button = event.target.closest('button');
  if (head && button) sort(head, head.getAttribute('aria-sort') === 'descending' ? 'ascending' : 'descending');
  else if (button?.classList.contains('unfold')) { button.previousElementSibling.classList.toggle('all'); names() }
  else if (button?.dataset.choice) {
    all('button', button.parentElement).forEach((other) => other.setAttribute('aria-pressed', other === button));
    all('.plot', button.closest('.choosing')).forEach(draw);
  }
});
document.addEventListener('input', (event) => { const bar = event.target.closest('.filters'); if (bar) filter(bar) });

// ---- buttons of the page
const redraw = () => all('.plot.drawn').forEach(draw);
document.getElementById('language').onclick = () => { setLanguage(root.dataset.lang === 'zh' ? 'en' : 'zh'); redraw() };
document.getElementById('theme').onclick = () => { setTheme(root.dataset.shown === 'dark' ? 'light' : 'dark'); store.set('theme', root.dataset.theme); redraw() };
document.getElementById('playing').onclick = () => setStill(!root.hasAttribute('data-still'));
function setLanguage(language) { root.dataset.lang = language; root.lang = language === 'zh' ? 'zh-Hans' : 'en'; store.set('lang', language); names() }
function setTheme(theme) { if (theme) root.dataset.theme = theme; else delete root.dataset.theme; showTheme() }
function setStill(still) { root.toggleAttribute('data-still', still); document.getElementById('playing').setAttribute('aria-pressed', !still) }
dark.addEventListener('change', () => { showTheme(); redraw() });
// On paper everything is there, dark on white.
addEventListener('beforeprint', () => { root.dataset.theme = 'light'; showTheme(); all('.plot, .film').forEach(reveal) });
addEventListener('afterprint', () => { setTheme(store.get('theme')); redraw() });
setTheme(store.get('theme'));
setLanguage(store.get('lang') ?? (navigator.language.startsWith('zh') ? 'zh' : 'en'));
setStill(matchMedia('(prefers-reduced-motion: reduce)').matches);
prepare(document);

// ---- a page that is watched: newer sections take the place of older ones, and the reader stays where he is
const alive = document.getElementById('alive');
let version = '';
function carry(old, made) {
  const pairs = (selector, act) => { const before = all(selector, old); all(selector, made).forEach((now, n) => before[n] && act(before[n], now)) };
  pairs('details', (was, now) => { now.open = was.open });
  pairs('select, input', (was, now) => { now.value = was.value });
  pairs('.table', (was, now) => { now.classList.toggle('all', was.classList.contains('all')) });
  pairs('.choices button', (was, now) => now.setAttribute('aria-pressed', was.getAttribute('aria-pressed')));
  pairs('.plot', (was, now) => { const canvas = was.querySelector('.canvas'); if (canvas) { now.append(canvas); now.classList.add('drawn') } });
  pairs('.film', (was, now) => { if (was.dataset.film === now.dataset.film && was.firstChild) now.append(was.firstChild) });
  return () => {
    pairs('th', (was, now) => { const way = was.getAttribute('aria-sort'); if (way !== 'none') sort(now, way) });
    all('.plot.drawn', made).forEach(draw);
  };
}
function take(news) {
  const anchor = all('section', main).find((one) => one.getBoundingClientRect().bottom > 80);
  const top = anchor?.getBoundingClientRect().top, name = anchor?.id, active = document.activeElement;
  const place = active?.closest('section')?.id, index = place ? all('button, input, select, a, summary', active.closest('section')).indexOf(active) : -1;
  films = { ...films, ...news.films };
  nav.innerHTML = news.navigation;
  for (const one of news.sections) {
    const old = document.getElementById(one.id);
    const made = new DOMParser().parseFromString(one.html, 'text/html').body.firstElementChild;
    if (old?.dataset.digest === made.dataset.digest) { main.append(old); continue }
    const after = old && carry(old, made);
    old?.remove();
    main.append(made);
    prepare(made); after?.(); here.observe(made);
  }
  const kept = new Set(news.sections.map((one) => one.id));
  all('section', main).forEach((one) => { if (!kept.has(one.id)) one.remove() });
  const now = name && document.getElementById(name);
  if (now) scrollBy({ top: now.getBoundingClientRect().top - top, behavior: 'instant' });
  if (index >= 0) all('button, input, select, a, summary', document.getElementById(place) ?? main)[index]?.focus({ preventScroll: true });
}
async function ask() {
  try {
    const answer = await fetch(`/sections?have=${version}`);
    if (answer.status === 200) { const news = await answer.json(); version = news.version; take(news) }
    alive.classList.remove('lost');
    alive.innerHTML = '<span lang="en">● watching</span><span lang="zh">● 监视中</span>';
  } catch {
    alive.classList.add('lost');
    alive.innerHTML = '<span lang="en">○ watch has ended</span><span lang="zh">○ watch 已结束</span>';
  }
  setTimeout(ask, 2000);
}
const here = new IntersectionObserver((entries) => entries.forEach((entry) =>
  nav.querySelector(`a[href="#${CSS.escape(entry.target.id)}"]`)?.classList.toggle('here', entry.isIntersecting)), { rootMargin: '-80px 0px -60% 0px' });
all('section', main).forEach((one) => here.observe(one));
if (root.dataset.live === 'true') { alive.hidden = false; ask() }
})();
