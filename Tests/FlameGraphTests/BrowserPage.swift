import LinuxProcess
import LinuxSystem
import TestSupport
import Testing

/// A page with pictures in a browser, driven by a script as a reader would with mouse and keys.
enum BrowserPage {
    static let isAvailable = Programs.path(of: "chromium") != nil

    /// What the script leaves in `out`, a line each, of pictures in one page.
    static func outcome(of script: String, pictures: [[UInt8]], fragment: String = "") throws -> [String] {
        let body = pictures.map { bytes in
            let text = String(decoding: bytes, as: UTF8.self)
            return text[(text.firstRange(of: "<svg")?.lowerBound ?? text.startIndex)...]
        }
        let page =
            "<!doctype html><meta charset=\"utf-8\"><body>\(body.joined())<pre id=\"outcome\"></pre><script>\n"
            + "\(hands)\naddEventListener('load', async () => {\n\(script)\nsay(out.join('\\n')) })</script>"
        return try lines(of: page, file: "page.html", fragment)
    }

    /// The same of one picture that is a file by itself.
    static func outcome(of script: String, file picture: [UInt8], fragment: String = "") throws -> [String] {
        let text = String(decoding: picture, as: UTF8.self)
        let page = text.replacing(
            "</svg>\n",
            with: "<g id=\"outcome\"></g><script><![CDATA[\n\(hands)\n"
                + "addEventListener('load', async () => {\n\(script)\nsay(out.join('\\n')) })]]></script></svg>\n"
        )
        return try lines(of: page, file: "picture.svg", fragment)
    }

    private static func lines(of page: String, file: String, _ fragment: String) throws -> [String] {
        let directory = try TemporaryDirectory()
        try Files.replace("\(directory.path)/\(file)", with: page)
        let dom = try runCommand(
            [
                "chromium", "--headless", "--no-sandbox", "--disable-gpu",
                "--user-data-dir=\(directory.path)/profile", "--virtual-time-budget=5000", "--dump-dom",
                "file://\(directory.path)/\(file)\(fragment)",
            ], timeout: .seconds(60)
        ).standardOutput
        let start = try #require(dom.firstRange(of: "id=\"outcome\">")?.upperBound, "\(dom.prefix(300))")
        let end = try #require(dom[start...].firstRange(of: /<\/(?:pre|g)>/)?.lowerBound)
        return dom[start..<end].replacing("&amp;", with: "&").split(separator: "\n").map(String.init)
    }

    private static let hands = """
        const [a, b] = document.querySelectorAll('svg'), out = [];
        const say = (text) => { document.getElementById('outcome').textContent = text; };
        onerror = (message) => say('ERROR ' + message);
        onunhandledrejection = (event) => say('ERROR ' + event.reason);
        const by = (name, svg = a) => [...svg.querySelectorAll('[role=treeitem]')]
          .find((g) => g.querySelector('title').textContent.startsWith(name + '\\n'));
        const box = a.querySelector('input[type=search]'), status = a.querySelector('[role=status]');
        const click = (e) => e.dispatchEvent(new MouseEvent('click', {bubbles: true}));
        const key = (key, more = {}) => (document.activeElement || a).dispatchEvent(
          new KeyboardEvent('keydown', {key, bubbles: true, cancelable: true, ...more}));
        const type = (text) => { box.value = text; box.dispatchEvent(new Event('input', {bubbles: true})); };
        const here = () => document.activeElement.getAttribute('aria-label');
        const isHidden = (name) => by(name).hasAttribute('display');
        const moment = () => new Promise((done) => setTimeout(done, 100));
        """
}
