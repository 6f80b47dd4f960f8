import FlameGraph
import StackProfile
import Testing

/// Drives the picture in a browser, two of it in one page, as a reader would with mouse and keys.
@Suite(
    "Flame graph in a browser",
    .enabled(if: BrowserPage.isAvailable, "chromium is not installed"))
struct BrowserTests {
    private func layout() throws -> FlameGraphLayout {
        FlameGraphLayout(try SamplePipeline.profile().grouped(by: [.stage]))
    }

    private func outcome(of script: String, fragment: String = "") throws -> [String] {
        let pictures = try ["one", "other"].map { title in
            var options = FlameGraphSVG.Options()
            options.title = title
            return FlameGraphSVG.render(try layout(), options: options)
        }
        return try BrowserPage.outcome(of: script, pictures: pictures, fragment: fragment)
    }

    @Test("Searching counts matches of all and of the view, literally or as an expression")
    func search() throws {
        let lines = try outcome(
            of: """
                out.push('live ' + a.classList.contains('live') + ' ' + b.classList.contains('live'));
                type('GGML'); out.push(status.textContent);
                click(by('summarization')); out.push(status.textContent);
                a.querySelector('.regex').checked = true;
                type('('); out.push(box.getAttribute('aria-invalid') + ' ' + status.textContent);
                type('^_int|sqlite'); out.push(box.getAttribute('aria-invalid') + ' ' + status.textContent);
                out.push('other ' + b.querySelectorAll('.hit').length);
                """)
        #expect(
            lines == [
                "live true true", "6 frames, 28.1 % of all", "6 frames, 28.1 % of all, 100.0 % of view",
                "true not a regular expression", "null 18 frames, 45.5 % of all, 0.0 % of view", "other 0",
            ])
    }

    @Test("A click zooms, Escape zooms out, and the address remembers both")
    func zoom() throws {
        let lines = try outcome(
            of: """
                const full = by('all').querySelector('rect').getAttribute('width');
                click(by('summarization'));
                out.push(by('summarization').querySelector('rect').getAttribute('width') === full);
                out.push(by('transcription').hasAttribute('display'), by('summarization', b) !== undefined);
                out.push(by('transcription', b).hasAttribute('display'));
                const address = location.hash;
                out.push(/^#1[.]z=[a-z0-9]+$/.test(address));
                key('Escape'); out.push(by('transcription').hasAttribute('display'), location.hash === '');
                location.hash = address;
                dispatchEvent(new HashChangeEvent('hashchange'));
                out.push(by('transcription').hasAttribute('display'));
                """)
        #expect(lines == ["true", "true", "true", "false", "true", "false", "true", "true"])
    }

    @Test("The keyboard reaches everything")
    func keyboard() throws {
        let lines = try outcome(
            of: """
                by('all').focus();
                key('ArrowDown'); out.push(here());
                key('ArrowRight'); out.push(here());
                key('ArrowUp'); out.push(here());
                type('sqlite3VdbeExec'); key('n'); out.push(here());
                key('i'); out.push(by('all').querySelector('rect').getAttribute('y') > 0);
                key('Home'); key('ArrowUp'); out.push(here());
                key('t'); out.push(a.style.colorScheme, b.style.colorScheme);
                key('t'); out.push(a.style.colorScheme);
                key('/'); out.push(document.activeElement === box);
                key('Enter'); out.push(document.activeElement === box);
                key('Escape'); out.push(document.activeElement === box, box.value === '');
                out.push(a.querySelectorAll('.frames [tabindex="0"]').length);
                """)
        #expect(
            lines == [
                "rss_feed_fetch, 4.2 %, 125 samples", "summarization, 28.1 %, 827 samples",
                "all, 100.0 %, 2,943 samples", "sqlite3VdbeExec, 3.4 %, 100 samples", "true",
                "rss_feed_fetch, 4.2 %, 125 samples", "dark", "inherit", "light", "true", "true", "false",
                "true", "1",
            ])
    }

    @Test(
        "The table opens below, sorts by every column, follows the search, and shows its rows in the picture")
    func table() throws {
        let lines = try outcome(
            of: """
                const button = a.querySelector('[data-do=list]'), table = a.querySelector('table');
                const rows = () => [...table.tBodies[0].rows].filter((r) => !r.hidden);
                const shown = () => getComputedStyle(a.querySelector('foreignObject.list')).display !== 'none';
                const before = a.viewBox.baseVal.height;
                out.push(shown(), button.getAttribute('aria-expanded'));
                click(button);
                out.push(shown(), button.getAttribute('aria-expanded'), a.viewBox.baseVal.height > before + 100);
                const numbers = (key) => rows().map((r) => Number(r.dataset[key]));
                const falls = (list) => list.every((n, i) => i === 0 || list[i - 1] >= n);
                const head = (key) => table.querySelector(`th[data-key=${key}]`);
                const sort = (key) => { click(head(key).querySelector('button')); return head(key).ariaSort; };
                out.push(head('self').ariaSort, falls(numbers('self')));
                out.push(sort('total'), falls(numbers('total')), head('self').ariaSort);
                out.push(sort('total'), falls(numbers('total').reverse()));
                out.push(sort('function'), rows()[0].cells[0].textContent <= rows()[1].cells[0].textContent);
                type('sqlite3VdbeExec'); out.push(rows().length, rows()[0].cells[0].textContent);
                type(''); const all = rows().length;
                const row = rows().find((r) => r.cells[0].textContent === 'sqlite3VdbeExec');
                click(row.querySelector('button'));
                out.push(box.value, status.textContent, rows().length < all, /b=1/.test(location.hash));
                click(button); out.push(shown(), a.viewBox.baseVal.height === before);
                """)
        #expect(
            lines == [
                "false", "false", "true", "true", "true", "descending", "true", "descending", "true", "none",
                "ascending", "true", "ascending", "true", "1", "sqlite3VdbeExec", "sqlite3VdbeExec",
                "1 frame, 3.4 % of all", "true", "true", "false", "true",
            ])
    }

    @Test("An address from outside cannot do more than choose a view")
    func hostileAddress() throws {
        let lines = try outcome(
            of: "out.push(a.querySelectorAll('script').length, box.value, a.style.colorScheme)",
            fragment: "#1.s=%3Cscript%3Ealert(1)%3C/script%3E&1.z=nowhere&1.t=url(x)&1.o=%22")
        #expect(lines == ["1", "&lt;script&gt;alert(1)&lt;/script&gt;", "inherit"])
    }

    @Test("Back leaves a zoom, Backspace goes out by one level, and focus stays on what can be seen")
    func back() throws {
        let lines = try outcome(
            of: """
                const width = (name) => Number(by(name).querySelector('rect').getAttribute('width'));
                const full = width('all'), places = history.length;
                click(by('summarization')); key('ArrowDown'); key('ArrowDown'); key('Enter');
                out.push(here(), width('main') < full, isHidden('transcription'), history.length - places);
                history.back(); await moment();
                out.push(width('summarization') === full, isHidden('transcription'));
                history.back(); await moment();
                out.push(width('summarization') < full, isHidden('transcription'), location.hash);
                click(by('summarization')); key('Backspace');
                out.push(here(), isHidden('transcription'));
                key('Backspace'); out.push(here());
                """)
        #expect(
            lines == [
                "main, 28.1 %, 827 samples", "true", "true", "2", "true", "true", "true", "false",
                "summarization, 28.1 %, 827 samples", "false", "all, 100.0 %, 2,943 samples",
            ])
    }

    @Test("A picture that is a file by itself works, and takes the browser's search only once")
    func file() throws {
        let lines = try BrowserPage.outcome(
            of: """
                out.push(a === document.documentElement, a.classList.contains('live'), a.style.colorScheme);
                out.push(key('f', {ctrlKey: true}), document.activeElement === box, key('f', {ctrlKey: true}));
                type('GGML'); out.push(status.textContent);
                click(by('summarization')); out.push(/z=[a-z0-9]+/.test(location.hash) && /s=GGML/.test(location.hash));
                """, file: FlameGraphSVG.render(try layout()), fragment: "#o=flame")
        #expect(
            lines == [
                "true", "true", "light dark", "false", "true", "true", "6 frames, 28.1 % of all", "true",
            ])
    }
}
