import LinuxProcess
import LinuxSystem
import Measurement
import TestSupport
import Testing

@testable import LiveMonitor

@Suite("Lines of the pipeline above the panel")
struct TerminalLineTests {
    @Test(
        "text and colours stay, whatever moves the cursor goes",
        arguments: [
            ("plain\ttext", "plain\ttext"),
            ("\u{1B}[1;31mred\u{1B}[0m", "\u{1B}[1;31mred\u{1B}[0m"),
            ("up\u{1B}[5A and \u{1B}[2J clear", "up and  clear"),
            ("title\u{1B}]0;", "title0;"),
            ("10 %\r50 %\r100 %\r", "100 %"),
            ("bell\u{7} c1\u{9B}31m cut\u{1B}[1", "bell c131m cut"),
            ("\u{1B}", ""), ("\u{1B}[?25lhidden", "hidden"), ("", ""),
        ])
    func shown(_ line: String, _ expected: String) {
        #expect(TerminalLine.shown(line) == expected)
    }

    @Test("a relay hands out whole lines, the last one without its end, and does not keep an endless one")
    func relay() throws {
        let pipe = try FileDescriptor.pipe()
        try pipe.writeEnd.write(Array("one\ntwo\nthr".utf8))
        let output = try FileDescriptor.duplicate(pipe.writeEnd.rawValue)
        let relay = LineRelay(reading: pipe.takeReadEnd(), fallback: 2)
        #expect(relay.next() == "one\ntwo")
        try output.write(Array("ee\n".utf8))
        #expect(relay.next() == "three")
        try output.write([UInt8](repeating: 0x61, count: 20_000))
        let long = [relay.next(), relay.next()].compactMap { $0 }.joined()
        #expect(long.count == 20_000)
        try output.write(Array("rest".utf8))
        #expect(relay.next() == nil)
        #expect(relay.last() == "rest")
    }

    @Test(
        "a log's header names the pipeline as one word",
        arguments: [
            ("podcast-scraper", "podcast_scraper"), ("run me.sh", "run_me.sh"), ("größe\n", "gr__e_"),
            ("", "pipeline"),
        ])
    func identifier(_ name: String, _ expected: String) {
        #expect(LogText.identifier(name) == expected)
    }

    @Test("all of a configuration reaches the monitor, and so does a line")
    func messages() {
        var configuration = MonitorConfiguration(name: "p\"q", statusFile: "/a/b.json")
        configuration.keys = .never
        configuration.flamegraphProgram = "/usr/bin/freeze-profile"
        configuration.flamegraphDirectory = "/a b"
        for message in [ControlMessage.configure(configuration), .say("two\nlines \u{1B}[1m")] {
            let line = message.line
            #expect(line.split(separator: "\n").count == 1 && line.hasSuffix("\n"))
            #expect(ControlMessage.parse(Array(line.dropLast().utf8)) == message)
        }
    }

    @Test("memray goes between the interpreter's own options and the script")
    func interpreterOptions() {
        func words(_ text: String) -> [String] { text.split(separator: " ").map(String.init) }
        #expect(HeapCapture.endOfInterpreterOptions(words("python3 run.py -v")) == 1)
        #expect(HeapCapture.endOfInterpreterOptions(words("python3 -u -X dev run.py -v")) == 4)
        #expect(HeapCapture.endOfInterpreterOptions(words("python3 -O -m package")) == 2)
        #expect(HeapCapture.endOfInterpreterOptions(words("python3")) == 1)
        #expect(HeapCapture.endOfInterpreterOptions(words("python3 -X")) == 2)
    }
}
