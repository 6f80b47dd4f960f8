import FlameGraph
import LinuxProcess
import LinuxSystem
import StackProfile
import TestSupport
import Testing

/// Drives the picture in a browser, two of it in one page, as a reader would with mouse and keys.
@Suite(
    "Flame graph in a browser",
    .enabled(if: Programs.path(of: "chromium") != nil, "chromium is not installed"))
struct BrowserTests {
    private func outcome(of script: String, fragment: String = "") throws -> [String] {
        let directory = try Files.createTemporaryDirectory(prefix: "/tmp/flamegraph-browser-")
        defer { #expect(throws: Never.self) { try Files.removeTree(directory) } }
        let layout = FlameGraphLayout(try SamplePipeline.profile().grouped(by: [.stage]))
        var options = FlameGraphSVG.Options()
        options.title = "one"
        let one = String(decoding: FlameGraphSVG.render(layout, options: options), as: UTF8.self)
        options.title = "other"
        let other = String(decoding: FlameGraphSVG.render(layout, options: options), as: UTF8.self)
        let page =
            "<!doctype html><meta charset=\"utf-8\"><body>" + one.dropFirst(39) + other.dropFirst(39)
            + "<pre id=\"outcome\"></pre><script>\n\(Self.hands)\n"
            + "addEventListener('load', () => {\n\(script)\nsay(out.join('\\n')) })</script>"
        try Files.replace("\(directory)/page.html", with: page)
        let output = try FileDescriptor.open("\(directory)/dom.html", .createNew)
        var request = ChildRequest([
            "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--user-data-dir=\(directory)/profile",
            "--virtual-time-budget=5000", "--dump-dom", "file://\(directory)/page.html\(fragment)",
        ])
        request.standardOutput = .descriptor(output.rawValue)
        request.standardError = .null
        request.diesWithParent = true
        var browser = try ChildProcess.start(request)
        if try browser.wait(timeout: .seconds(60)) == nil {
            _ = try browser.terminate(grace: .seconds(1))
            Issue.record("The browser did not end within a minute.")
        }
        let dom = String(decoding: try Files.read("\(directory)/dom.html", limit: 1 << 24), as: UTF8.self)
        let start = try #require(dom.firstRange(of: "<pre id=\"outcome\">")?.upperBound, "\(dom.prefix(300))")
        let end = try #require(dom[start...].firstRange(of: "</pre>")?.lowerBound)
        return dom[start..<end].replacing("&amp;", with: "&").split(separator: "\n").map(String.init)
    }

    private static let hands = """
        const [a, b] = document.querySelectorAll('svg'), out = [];
        const say = (text) => { document.getElementById('outcome').textContent = text; };
        onerror = (message) => say('ERROR ' + message);
        const by = (name, svg = a) => [...svg.querySelectorAll('[role=treeitem]')]
          .find((g) => g.querySelector('title').textContent.startsWith(name + '\\n'));
        const box = a.querySelector('input[type=search]'), status = a.querySelector('[role=status]');
        const click = (e) => e.dispatchEvent(new MouseEvent('click', {bubbles: true}));
        const key = (key) => document.activeElement.dispatchEvent(
          new KeyboardEvent('keydown', {key, bubbles: true, cancelable: true}));
        const type = (text) => { box.value = text; box.dispatchEvent(new Event('input', {bubbles: true})); };
        const here = () => document.activeElement.getAttribute('aria-label');
        """

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
                key('t'); key('t'); key('t'); out.push(a.style.colorScheme === 'dark', b.style.colorScheme);
                key('/'); out.push(document.activeElement === box);
                key('Enter'); out.push(document.activeElement === box);
                key('Escape'); out.push(document.activeElement === box, box.value === '');
                out.push(a.querySelectorAll('.frames [tabindex="0"]').length);
                """)
        #expect(
            lines == [
                "rss_feed_fetch, 4.2 %, 125 samples", "summarization, 28.1 %, 827 samples",
                "all, 100.0 %, 2,943 samples", "sqlite3VdbeExec, 3.4 %, 100 samples", "true",
                "rss_feed_fetch, 4.2 %, 125 samples", "true", "light dark", "true", "true", "false", "true",
                "1",
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
        #expect(lines == ["1", "&lt;script&gt;alert(1)&lt;/script&gt;", "light dark"])
    }
}
