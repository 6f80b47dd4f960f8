import LinuxSystem
import TestSupport
import Testing

@Suite("Bytes that are no UTF-8")
struct NativeTextTests {
    @Test("UTF-8 is itself", arguments: ["", "plain", "é", "日本語", "🎧", "\u{10FF41}"])
    func valid(text: String) {
        #expect(NativeText.text(Array(text.utf8)) == text)
        #expect(NativeText.bytes(text) == Array(text.utf8))
    }

    @Test(
        "other bytes come back as they were",
        arguments: [
            [0x63, 0x61, 0x66, 0xE9], [0xFF], [0x80, 0x41], [0xE9, 0x20], [0xC3], [0xC3, 0x28],
            // A surrogate and an overlong form are no UTF-8 either.
            [0xED, 0xA0, 0x80], [0xC0, 0xAF],
            // What would be taken for an escape.
            Array("\u{10FFE9}".utf8), Array("a\u{10FFFF}b".utf8) + [0xE9],
        ] as [[UInt8]])
    func escaped(bytes: [UInt8]) {
        #expect(NativeText.bytes(NativeText.text(bytes)) == bytes)
    }

    @Test("any bytes come back, and different bytes stay different")
    func random() {
        var generator = SeededGenerator(seed: 7)
        var seen: [[Unicode.Scalar]: [UInt8]] = [:]
        for _ in 0..<20_000 {
            // Mostly bytes that begin or continue something.
            let bytes = (0..<Int.random(in: 0...6, using: &generator)).map { _ in
                [
                    0x41, 0x80, 0xBE, 0xBF, 0xC3, 0xE9, 0xF4, 0x8F,
                    UInt8.random(in: 1...255, using: &generator),
                ]
                .randomElement(using: &generator) ?? 0x41
            }
            let text = NativeText.text(bytes)
            #expect(NativeText.bytes(text) == bytes)
            #expect(seen.updateValue(bytes, forKey: Array(text.unicodeScalars)).map { $0 == bytes } ?? true)
        }
    }

    @Test("a file with such a name is written, listed, read and removed")
    func files() throws {
        let directory = try TemporaryDirectory()
        let name = NativeText.text([0x63, 0x61, 0x66, 0xE9])
        try Files.createDirectories("\(directory.path)/\(name)")
        try Files.replace("\(directory.path)/\(name)/\(name)", with: "x")
        #expect(try Files.names(inDirectory: directory.path) == [name])
        #expect(try Files.read("\(directory.path)/\(name)/\(name)", limit: 9) == [0x78])
        #expect(try Files.canonical("\(directory.path)/\(name)").hasSuffix(name))
        try Files.removeTree("\(directory.path)/\(name)")
        #expect(try Files.names(inDirectory: directory.path).isEmpty)
    }
}
