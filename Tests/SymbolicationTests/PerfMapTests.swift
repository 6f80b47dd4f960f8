import LinuxProcess
import LinuxSystem
import Symbolication
import Testing

@Suite("Maps of just-in-time compiled code")
struct PerfMapTests {
    private func name(_ map: PerfMap, _ address: UInt64) -> String? {
        map.function(at: RuntimeAddress(address))?.name
    }

    @Test("name the function around an address; names may hold spaces")
    func lookup() {
        let map = PerfMap("7f0000001000 20 py::main:/srv/a b.py\n0x7f0000002000 0x10 LazyCompile:~x\n".utf8)
        #expect(name(map, 0x7F00_0000_1000) == "py::main:/srv/a b.py")
        #expect(name(map, 0x7F00_0000_101F) == "py::main:/srv/a b.py")
        #expect(name(map, 0x7F00_0000_1020) == nil)
        #expect(name(map, 0x7F00_0000_0FFF) == nil)
        #expect(name(map, 0x7F00_0000_200F) == "LazyCompile:~x")
        #expect(map.acceptedLines == 2)
        #expect(map.rejectedLines == 0)
        #expect(map.function(at: RuntimeAddress(0x7F00_0000_1004))?.size == 0x20)
    }

    @Test("give memory that was used again to the later function, wholly or in part")
    func reuse() {
        let map = PerfMap("1000 100 first\n1000 100 second\n1080 100 third\n1090 10 fourth\n".utf8)
        #expect(name(map, 0x1000) == "second")
        #expect(name(map, 0x107F) == "second")
        #expect(name(map, 0x1080) == "third")
        #expect(name(map, 0x1090) == "fourth")
        #expect(name(map, 0x109F) == "fourth")
        #expect(name(map, 0x10A0) == "third")
        #expect(name(map, 0x117F) == "third")
        #expect(name(map, 0x1180) == nil)
    }

    @Test("count what is no entry, and make hostile names safe")
    func hostile() {
        let long = String(repeating: "n", count: 10_000)
        let text = """
            zz 10 bad start
            1000 -1 negative
            1000 0 empty
            ffffffffffffffff 10 beyond the end
            1000
            1000 10
            11112222333344445 10 too many digits
            2000 10 a\u{1B}[31mred
            3000 10 \(long)
            """
        let map = PerfMap(text.utf8)
        #expect(map.rejectedLines == 7)
        #expect(name(map, 0x2000) == "a\u{FFFD}[31mred")
        #expect(name(map, 0x3000)?.count == 513)
        #expect(PerfMap([UInt8](repeating: 0xFF, count: 5000)).acceptedLines == 0)
        #expect(name(PerfMap("".utf8), 0) == nil)
    }

    @Test("agree with a plain search through the lines, last one first")
    func againstSearch() {
        var random = SplitMix(seed: 3)
        var entries: [(start: UInt64, size: UInt64, name: String)] = []
        for index in 0..<300 {
            entries.append((random.next() % 4000, 1 + random.next() % 200, "f\(index)"))
        }
        let text = entries.map { "\(String($0.start, radix: 16)) \(String($0.size, radix: 16)) \($0.name)" }
        let map = PerfMap(text.joined(separator: "\n").utf8)
        for address in UInt64(0)..<4300 {
            let expected = entries.last { $0.start <= address && address < $0.start + $0.size }
            #expect(name(map, address) == expected?.name)
        }
    }

    @Test("are read of a process, or are not there")
    func file() throws {
        let fixture = try Fixture()
        #expect(try PerfMap.ofProcess(12, directory: fixture.directory) == nil)
        try Files.replace(fixture.directory + "/perf-12.map", with: "1000 10 here\n")
        let map = try #require(try PerfMap.ofProcess(12, directory: fixture.directory))
        #expect(name(map, 0x1001) == "here")
    }
}
