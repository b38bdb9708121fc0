/// The script of a report: a common cursor with values, sorting and filtering.
///
/// It reads numbers and names from the JSON in the file, and puts names into the page as text.
enum ReportScript {
  /// The script.
  static let javaScript = HTML(
    stringLiteral: #"""
      (() => {
        'use strict';
        const doc = document, root = doc.documentElement;
        const data = JSON.parse(doc.getElementById('data').textContent);
        root.classList.add('ready');
        const tip = doc.getElementById('tip');
        const info = s => data.charts[s.id] || data.maps[s.id];
        const isMap = s => !!data.maps[s.id];
        const pictures = [...doc.querySelectorAll('svg.chart[id]')].filter(info);
        const places = c => c.places || data.steps;
        const clamp = (v, low, high) => Math.max(low, Math.min(high, v));
        const words = v => v == null ? '–' : v === 0 ? '0'
          : Math.abs(v) >= 1e5 || Math.abs(v) < 1e-3 ? v.toExponential(2).replace('e+', 'e')
          : String(+v.toPrecision(3));

        // The position of a place in a picture, as a share of its width.
        const across = (s, place) => {
          const c = info(s), [left, right] = c.box;
          const index = isMap(s) ? nearest(data.steps, place) : 0;
          const share = isMap(s) ? (index + .5) / data.steps.length
            : (place - c.x[0]) / (c.x[1] - c.x[0]);
          return left + share * (right - left);
        };
        const nearest = (list, value) => {
          let best = 0;
          list.forEach((v, i) => { if (Math.abs(v - value) < Math.abs(list[best] - value)) best = i; });
          return best;
        };
        const indexAt = (s, x) => {
          const c = info(s), b = s.getBoundingClientRect();
          const share = ((x - b.left) / b.width - c.box[0]) / (c.box[1] - c.box[0]);
          return isMap(s)
            ? clamp(Math.floor(share * data.steps.length), 0, data.steps.length - 1)
            : nearest(places(c), c.x[0] + share * (c.x[1] - c.x[0]));
        };
        const height = (s, y) => {
          const c = info(s), b = s.getBoundingClientRect();
          return 1 - ((y - b.top) / b.height - c.box[2]) / (c.box[3] - c.box[2]);
        };

        // The values of maps are differences of 12 bits, deflated.
        const opened = {};
        const open = id => opened[id] ||= (async () => {
          const c = data.maps[id];
          const raw = Uint8Array.from(atob(c.values), v => v.charCodeAt(0));
          const stream = new Blob([raw]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
          const bytes = new DataView(await new Response(stream).arrayBuffer());
          const levels = new Uint16Array(bytes.byteLength / 2);
          for (let i = 0; i < levels.length; i++) {
            const before = i % c.columns ? levels[i - 1] : 0;
            levels[i] = bytes.getUint16(2 * i, true) + before & 4095;
          }
          const [low, high] = c.y;
          return (row, index) => {
            const level = levels[row * c.columns + Math.floor(index / c.size)];
            if (level === 4095) return null;
            const share = level / 4094;
            return c.log ? low * Math.pow(high / low, share) : low + share * (high - low);
          };
        })();

        const clear = () => {
          for (const s of pictures) {
            s.classList.remove('hover', 'lit');
            for (const l of s.querySelectorAll('.on')) l.classList.remove('on');
          }
          tip.style.visibility = 'hidden';
        };
        const line = (name, value) => {
          const row = doc.createElement('tr');
          row.append(Object.assign(doc.createElement('th'), { textContent: name }),
            Object.assign(doc.createElement('td'), { textContent: value }));
          return row;
        };
        const chartLines = async (s, index, y) => {
          const c = info(s), map = c.map && await open(c.map);
          const value = i => map ? map(c.rows[i], index) : c.values[i][index];
          const known = c.names.map((n, i) => [n, value(i), i]).filter(v => v[1] != null);
          if (known.length <= 6) return known.map(([n, v]) => line(n, words(v)));
          const rows = [];
          if (y != null) {
            const share = v => c.log ? Math.log(v / c.y[0]) / Math.log(c.y[1] / c.y[0])
              : (v - c.y[0]) / (c.y[1] - c.y[0]);
            const wanted = height(s, y);
            const [name, v, i] = known.reduce((a, b) =>
              Math.abs(share(b[1]) - wanted) < Math.abs(share(a[1]) - wanted) ? b : a);
            s.classList.add('lit');
            s.querySelectorAll('.line')[i].classList.add('on');
            rows.push(line(name, words(v)));
          }
          const sorted = known.map(v => v[1]).sort((a, b) => a - b);
          return [...rows, line('largest', words(sorted[sorted.length - 1])),
            line('median', words(sorted[sorted.length >> 1])), line('smallest', words(sorted[0]))];
        };
        let shown = 0;
        const show = async (s, index, x, y, row) => {
          const turn = ++shown, c = info(s), place = places(c)[index];
          clear();
          for (const other of pictures) {
            const w = other.viewBox.baseVal.width;
            const own = other === s || info(other).places ? place
              : data.steps[nearest(data.steps, place)];
            const at = w * clamp(across(other, own), 0, 1), cursor = other.querySelector('.cursor');
            cursor.setAttribute('x1', at);
            cursor.setAttribute('x2', at);
            other.classList.add('hover');
          }
          let rows;
          if (isMap(s)) {
            const count = c.names.length;
            row = row ?? (y == null ? 0 : clamp(Math.floor(height(s, y) * count), 0, count - 1));
            rows = [line((s.id === 'm-similarity' ? 'step ' : 'block ') + c.names[row],
              words((await open(s.id))(row, index)))];
          } else rows = await chartLines(s, index, y);
          if (turn !== shown) return;
          const table = doc.createElement('table');
          table.append(...rows);
          tip.replaceChildren(Object.assign(doc.createElement('b'), { textContent: 'step ' + place }),
            table);
          const b = s.getBoundingClientRect(), w = tip.offsetWidth;
          x = x ?? b.left + b.width * across(s, place);
          y = y ?? b.top;
          const left = x + 16 + w > innerWidth ? x - 16 - w : x + 16;
          tip.style.left = Math.max(6, left) + 'px';
          tip.style.top = clamp(y - 10, 6, Math.max(6, innerHeight - tip.offsetHeight - 8)) + 'px';
          tip.style.visibility = 'visible';
        };
        for (const s of pictures) {
          let index = 0, row = 0;
          s.addEventListener('pointermove', e => {
            index = indexAt(s, e.clientX);
            show(s, index, e.clientX, e.clientY);
          });
          const hide = () => { shown++; clear(); };
          s.addEventListener('pointerleave', hide);
          s.addEventListener('blur', hide);
          s.addEventListener('keydown', e => {
            const last = places(info(s)).length - 1, top = info(s).names.length - 1;
            const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], Home: [-last, 0], End: [last, 0] };
            if (isMap(s)) Object.assign(moves, { ArrowUp: [0, 1], ArrowDown: [0, -1] });
            const move = e.key === 'Escape' ? null : moves[e.key];
            if (e.key === 'Escape') hide();
            if (!move) return;
            e.preventDefault();
            index = clamp(index + move[0], 0, last);
            row = clamp(row + move[1], 0, top);
            show(s, index, undefined, undefined, row);
          });
        }

        for (const table of doc.querySelectorAll('table.sort')) {
          const heads = [...table.tHead.rows[0].cells];
          heads.forEach((head, column) => {
            const key = r => {
              const text = r.cells[column].textContent, number = parseFloat(text);
              return column < 2 ? text : Number.isNaN(number) ? -Infinity : number;
            };
            head.querySelector('button').addEventListener('click', () => {
              const up = head.getAttribute('aria-sort') === 'descending' ? 1 : -1;
              for (const other of heads) other.removeAttribute('aria-sort');
              head.setAttribute('aria-sort', up > 0 ? 'ascending' : 'descending');
              const rows = [...table.tBodies[0].rows].map(r => [key(r), r]);
              rows.sort(([a], [b]) => up * (typeof a === 'number' ? a - b || 0
                : a.localeCompare(b, undefined, { numeric: true })));
              table.tBodies[0].append(...rows.map(r => r[1]));
            });
          });
        }
        const find = doc.getElementById('find'), count = doc.getElementById('count');
        find?.addEventListener('input', () => {
          const parts = find.value.trim().toLowerCase().split(/\s+/);
          let n = 0;
          for (const row of doc.querySelectorAll('#tensors tbody tr')) {
            const name = row.cells[0].textContent.toLowerCase();
            row.hidden = !parts.every(p => name.includes(p));
            n += !row.hidden;
          }
          count.textContent = n + (n === 1 ? ' tensor' : ' tensors');
        });
        doc.getElementById('theme').addEventListener('click', () => {
          const now = root.dataset.theme
            || (matchMedia('(prefers-color-scheme:dark)').matches ? 'dark' : 'light');
          root.dataset.theme = now === 'dark' ? 'light' : 'dark';
        });
      })();

      """#)
}
