import LinuxProcess
import LinuxSystem
import Measurement
import Symbolication
import Testing

@Suite("Functions, lines and inlined calls against addr2line")
struct AddressToLineTests {
    /// Compares every third byte of every function, or every so manyth: within and at the edges of instructions.
    ///
    /// GNU addr2line gives an inlined function without a linkage name, such as a lambda's operator, the name of the
    /// function around it, and finds no inlined calls in Clang's DWARF 5. There LLVM's symbolizer is the oracle.
    private func compare(
        _ fixture: Fixture, _ path: String, with oracle: Fixture.Oracle = .gnu, namesWith part: String = "",
        every step: UInt64 = 3
    ) throws -> (addresses: Int, inlined: Int) {
        let functions = try fixture.functions(of: path).filter {
            (!$0.name.hasPrefix("_") || $0.name.hasPrefix("_Z")) && (part.isEmpty || $0.name.contains(part))
        }
        // Once each: several functions may have one body.
        let addresses = Set(
            functions.flatMap {
                Array(stride(from: $0.address, to: $0.address + $0.size, by: UInt64.Stride(step)))
            }
        ).sorted()
        let expected = try fixture.frames(path, addresses, by: oracle)
        let found = try fixture.symbolize(path, addresses, inlines: true)
        var inlined = 0
        var differences: [String] = []
        for address in addresses {
            let truth = try #require(expected[address])
            let ours = try #require(found[address])
            inlined += ours.inlined.isEmpty ? 0 : 1
            var outermost = try #require(truth.last).function
            // A clone without a name in the debug information goes by its symbol.
            if let clone = outermost.firstRange(of: " [clone") {
                outermost = String(outermost[..<clone.lowerBound])
            }
            let key = try #require(ours.key)
            let names = ours.inlined.map(\.key) == truth.dropLast().map(\.function)
            let function = key == outermost || key.hasPrefix(outermost + "(")
            let positions = ours.inlined.map(\.position) + [ours.position]
            let lines = positions.map { $0?.line } == truth.map(\.line)
            let files = positions.map { $0?.file } == truth.map(\.file)
            if !(names && function && lines && files) {
                differences.append("\(String(address, radix: 16)): \(ours) instead of \(truth)")
            }
        }
        #expect(differences.isEmpty, "\(differences.count) differ, first \(differences.first ?? "")")
        return (addresses.count, inlined)
    }

    @Test(
        "agree for C",
        arguments: [
            ["-g", "-O2"], ["-g", "-O0"], ["-g", "-O2", "-gz"], ["-g", "-gdwarf-4", "-O3", "-no-pie"],
        ])
    func agreeForC(options: [String]) throws {
        let fixture = try Fixture()
        try fixture.run(["gcc"] + options + ["\(Fixture.sources)/work.c", "-o", "work"])
        let compared = try compare(fixture, fixture.directory + "/work")
        #expect(compared.addresses > 50)
        #expect(compared.inlined > 0 || options.contains("-O0") == false)
    }

    @Test(
        "agree for C++",
        arguments: [
            ("shapes", ["-g", "-O2"]), ("shapes", ["-g", "-O1", "-gz", "-ffunction-sections"]),
            ("shapes", ["-g", "-O3", "-flto"]), ("busy", ["-g", "-O2"]),
        ])
    func agreeForCxx(name: String, options: [String]) throws {
        let fixture = try Fixture()
        try fixture.run(["g++"] + options + ["\(Fixture.sources)/\(name).cpp", "-o", name])
        // The larger one has functions for every address.
        let compared = try compare(
            fixture, fixture.directory + "/" + name, with: .llvm, every: name == "busy" ? 31 : 3)
        #expect(compared.addresses > 500)
        #expect(compared.inlined > 100)
    }

    // Of a program's own functions: the library's are the same in each, and have no lines everywhere.
    @Test(
        "agree for Rust", .enabled(if: Programs.path(of: "rustc") != nil, "rustc is not on PATH"),
        arguments: ["names", "busy"])
    func agreeForRust(name: String) throws {
        let fixture = try Fixture()
        try fixture.run(["rustc", "-O", "-g", "\(Fixture.sources)/\(name).rs", "-o", name])
        let compared = try compare(
            fixture, fixture.directory + "/" + name, with: .llvm, namesWith: "\(name.utf8.count)\(name)")
        #expect(compared.addresses > 400)
        #expect(compared.inlined > 100)
    }

    @Test("agree for Clang, which writes no .debug_aranges, in segments apart from their file offsets")
    func agreeForClang() throws {
        let fixture = try Fixture()
        let path = try fixture.compile(
            "clang", "work.c", to: "work", "-g", "-O2", "-fuse-ld=lld", "-Wl,--rosegment",
            "-Wl,-z,separate-loadable-segments")
        let compared = try compare(fixture, path, with: .llvm)
        #expect(compared.inlined > 10)
        let image = try ElfImage(try OpenFile(path))
        #expect(image.segments.contains { $0.isExecutable })
    }

    @Test(
        "agree where the first segment is not at 0",
        arguments: ["-Wl,-Ttext-segment=0x40000000", "-Wl,-z,noseparate-code"])
    func agreeForOtherLayouts(option: String) throws {
        let fixture = try Fixture()
        for pie in ["-no-pie", "-pie"] {
            let path = try fixture.compile("gcc", "work.c", to: "work\(pie)", "-g", "-O2", pie, option)
            #expect(try compare(fixture, path).addresses > 50)
        }
    }

    @Test("Without inlines asked for, the line is the innermost one")
    func innermostLine() throws {
        let fixture = try Fixture()
        let path = try fixture.compile("gcc", "work.c", to: "work", "-g", "-O2")
        let hidden = try #require(try fixture.functions(of: path).first { $0.name == "hidden_work" })
        let addresses = Array(hidden.address..<hidden.address + hidden.size)
        let expected = try fixture.frames(path, addresses, by: .gnu)
        let found = try fixture.symbolize(path, addresses)
        for address in addresses {
            #expect(found[address]?.function == .value("hidden_work"))
            #expect(found[address]?.offset == address - hidden.address)
            #expect(found[address]?.inlined.isEmpty == true)
            #expect(found[address]?.line == expected[address]?.first?.line)
        }
    }
}
